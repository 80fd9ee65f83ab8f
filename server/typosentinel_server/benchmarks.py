"""Benchmarks that a server runs beside its scans: one at a time, off the event loop, a few kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from typosentinel_server.clock import Clock
from typosentinel_server.engines import Engines
from typosentinel_server.errors import BenchmarkUnknown, TooBusy, shown
from typosentinel_server.evaluation import Evaluation, Report
from typosentinel_server.labelled import Fault, Labelled
from typosentinel_server.logs import Log
from typosentinel_server.scan.model import Technique

WAITING = 4
KEPT = 16
# A few milliseconds of work, and as long a rest: scans get their turn in between.
SLICE = 16
REST_SECONDS = 0.002


class State(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Run:
    """One benchmark.

    Attributes:
        run_id: by which it is asked for.
        labelled: what is judged; empty once it has ended, for it may be large.
        rows: how many there are to judge.
        faults: rows that were left out.
        methods: the techniques whose findings count; None for all.
        state: how far it is.
        done: rows judged so far.
        report: what was found out, once it is done.
    """

    run_id: str
    labelled: Labelled
    rows: int
    faults: tuple[Fault, ...]
    methods: frozenset[Technique] | None
    state: State = State.QUEUED
    done: int = 0
    report: Report | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more."""
        return self.state not in (State.QUEUED, State.RUNNING)


class Benchmarks:
    """Takes benchmarks in, runs one after another, and remembers the last 16.

    Args:
        engines: gives the engines in use; a run keeps those that it began with.
        clock: times the judging.
        log: says what failed.
        new_id: gives every run its id.
    """

    def __init__(self, engines: Callable[[], Engines], clock: Clock, log: Log, new_id: Callable[[], str]) -> None:
        self._engines = engines
        self._clock = clock
        self._log = log
        self._new_id = new_id
        self._runs: dict[str, Run] = {}
        self._waiting: asyncio.Queue[Run] = asyncio.Queue(WAITING)

    def ensure_room(self) -> None:
        """Raises TooBusy where four are waiting already."""
        if self._waiting.full():
            raise TooBusy(
                "BENCHMARKS_WAITING",
                f"{WAITING} benchmarks are waiting already",
                "Try again when one has ended.",
            )

    def submit(self, labelled: Labelled, methods: frozenset[Technique] | None) -> Run:
        """Takes a benchmark in. Raises TooBusy where four are waiting already."""
        self.ensure_room()
        run = Run(self._new_id(), labelled, len(labelled.rows), labelled.faults, methods)
        self._waiting.put_nowait(run)
        ended = [old.run_id for old in self._runs.values() if old.ended]
        for run_id in ended[: max(0, len(self._runs) + 1 - KEPT)]:
            del self._runs[run_id]
        self._runs[run.run_id] = run
        return run

    def find(self, run_id: str) -> Run:
        """The run of that id. Raises BenchmarkUnknown."""
        found = self._runs.get(run_id)
        if found is None:
            raise BenchmarkUnknown(
                "UNKNOWN_BENCHMARK",
                f"there is no benchmark {shown(run_id)} here",
                f"A server knows its own last {KEPT} only: ask the one that took it, which X-Served-By named.",
            )
        return found

    async def work(self) -> None:
        """Runs benchmarks for ever; cancels what has not ended when it is cancelled itself."""
        try:
            while True:
                await self._run(await self._waiting.get())
        finally:
            for run in self._runs.values():
                if not run.ended:
                    _end(run, State.CANCELLED)

    async def _run(self, run: Run) -> None:
        run.state = State.RUNNING
        evaluation = Evaluation(self._engines(), self._clock.monotonic, run.methods)
        rows = run.labelled.rows
        try:
            for start in range(0, len(rows), SLICE):
                await asyncio.to_thread(evaluation.add, rows[start : start + SLICE])
                run.done = min(start + SLICE, len(rows))
                await asyncio.sleep(REST_SECONDS)
            run.report = await asyncio.to_thread(evaluation.report)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next benchmark is run
            self._log.write.error("benchmark failed", id=run.run_id, exc_info=error)
            _end(run, State.FAILED)
        else:
            _end(run, State.DONE)


def _end(run: Run, state: State) -> None:
    run.state = state
    run.labelled = Labelled((), ())
