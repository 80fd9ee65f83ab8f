"""One batch: each name judged once, answers in order, nothing held that need not be."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from typosentinel_server.batches.judge import Judge, Slot
from typosentinel_server.batches.tally import BatchTally
from typosentinel_server.batches.wire import Item, Mode, Question, error_body
from typosentinel_server.clock import Clock
from typosentinel_server.errors import DomainError, EcosystemUnknown, NameRefused
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Verdict
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.workers.slices import Judged, Refused, Written

# Answers that are kept in case that the same question comes again in the batch.
MOST_KEPT_BYTES = 16 * 2**20
MILLISECONDS = 1000.0
EACH_ANSWER_BYTES = 200

# An item and the slot of its answer, or why it can have none.
_Place = tuple[Question, Slot] | Refused
# What is counted of a judgement: by which engine, the verdict, whether it was known from before, or asked for again.
_Kind = tuple[Engine, str, bool, bool]


@dataclass(slots=True)
class _Registry:
    """What a batch has of one ecosystem: the engine, or why there is none, and the names that came so far."""

    engine: Engine | Refused
    slots: dict[str, Slot] = field(default_factory=dict)


@dataclass(slots=True)
class _Part:
    """A slice on its way: each item with the slot of its answer, and what is to be judged."""

    first: int
    places: list[_Place] = field(default_factory=list)
    fresh: list[Slot] = field(default_factory=list)


@dataclass(slots=True)
class _Counts:
    items: int = 0
    errors: int = 0
    cached: int = 0
    duplicates: int = 0
    verdicts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((v.value for v in Verdict), 0))


class Batch:
    """One batch: one set of lists from its first name to its last.

    Args:
        judge: judges its slices.
        mode: how many of them at once.
        expected: how many items it has; None where nobody knows.
        clock: times it.
        tally: counts its items.
    """

    def __init__(self, judge: Judge, mode: Mode, expected: int | None, clock: Clock, tally: BatchTally) -> None:
        self._judge = judge
        self._mode = mode
        self._expected = expected
        self._clock = clock
        self._tally = tally
        self._started = clock.monotonic()
        self._counts = _Counts()
        self._registries: dict[str, _Registry] = {}
        self._kept_bytes = 0
        self._taken = 0

    @property
    def seconds_left(self) -> float:
        """Until the batch has taken as long as it may."""
        return max(0.0, self._judge.timeout - (self._clock.monotonic() - self._started))

    async def answers(self, slices: AsyncIterator[Sequence[Item]]) -> AsyncGenerator[list[bytes], None]:
        """The answers to slices of items, in order, each a JSON object; judging goes ahead by some slices at most.

        Raises:
            TooBusy: there is no room for its first slice.
            DomainError: what `slices` raises, once everything before it is answered.
        """
        ready: asyncio.Queue[tuple[_Part, asyncio.Task[None]] | DomainError | None] = asyncio.Queue(
            1 if self._mode is Mode.SEQUENTIAL else self._judge.ahead
        )
        taking = asyncio.create_task(self._take(slices, ready))
        try:
            while (found := await ready.get()) is not None:
                if isinstance(found, DomainError):
                    raise found
                part, judging = found
                await judging
                yield self._rendered(part)
        finally:
            taking.cancel()
            while not ready.empty():
                left = ready.get_nowait()
                if isinstance(left, tuple):
                    left[1].cancel()
            await asyncio.gather(taking, return_exceptions=True)

    def summary(self, error: DomainError | None = None) -> bytes:
        """What became of the batch, as BatchSummary has it.

        Args:
            error: why it is not complete; None where it is.
        """
        counts = self._counts
        engines = (registry.engine for registry in self._registries.values())
        versions = {e.ecosystem.value: e.corpus.version for e in engines if isinstance(e, Engine)}
        body: dict[str, Any] = {
            "id": self._judge.batch_id,
            "complete": error is None,
            "items": counts.items,
            "judged": counts.items - counts.errors,
            "errors": counts.errors,
            "cached": counts.cached,
            "duplicates": counts.duplicates,
            "verdicts": counts.verdicts,
            "corpusVersions": versions,
            "durationMs": round((self._clock.monotonic() - self._started) * MILLISECONDS, 4),
            "error": None if error is None else error_body(error),
        }
        return orjson.dumps(body)

    async def _take(
        self,
        slices: AsyncIterator[Sequence[Item]],
        ready: "asyncio.Queue[tuple[_Part, asyncio.Task[None]] | DomainError | None]",
    ) -> None:
        judging: asyncio.Task[None] | None = None
        end: DomainError | None = None
        try:
            async for items in slices:
                part = self._part(items)
                judging = asyncio.create_task(self._judged(part))
                await ready.put((part, judging))
                if self._mode is Mode.SEQUENTIAL:
                    await asyncio.wait((judging,))
                judging = None
        except DomainError as error:
            end = error
        finally:
            if judging is not None:
                judging.cancel()
        await ready.put(end)

    def _part(self, items: Sequence[Item]) -> _Part:
        part = _Part(self._taken)
        self._taken += len(items)
        registries, places, fresh = self._registries, part.places, part.fresh
        for index, item in enumerate(items, part.first):
            if isinstance(item, Refused):
                places.append(item)
                continue
            registry = registries.get(item.ecosystem) or self._registry(item.ecosystem)
            engine = registry.engine
            if isinstance(engine, Refused):
                places.append(engine)
                continue
            try:
                name = parse_name(engine.ecosystem, item.name)
            except NameRefused as error:
                places.append(Refused.of(error))
                continue
            slot = registry.slots.get(name.identity)
            if slot is None:
                slot = Slot(engine, name, item.version, index)
                fresh.append(slot)
                if self._kept_bytes < MOST_KEPT_BYTES:
                    registry.slots[name.identity] = slot
            places.append((item, slot))
        return part

    def _registry(self, ecosystem: str) -> _Registry:
        try:
            engine = self._judge.engines.engine(ecosystem)
        except EcosystemUnknown as error:
            found = _Registry(Refused.of(error))
        else:
            # Two spellings of an ecosystem are one.
            found = self._registries.setdefault(engine.ecosystem.value, _Registry(engine))
        self._registries[ecosystem] = found
        return found

    async def _judged(self, part: _Part) -> None:
        if not part.fresh:
            return
        # Where nobody knows how long the batch is, it is a large one once that much of it has come.
        expected = self._taken if self._expected is None else self._expected
        await self._judge.answer(part.fresh, expected, self.seconds_left, first=part.first == 0)
        for slot in part.fresh:
            if isinstance(slot.answer, Written):
                self._kept_bytes += len(slot.answer.first)
            elif isinstance(slot.answer, Judged):
                self._kept_bytes += len(slot.answer.json.evidence) + EACH_ANSWER_BYTES

    def _rendered(self, part: _Part) -> list[bytes]:
        batch_id = self._judge.batch_id
        judged: list[_Kind] = []
        lines: list[bytes] = []
        for index, place in enumerate(part.places, part.first):
            if isinstance(place, Refused):
                lines.append(_refusal(index, place))
                continue
            item, slot = place
            answer = slot.answer or _unanswered()
            if isinstance(answer, Refused):
                lines.append(_refusal(index, answer))
                continue
            again = slot.index != index
            judged.append((slot.engine, answer.verdict, slot.cached, again))
            if isinstance(answer, Written):
                lines.append(answer.again(batch_id, index, item.name, item.version) if again else answer.first)
            else:
                cached = slot.cached or again
                seconds = 0.0 if cached else slot.seconds
                lines.append(answer.line(batch_id, index, item.name, item.version, cached=cached, seconds=seconds))
        self._count(Counter(judged), len(lines))
        return lines

    def _count(self, judged: "Counter[_Kind]", items: int) -> None:
        counts = self._counts
        errors = items - judged.total()
        counts.items += items
        counts.errors += errors
        self._tally.errors += errors
        for (engine, verdict, cached, again), count in judged.items():
            counts.verdicts[verdict] += count
            counts.cached += count * cached
            counts.duplicates += count * again
            self._tally.judged(engine.ecosystem.value, verdict, count, cached=cached or again)


def _refusal(index: int, reason: Refused) -> bytes:
    return b'{"index":%d,"error":%b}' % (index, orjson.dumps(error_body(reason)))


def _unanswered() -> Refused:
    return Refused("BATCH_ENDED", "the batch ended before this name was judged", "Ask for it in another batch.")
