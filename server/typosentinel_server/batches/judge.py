"""Judging one slice of a batch: from the cache, here in small steps, or by a worker."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from typosentinel_server.clock import Clock
from typosentinel_server.errors import DomainError, NameRefused, TooBusy
from typosentinel_server.scan.conclusion import conclude
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Package, ScanResult
from typosentinel_server.scan.naming import Name
from typosentinel_server.service import Kept, ScanService
from typosentinel_server.verdictjson import Rendered
from typosentinel_server.workers.pipe import WorkerDied
from typosentinel_server.workers.pool import Pool
from typosentinel_server.workers.slices import Answer, Answers, Asked, Judged, Refused
from typosentinel_server.workers.staff import WorkersBusy

# Three to five milliseconds of the event loop for names that resemble nothing, ten for those with findings. Half as
# many would cost a batch a few percent: between steps the processor's cache is filled with other things.
STEP_NAMES = 128
# Slices of one batch that are judged ahead of the one being sent, for each worker that there may be.
AHEAD_EACH = 2
ROOM_SECONDS = 0.05


@dataclass(slots=True)
class Slot:
    """A name of a batch and what becomes of it. Items that spell the same name share it.

    Attributes:
        engine: that of its ecosystem.
        name: as the item that came first spells it.
        version: the one that this item gave.
        index: the place of this item in the batch.
        answer: None until it is judged.
        seconds: how long that took.
        cached: whether the answer was known from before.
    """

    engine: Engine
    name: Name
    version: str | None
    index: int
    answer: Answer | None = None
    seconds: float = 0.0
    cached: bool = False


class Judge:
    """Judges the slices of one batch with the lists that were in use when it began.

    Args:
        batch_id: its own.
        service: the lists and the cache.
        pool: the workers.
        turn: held by the one slice of all batches that is judged in the event loop's thread.
        clock: times the wait for a worker.
        today: the date in UTC, for expiries.
    """

    def __init__(
        self, batch_id: str, service: ScanService, pool: Pool, turn: asyncio.Lock, clock: Clock, today: date
    ) -> None:
        self.batch_id = batch_id
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

    async def answer(self, slots: Sequence[Slot], expected: int, seconds: float, *, first: bool) -> None:
        """Answers names; one that cannot be judged is answered with the reason.

        Args:
            slots: the names, each once.
            expected: how many the batch has.
            seconds: that are left for it.
            first: whether nothing of the batch has been answered yet.

        Raises:
            TooBusy: no room for the first slice; later ones wait for some.
        """
        wanted: list[Slot] = []
        for slot in slots:
            kept = self._service.recall(slot.engine, slot.name)
            if kept is None:
                wanted.append(slot)
            else:
                slot.answer, slot.cached = self._of_kept(slot, kept), True
        if not wanted:
            return
        started = self._clock.monotonic()
        failure = await self._attempt(wanted, expected, seconds, first=first)
        each = (self._clock.monotonic() - started) / len(wanted)
        for slot in wanted:
            slot.seconds = each
            if slot.answer is None and failure is not None:
                slot.answer = Refused.of(failure)

    async def _attempt(
        self, wanted: Sequence[Slot], expected: int, seconds: float, *, first: bool
    ) -> DomainError | None:
        # What could not be judged is left without an answer, and the reason is returned.
        try:
            async with asyncio.timeout(seconds):
                if expected < self._pool.settings.threshold or not self._pool.ready(self.engines):
                    await self._here(wanted)
                else:
                    await self._there(wanted, first=first)
        except TimeoutError:
            return DomainError(
                "BATCH_TIMED_OUT",
                f"the batch took longer than {self.timeout:g} s",
                "Ask for the rest in another batch.",
            )
        except WorkerDied as error:
            return error
        except TooBusy as error:
            if first:
                raise
            return error
        return None

    async def _here(self, wanted: Sequence[Slot]) -> None:
        # What an ecosystem's index touches stays in the processor's cache.
        order = sorted(wanted, key=lambda slot: slot.engine.ecosystem)
        for start in range(0, len(order), STEP_NAMES):
            # However many batches there are, other requests wait for one step at most.
            async with self._turn:
                self._step(order[start : start + STEP_NAMES])
                await asyncio.sleep(0)

    def _step(self, slots: Sequence[Slot]) -> None:
        # Nothing else is done between two names: what the engine reads is still in the processor's cache.
        found = [_judged(slot) for slot in slots]
        for slot, result in zip(slots, found, strict=True):
            if isinstance(result, Refused):
                slot.answer = result
            else:
                slot.answer = self._of_kept(slot, self._service.keep(slot.engine, slot.name, result))

    async def _there(self, wanted: Sequence[Slot], *, first: bool) -> None:
        found = await self._by_worker([_asked(slot) for slot in wanted], first=first)
        for place, (slot, answer) in enumerate(zip(wanted, found, strict=True), start=1):
            if isinstance(answer, ScanResult):
                # What lists have to say is added here: they are in this process alone.
                slot.answer = self._concluded(slot, answer)
                if place % STEP_NAMES == 0:
                    await asyncio.sleep(0)
            else:
                slot.answer = answer

    async def _by_worker(self, asked: Sequence[Asked], *, first: bool) -> Answers:
        batch_id = None if self._knowledge else self.batch_id
        while True:
            try:
                return await self._pool.judge(self.engines, asked, batch_id)
            except WorkersBusy:
                if first:
                    raise
                await asyncio.sleep(ROOM_SECONDS)

    def _of_kept(self, slot: Slot, kept: Kept) -> Judged:
        if self._knowledge:
            return self._concluded(slot, kept.result)
        return Judged(kept.result.verdict.value, kept.rendered)

    def _concluded(self, slot: Slot, result: ScanResult) -> Judged:
        engine, name = slot.engine, slot.name
        package = Package(engine.ecosystem, name.raw)
        final = conclude(replace(result, package=package), name, self._knowledge, None, self._today, engine)
        return Judged(final.verdict.value, Rendered.of(final))


def _judged(slot: Slot) -> ScanResult | Refused:
    engine, name = slot.engine, slot.name
    try:
        return engine.judge(Package(engine.ecosystem, name.raw), name)
    except NameRefused as error:
        return Refused.of(error)


def _asked(slot: Slot) -> Asked:
    return slot.engine.ecosystem, slot.name.raw, slot.version, slot.index
