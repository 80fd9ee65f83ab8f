"""One turn of the operator, and one of the limit: ScanServices are created, and made what they say."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from faults.audit import Entry
from hack.bench.operator import fleet
from hack.bench.operator.figures import quantile
from hack.bench.operator.ground import PARTS, Ground
from hack.bench.operator.usage import Memory, cpu_seconds, memory
from hack.bench.operator.watching import Watching, is_observed, is_ready
from operator_process import Operator
from release import ACCOUNT
from typosentinel_operator import names
from typosentinel_operator.names import Metric

# For all of them at least so long, and more for many.
PATIENCE_SECONDS = 120.0
END_SECONDS = 30.0
LOG_CHARACTERS = 2000
REST_SECONDS, REST_PATIENCE_SECONDS = 20.0, 180.0
QUIET_SECONDS = 60.0


@dataclass(slots=True)
class Turn:
    """What a turn came to; None for what did not come about in time.

    Attributes:
        there: how many ScanServices got there.
        seconds: from the first creation until all children and statuses were there.
        create_seconds: from the first creation to the last.
        cpu: seconds of processor time meanwhile, by program.
    """

    there: int = 0
    seconds: float | None = None
    create_seconds: float | None = None
    cpu: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Operated(Turn):
    """The same of the operator.

    Attributes:
        ready_seconds: from the first creation until all were Ready.
        p50_ms, p95_ms: of its passes over ScanServices until then, milliseconds.
        writes, reads: requests to the API server until then, by what they were; renewals of the Lease are none.
        memory: of its process then.
        quiet_writes: in the minute after it had come to rest; None where nobody waited for that.
    """

    ready_seconds: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    writes: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    memory: Memory | None = None
    quiet_writes: int | None = None


@dataclass(slots=True)
class Creation:
    """A client that creates; when it began and ended is known once it has, in monotonic seconds."""

    process: "subprocess.Popen[str]"
    begun: float = 0.0
    ended: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether it has ended before its work was done."""
        return bool(self.process.poll())


class OperatorEnded(Exception):
    """The operator has ended in the middle of a turn; the message has the end of its log."""

    def __init__(self, log: Path) -> None:
        super().__init__(f"the operator has ended: {log.read_text(encoding='utf-8')[-LOG_CHARACTERS:]}")


