"""Judging one slice of a batch: from the cache, here in small steps, or by a worker."""

import asyncio
from collections.abc import Sequence
from datetime import date

from typosentinel_server.clock import Clock
from typosentinel_server.errors import TooBusy
from typosentinel_server.scan.conclusion import conclude
from typosentinel_server.scan.model import ScanResult
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.service import ScanService
from typosentinel_server.verdictjson import Rendered
from typosentinel_server.workers.pool import Pool
from typosentinel_server.workers.slices import Answer, Asked, Judged, Refused, judge, rendered
from typosentinel_server.workers.worker import WorkerDied

# One to three milliseconds of the event loop.
STEP_NAMES = 32
# Slices of one batch that are judged ahead of the one being sent, for each worker that there may be.
AHEAD_EACH = 2
ROOM_SECONDS = 0.05


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
        self, asked: Sequence[Asked], expected: int, seconds: float, *, first: bool
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
        found: dict[Asked, tuple[Answer, bool]] = {}
        for one in asked:
            kept = self._service.recall(self.engines.engine(one[0]), one[1])
            if kept is not None:
                found[one] = (self._concluded(one, kept), True)
        wanted = [one for one in asked if one not in found]
        if wanted:
            answers = await self._fresh(wanted, expected, seconds, first=first)
            found.update((one, (answer, False)) for one, answer in zip(wanted, answers, strict=True))
        return [found[one] for one in asked]

    async def _fresh(self, wanted: Sequence[Asked], expected: int, seconds: float, *, first: bool) -> list[Answer]:
        try:
            async with asyncio.timeout(seconds):
                if expected < self._pool.settings.threshold or not self._pool.ready(self.engines):
                    return await self._here(wanted)
                return await self._there(wanted, first=first)
        except TimeoutError:
            late = Refused(
                "BATCH_TIMED_OUT",
                f"the batch took longer than {self.timeout:g} s",
                "Ask for the rest in another batch.",
            )
            return [late] * len(wanted)
        except WorkerDied as error:
            return [Refused.of(error)] * len(wanted)
        except TooBusy as error:
            if first:
                raise
            return [Refused.of(error)] * len(wanted)

    async def _here(self, wanted: Sequence[Asked]) -> list[Answer]:
        answers: list[Answer] = []
        for start in range(0, len(wanted), STEP_NAMES):
            step = wanted[start : start + STEP_NAMES]
            # However many batches there are, other requests wait for one step at most.
            async with self._turn:
                results = judge(self.engines.engine, step)
                for one, result in zip(step, results, strict=True):
                    if isinstance(result, ScanResult):
                        self._service.keep(self.engines.engine(one[0]), one[1], result)
                answers += [self._concluded(one, result) for one, result in zip(step, results, strict=True)]
                await asyncio.sleep(0)
        return answers

    async def _there(self, wanted: Sequence[Asked], *, first: bool) -> list[Answer]:
        as_json = not self._knowledge
        while True:
            try:
                found = await self._pool.judge(self.engines, wanted, as_json=as_json)
                break
            except TooBusy as error:
                if first or error.code == "WORKERS_GONE":
                    raise
                await asyncio.sleep(ROOM_SECONDS)
        answers: list[Answer] = []
        for place, (one, result) in enumerate(zip(wanted, found, strict=True), start=1):
            answers.append(self._concluded(one, result) if isinstance(result, ScanResult) else result)
            if not as_json and place % STEP_NAMES == 0:
                await asyncio.sleep(0)
        return answers

    def _concluded(self, asked: Asked, result: ScanResult | Refused) -> Answer:
        if isinstance(result, Refused) or not self._knowledge:
            return rendered(result)
        ecosystem, name = asked
        engine = self.engines.engine(ecosystem)
        parsed = parse_name(ecosystem, name)
        final = conclude(result, parsed, self._knowledge, None, self._today, engine)
        return Judged(final.verdict.value, Rendered.of(final))
