"""One batch: each name judged once, answers in order, nothing held that need not be."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from typosentinel_server.batches.judge import Judge, Named
from typosentinel_server.batches.tally import BatchTally
from typosentinel_server.batches.wire import Item, Mode, error_body
from typosentinel_server.clock import Clock
from typosentinel_server.errors import DomainError, EcosystemUnknown, NameRefused
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Ecosystem, Verdict
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.workers.slices import Answer, Judged, Refused

# Answers that are kept in case that the same question comes again in the batch.
MOST_KEPT_BYTES = 16 * 2**20
MILLISECONDS = 1000.0
EACH_ANSWER_BYTES = 200


@dataclass(slots=True)
class _Slot:
    """The place of an answer that several items may share."""

    named: Named | None = None
    answer: Answer | None = None
    seconds: float = 0.0
    cached: bool = False


@dataclass(slots=True)
class _Part:
    """A slice on its way: for each item the slot of its answer, which places share one, and what is to be judged."""

    first: int
    items: Sequence[Item]
    slots: list[_Slot]
    again: set[int]
    fresh: list[_Slot]


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
        batch_id: a part of every answer's id.
        judge: judges its slices.
        mode: how many of them at once.
        expected: how many items it has; None where nobody knows.
        clock: times it.
        tally: counts its items.
    """

    def __init__(
        self, batch_id: str, judge: Judge, mode: Mode, expected: int | None, clock: Clock, tally: BatchTally
    ) -> None:
        self._id = batch_id
        self._judge = judge
        self._mode = mode
        self._expected = expected
        self._clock = clock
        self._tally = tally
        self._started = clock.monotonic()
        self._counts = _Counts()
        self._engines: dict[str, Engine | Refused] = {}
        self._slots: dict[tuple[Ecosystem, str], _Slot] = {}
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
        versions = {e.ecosystem.value: e.corpus.version for e in self._engines.values() if isinstance(e, Engine)}
        body: dict[str, Any] = {
            "id": self._id,
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
        part = _Part(self._taken, items, [], set(), [])
        self._taken += len(items)
        for place, item in enumerate(items):
            named = self._named(item)
            if isinstance(named, Refused):
                part.slots.append(_Slot(answer=named))
                continue
            key = (named[0].ecosystem, named[1].identity)
            slot = self._slots.get(key)
            if slot is not None:
                part.again.add(place)
            else:
                slot = _Slot(named)
                if self._kept_bytes < MOST_KEPT_BYTES:
                    self._slots[key] = slot
                part.fresh.append(slot)
            part.slots.append(slot)
        return part

    def _named(self, item: Item) -> Named | Refused:
        if isinstance(item, Refused):
            return item
        engine = self._engines.get(item.ecosystem) or self._engine(item.ecosystem)
        if isinstance(engine, Refused):
            return engine
        try:
            return engine, parse_name(engine.ecosystem, item.name)
        except NameRefused as error:
            return Refused.of(error)

    def _engine(self, ecosystem: str) -> Engine | Refused:
        found: Engine | Refused
        try:
            found = self._judge.engines.engine(ecosystem)
        except EcosystemUnknown as error:
            found = Refused.of(error)
        self._engines[ecosystem] = found
        return found

    async def _judged(self, part: _Part) -> None:
        if not part.fresh:
            return
        # Where nobody knows how long the batch is, it is a large one once that much of it has come.
        expected = self._taken if self._expected is None else self._expected
        started = self._clock.monotonic()
        wanted = [slot.named for slot in part.fresh if slot.named is not None]
        found = await self._judge.slice(wanted, expected, self.seconds_left, first=part.first == 0)
        each = (self._clock.monotonic() - started) / len(part.fresh)
        for slot, (answer, cached) in zip(part.fresh, found, strict=True):
            slot.answer, slot.cached, slot.seconds = answer, cached, 0.0 if cached else each
            if isinstance(answer, Judged):
                self._kept_bytes += len(answer.json.evidence) + EACH_ANSWER_BYTES

    def _rendered(self, part: _Part) -> list[bytes]:
        counts, verdicts = self._counts, self._counts.verdicts
        judged = self._tally.judged
        lines: list[bytes] = []
        index, again = part.first, part.again
        for place, (item, slot) in enumerate(zip(part.items, part.slots, strict=True)):
            answer, named = slot.answer, slot.named
            if named is None or isinstance(item, Refused) or not isinstance(answer, Judged):
                counts.errors += 1
                self._tally.errors += 1
                reason = answer if isinstance(answer, Refused) else _unanswered()
                lines.append(b'{"index":%d,"error":%b}' % (index + place, orjson.dumps(error_body(reason))))
                continue
            cached = slot.cached
            counts.cached += cached
            if place in again:
                counts.duplicates += 1
                cached = True
            verdict = answer.verdict
            verdicts[verdict] += 1
            judged(named[0].ecosystem.value, verdict, cached=cached)
            body = answer.json.bytes(
                scan_id=f"{self._id}-{index + place}",
                name=item.name,
                version=item.version,
                cached=cached,
                seconds=0.0 if cached else slot.seconds,
            )
            lines.append(b'{"index":%d,"result":%b}' % (index + place, body))
        counts.items += len(lines)
        return lines


def _unanswered() -> Refused:
    return Refused("BATCH_ENDED", "the batch ended before this name was judged", "Ask for it in another batch.")