def limit(ground: Ground, run: str, count: int, patience: float) -> Turn:
    """The writes that cannot be saved, and nothing else.

    Args:
        ground: where.
        run: name of the namespaces, which are new.
        count: of ScanServices.
        patience: seconds to wait for each.
    """
    ground.prepare(run)
    turn = Turn()
    arguments = ("--kubeconfig", str(ground.kubeconfig))
    with _running(ground, "limit", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as working:
        assert working.stdout is not None  # noqa: S101 - for the type checker
        assert working.stdin is not None  # noqa: S101 - the same
        # It can begin.
        working.stdout.readline()
        pids = {part: ground.pid(part) for part in PARTS}
        before = _used(pids)
        with _creating(ground, run, count, stdout=working.stdin.fileno()) as creation:
            # What it reads ends with the creator.
            working.stdin.close()
            watching = _watching(ground, run, count, lambda: creation.failed or bool(working.poll()))
            wanted = fleet.children(run, count, with_token=False)
            at = watching.until(is_observed, PATIENCE_SECONDS + patience * count, wanted)
            turn.cpu = _since(before, _used(pids))
        if at is not None:
            turn.cpu["limit"] = float(working.stdout.readline())
        _note(turn, watching, creation, at)
    return turn


def operated(ground: Ground, run: str, count: int, patience: float, *, quiet: bool, under: tuple[str, ...]) -> Operated:
    """The operator, which runs already when the first ScanService comes.

    Args:
        ground: where.
        run: name of the namespaces, which are new.
        count: of ScanServices.
        patience: seconds to wait for each.
        quiet: whether to count the writes of a quiet minute afterwards.
        under: a program that runs it, and its arguments.
    """
    ground.prepare(run)
    operator = ground.operator(under)
    try:
        operator.start()
        ground.audit.skip()
        pids = {"operator": operator.pid} | {part: ground.pid(part) for part in PARTS}
        turn, before = Operated(), _used(pids)
        seconds = PATIENCE_SECONDS + patience * count
        with _creating(ground, run, count, stdout=subprocess.DEVNULL) as creation:
            watching = _watching(ground, run, count, lambda: creation.failed or not operator.running)
            at = watching.until(is_observed, seconds, fleet.children(run, count, with_token=True))
            if not operator.running:
                raise OperatorEnded(operator.log)
            turn.cpu = _since(before, _used(pids))
        _note(turn, watching, creation, at)
        if turn.seconds is not None:
            ready = watching.until(is_ready, seconds)
            turn.ready_seconds = None if ready is None else ready - creation.begun
        _look(ground, operator, turn)
        if quiet and turn.ready_seconds is not None:
            turn.quiet_writes = _quiet(ground, operator)
    finally:
        operator.stop()
    return turn


def _look(ground: Ground, operator: Operator, turn: Operated) -> None:
    _, text = operator.ask("/metrics")
    for share, name in ((0.5, "p50_ms"), (0.95, "p95_ms")):
        found = quantile(text, Metric.RECONCILE_DURATION, share, kind=names.SCAN_SERVICE.name)
        setattr(turn, name, None if found is None else found * 1000)
    turn.memory = memory(operator.pid)
    for entry in _of_operator(ground.audit.entries()):
        requests = turn.writes if entry.writes else turn.reads
        requests[_told(entry)] += 1


def _told(entry: Entry) -> str:
    what = f"{entry.resource}/{entry.subresource}" if entry.subresource else entry.resource
    # A creation that is not carried out asks whether there is one.
    return f"{entry.verb} {what}" + (" (dry)" if entry.dry else "")


def _of_operator(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry.user.endswith(f":{ACCOUNT}") and entry.resource != names.LEASE.plural)


def _quiet(ground: Ground, operator: Operator) -> int:
    """Writes of a minute, once there has been none for a while: autoscalers first look after 15 seconds."""
    deadline = time.monotonic() + REST_PATIENCE_SECONDS
    written, since = operator.writes(), time.monotonic()
    while time.monotonic() - since < REST_SECONDS and time.monotonic() < deadline:
        time.sleep(1)
        if operator.writes() != written:
            written, since = operator.writes(), time.monotonic()
    ground.audit.skip()
    time.sleep(QUIET_SECONDS)
    return sum(entry.writes for entry in _of_operator(ground.audit.entries()))


def _watching(ground: Ground, run: str, count: int, hopeless: Callable[[], bool]) -> Watching:
    return Watching(ground.server, ground.plane.pki, fleet.spaces(run), count, hopeless)


def _note(turn: Turn, watching: Watching, creation: Creation, at: float | None) -> None:
    turn.there = watching.there
    if at is not None:
        turn.create_seconds = creation.ended - creation.begun
        turn.seconds = at - creation.begun


@contextmanager
def _creating(ground: Ground, run: str, count: int, *, stdout: int) -> Iterator[Creation]:
    """Have ScanServices created meanwhile."""
    times = ground.folder / f"{run}.json"
    arguments = ("--run", run, "--count", str(count), "--times", str(times))
    with _running(ground, "creator", *ground.access(), *arguments, stdout=stdout) as creator:
        creation = Creation(creator)
        yield creation
    if times.exists():
        found = json.loads(times.read_text(encoding="utf-8"))
        creation.begun, creation.ended = found["begun"], found["ended"]


@contextmanager
def _running(ground: Ground, module: str, *arguments: str, **pipes: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that ends by itself, and soon after what it is there for, or by us."""
    process = ground.start(module, *arguments, **pipes)
    try:
        yield process
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
    finally:
        process.kill()
        process.wait()


def _used(pids: dict[str, int]) -> dict[str, float]:
    return {name: cpu_seconds(pid) for name, pid in pids.items()}


def _since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - seconds for name, seconds in before.items()}
