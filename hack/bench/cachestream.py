"""Streams of names as caches see them, and what caches make of them."""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.cache.names import evidence_name
from typosentinel_server.cache.records import Record
from typosentinel_server.clock import Clock

NAMES = 200_000
EXPONENT = 1.1
ENTRIES = 10_000
REQUESTS = 1_000_000
CHUNK = 10_000
SEED = 20261121


@dataclass
class Hand:
    """A clock that is moved by hand."""

    seconds: float

    @property
    def clock(self) -> Clock:
        """Both clocks."""
        return Clock(wall=lambda: self.seconds, monotonic=lambda: self.seconds)


def weights() -> list[float]:
    """How often each name is asked for, the most frequent first; they sum up to 1."""
    raw = [rank**-EXPONENT for rank in range(1, NAMES + 1)]
    total = sum(raw)
    return [weight / total for weight in raw]


def stream(chances: Sequence[float], count: int, seed: int = SEED) -> Iterator[int]:
    """Numbers of names, 0 the most frequent."""
    rng = random.Random(seed)  # noqa: S311 - the same in every run
    cumulated = list(accumulate(chances))
    for _ in range(0, count, CHUNK):
        yield from rng.choices(range(len(chances)), cum_weights=cumulated, k=CHUNK)


def l1_hit_rate(numbers: Sequence[int]) -> float:
    """Share of look-ups that our cache in memory answers, from an empty cache on."""
    cache: MemoryCache[int, int] = MemoryCache(ENTRIES, 1e9, lambda: 0.0)
    for number in numbers:
        if cache.get(number) is None:
            cache.put(number, number)
    return cache.statistics.hit_rate or 0.0


def lru_hit_rate(numbers: Sequence[int]) -> float:
    """The same for one that forgets what was used least recently."""
    held: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for number in numbers:
        if number in held:
            held.move_to_end(number)
            hits += 1
        else:
            held[number] = None
            if len(held) > ENTRIES:
                held.popitem(last=False)
    return hits / len(numbers)


def l1_us(numbers: Sequence[int]) -> float:
    """Microseconds of a hit in memory, the loop around it included; names and their order are the stream's."""
    cache: MemoryCache[tuple[str, str], int] = MemoryCache(ENTRIES, 1e9, time.monotonic)
    keys = [("PyPI", f"package-{number}") for number in numbers if number < ENTRIES]
    for key in keys:
        cache.put(key, 1)
    started = time.perf_counter()
    for key in keys:
        cache.get(key)
    return (time.perf_counter() - started) / len(keys) * 1e6


def name_of(number: int) -> str:
    """What the evidence about a package is called."""
    return evidence_name("registry", "PyPI", f"package-{number}")


async def steady(caches: Caches, chances: Sequence[float], rate: float, now: float, value: bytes) -> int:
    """Puts into Redis what is there after days of such a stream; how many records.

    A name that is asked for at a rate r and kept for the time T is there with the chance rT / (1 + rT), and then of any
    age up to T.
    """
    rng = random.Random(SEED)  # noqa: S311 - as above
    side = caches.redis
    if side is None:
        raise ValueError("there is no Redis")
    fresh = caches.dear.lifetimes.fresh
    stored = 0
    for number, chance in enumerate(chances):
        asked = chance * rate * fresh
        if rng.random() < asked / (1 + asked):
            made = now - rng.random() * fresh
            record = Record(name_of(number), value, (), made, made + fresh, caches.log.latest)
            stored += await side.tier.put(record, now)
    return stored


async def fleet_hit_rate(
    fleet: Sequence[Caches],
    numbers: Sequence[int],
    make: Callable[[str], Awaitable[bytes]],
    hand: Hand,
    rate: float,
    callers: int,
) -> float:
    """Share of requests for which no provider was asked, while replicas take turns in answering them.

    A revalidation in the background counts as asked, too. The clock goes on by 1/rate seconds with each request.
    """
    before = sum(caches.dear.made["done"] for caches in fleet)
    turns = iter(enumerate(numbers))

    async def call() -> None:
        for turn, number in turns:
            hand.seconds += 1 / rate
            name = name_of(number)
            await fleet[turn % len(fleet)].dear.fetch(name, lambda name=name: make(name))  # type: ignore[misc]

    await asyncio.gather(*(call() for _ in range(callers)))
    await asyncio.sleep(0.1)
    return 1 - (sum(caches.dear.made["done"] for caches in fleet) - before) / len(numbers)
