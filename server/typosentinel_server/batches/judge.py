"""Judging one slice of a batch: from the cache, here in small steps, or by a worker."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from typosentinel_server.clock import Clock
from typosentinel_server.errors import DomainError, NameRefused, TooBusy
from typosentinel_server.scan.conclusion import conclude
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Package, ScanResult
from typosentinel_server.scan.naming import Name
from typosentinel_server.service import Kept, ScanService
from typosentinel_server.verdictjson import Rendered
from typosentinel_server.workers.pool import Pool
from typosentinel_server.workers.slices import Answer, Asked, Judged, Refused
from typosentinel_server.workers.staff import WorkersBusy
from typosentinel_server.workers.worker import WorkerDied

# Some three milliseconds of the event loop.
STEP_NAMES = 64
# Slices of one batch that are judged ahead of the one being sent, for each worker that there may be.
AHEAD_EACH = 2
ROOM_SECONDS = 0.05

# A name, and the engine of its ecosystem.
Named = tuple[Engine, Name]


class Judge:
    """Judges the slices of one batch with the lists that were in use when it began.

    Args:
        service: the lists and the cache.
        pool: the workers.
        turn: held by the one slice of all batches that is judged in the event loop's thread.
        clock: times the wait for a worker.
        today: the date in UTC, for expiries.
    """

    def __init__(self, service: ScanService, pool: Pool, turn: asyncio.Lock, clock: Clock, today: date) -> None:
        self.engines = service.engines
        self._service = service
        self._knowledge = service.knowledge
        self._pool = pool
        self._turn = turn
        self._clock = clock
        self._today = today

    @property
    def timeout(self) -> float:
        """Seconds that a batch may take."""
        return self._pool.settings.timeout

    @property
    def ahead(self) -> int:
        """How many slices of a batch may be judged at once."""
        return max(2, AHEAD_EACH * self._pool.settings.max)

    async def slice(
        self, asked: Sequence[Named], expected: int, seconds: float, *, first: bool
    ) -> list[tuple[Answer, bool]]:
        """Answers in the order asked, and whether each came from the cache.

        Args:
            asked: the names, each once.
            expected: how many the batch has.
            seconds: that are left for it.
            first: whether nothing of the batch has been answered yet.

        Raises:
            TooBusy: no room for the first slice; later ones wait for some.
        """
        found: list[tuple[Answer, bool] | None] = []
        wanted: list[Named] = []
        for one in asked:
            kept = self._service.recall(*one)
            if kept is None:
                wanted.append(one)
            found.append(None if kept is None else (self._of_kept(one, kept), True))
        fresh = iter(await self._fresh(wanted, expected, seconds, first=first) if wanted else ())
        return [(next(fresh), False) if one is None else one for one in found]

    async def _fresh(self, wanted: Sequence[Named], expected: int, seconds: float, *, first: bool) -> list[Answer]:
        failure: DomainError
        try:
            async with asyncio.timeout(seconds):
                if expected < self._pool.settings.threshold or not self._pool.ready(self.engines):
                    return await self._here(wanted)
                return await self._there(wanted, first=first)
        except TimeoutError:
            failure = DomainError(
                "BATCH_TIMED_OUT",
                f"the batch took longer than {self.timeout:g} s",
                "Ask for the rest in another batch.",
            )
        except WorkerDied as error:
            failure = error
        except TooBusy as error:
            if first:
                raise
            failure = error
        return [Refused.of(failure)] * len(wanted)

    async def _here(self, wanted: Sequence[Named]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        # What an ecosystem's index touches stays in the processor's cache.
        order = sorted(range(len(wanted)), key=lambda place: wanted[place][0].ecosystem)
        for start in range(0, len(order), STEP_NAMES):
            # However many batches there are, other requests wait for one step at most.
            async with self._turn:
                for place in order[start : start + STEP_NAMES]:
                    answers[place] = self._judged(wanted[place])
                await asyncio.sleep(0)
        return [answers[place] for place in range(len(wanted))]

    def _judged(self, named: Named) -> Answer:
        engine, name = named
        try:
            result = engine.judge(Package(engine.ecosystem, name.raw), name)
        except NameRefused as error:
            return Refused.of(error)
        return self._of_kept(named, self._service.keep(engine, name, result))

    async def _there(self, wanted: Sequence[Named], *, first: bool) -> list[Answer]:
        # What lists have to say is added here: they are in this process alone.
        found = await self._by_worker(wanted, as_json=not self._knowledge, first=first)
        answers: list[Answer] = []
        for place, (one, result) in enumerate(zip(wanted, found, strict=True), start=1):
            if isinstance(result, ScanResult):
                answers.append(self._concluded(one, result))
                if place % STEP_NAMES == 0:
                    await asyncio.sleep(0)
            else:
                answers.append(result)
        return answers

    async def _by_worker(self, wanted: Sequence[Named], *, as_json: bool, first: bool) -> list[ScanResult | Answer]:
        while True:
            try:
                return await self._pool.judge(self.engines, _asked(wanted), as_json=as_json)
            except WorkersBusy:
                if first:
                    raise
                await asyncio.sleep(ROOM_SECONDS)

    def _of_kept(self, named: Named, kept: Kept) -> Answer:
        if self._knowledge:
            return self._concluded(named, kept.result)
        return Judged(kept.result.verdict.value, kept.rendered)

    def _concluded(self, named: Named, result: ScanResult) -> Answer:
        engine, name = named
        package = Package(engine.ecosystem, name.raw)
        final = conclude(replace(result, package=package), name, self._knowledge, None, self._today, engine)
        return Judged(final.verdict.value, Rendered.of(final))


def _asked(named: Sequence[Named]) -> list[Asked]:
    return [(engine.ecosystem, name.raw) for engine, name in named]
