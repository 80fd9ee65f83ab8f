"""What is dear, without a Redis: made once, kept, answered stale for a while."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from running import StillClock
from typosentinel_server.cache.copies import Copy, Lifetimes, Tier
from typosentinel_server.cache.invalidation import Invalidation, InvalidationLog
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.cache.names import Kind
from typosentinel_server.cache.singleflight import SingleFlight
from typosentinel_server.cache.tiered import MAX_BACKGROUND, RETRY_SECONDS, TieredCache
from typosentinel_server.errors import InvalidRequest

NAME = "evidence/registry/PyPI/requests"


class Origin:
    """Makes values, counts them, fails or waits when told."""

    def __init__(self) -> None:
        self.calls = 0
        self.broken = False
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self) -> bytes:
        """Makes one."""
        self.calls += 1
        await self.go.wait()
        if self.broken:
            raise RuntimeError("broken")
        return b"%d" % self.calls


def make(still: StillClock, entries: int = 100, fresh: float = 10.0, stale: float = 5.0) -> TieredCache:
    """A cache in memory alone."""
    memory: MemoryCache[str, Copy] = MemoryCache(entries, 1.0, still.clock.monotonic)
    return TieredCache(memory, Lifetimes(fresh, fresh, stale), InvalidationLog(), still.clock)


async def settled(condition: Callable[[], bool]) -> None:
    """Lets tasks run until something holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def test_made_once_then_answered_from_memory(still: StillClock) -> None:
    """With its age and where it came from."""
    cache, origin = make(still), Origin()
    first = await cache.fetch(NAME, origin)
    still.seconds += 4
    second = await cache.fetch(NAME, origin)

    assert (first.value, first.age, first.tier, first.stale) == (b"1", 0.0, Tier.ORIGIN, False)
    assert (second.value, second.age, second.tier, second.stale) == (b"1", 4.0, Tier.EVIDENCE, False)
    assert cache.statistics.requests == {"hit": 1, "stale": 0, "miss": 1, "off": 0}
    assert cache.made == {"done": 1, "failed": 0}


async def test_what_is_over_its_time_is_answered_and_made_anew_once(still: StillClock) -> None:
    """Five hundred callers get it at once, and one asks the origin."""
    cache, origin = make(still), Origin()
    await cache.fetch(NAME, origin)
    still.seconds += 11
    origin.go.clear()
    found = await asyncio.gather(*(cache.fetch(NAME, origin) for _ in range(500)))

    assert all(one.stale and one.value == b"1" and one.age == 11 for one in found)
    await settled(lambda: origin.calls == 2)
    origin.go.set()
    await settled(lambda: cache.revalidations["done"] == 1)
    new = await cache.fetch(NAME, origin)
    assert (new.value, new.stale, origin.calls) == (b"2", False, 2)


async def test_an_origin_that_fails_keeps_what_is_stale_until_its_last_second(still: StillClock) -> None:
    """It is not asked more than once a second meanwhile, and after that its error is everybody's."""
    cache, origin = make(still), Origin()
    await cache.fetch(NAME, origin)
    origin.broken = True
    still.seconds += 10
    for number in range(1, 5):
        for _ in range(100):
            assert (await cache.fetch(NAME, origin)).stale
        await settled(lambda: len(cache._flights) == 0)
        assert origin.calls == 1 + number == 1 + cache.revalidations["failed"]
        still.seconds += RETRY_SECONDS
    still.seconds += 1

    with pytest.raises(RuntimeError, match="broken"):
        await cache.fetch(NAME, origin)
    origin.broken = False
    assert (await cache.fetch(NAME, origin)).age == 0


async def test_callers_at_the_same_time_share_the_work_and_the_error(still: StillClock) -> None:
    """An error is not kept."""
    cache, origin = make(still), Origin()
    origin.broken = True
    found = await asyncio.gather(*(cache.fetch(NAME, origin) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(one, RuntimeError) for one in found)
    assert (origin.calls, cache.joined) == (1, 49)
    origin.broken = False

    assert (await cache.fetch(NAME, origin)).value == b"2"


async def test_a_cancelled_leader_takes_nothing_from_the_others(still: StillClock) -> None:
    """Nor from who comes later."""
    cache, origin = make(still), Origin()
    origin.go.clear()
    leader, *others = [asyncio.create_task(cache.fetch(NAME, origin)) for _ in range(5)]
    await settled(lambda: origin.calls == 1)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    origin.go.set()

    assert [(await other).value for other in others] == [b"1"] * 4
    assert (await cache.fetch(NAME, origin)).tier is Tier.EVIDENCE


async def test_what_nobody_waits_for_any_more_is_still_kept(still: StillClock) -> None:
    """The next caller has it."""
    cache, origin = make(still), Origin()
    origin.go.clear()
    only = asyncio.create_task(cache.fetch(NAME, origin))
    await settled(lambda: origin.calls == 1)
    only.cancel()
    origin.go.set()
    await settled(lambda: cache.made["done"] == 1)

    assert (await cache.fetch(NAME, origin)).tier is Tier.EVIDENCE


@pytest.mark.parametrize(
    ("kind", "text"), [(Kind.ALL, ""), (Kind.KEY, NAME), (Kind.PATTERN, "*/PyPI/*"), (Kind.TAG, "corpus/PyPI/1")]
)
async def test_what_is_invalidated_is_made_again(still: StillClock, kind: Kind, text: str) -> None:
    """Also what was being made when it was invalidated."""
    cache, origin = make(still), Origin()
    tags = ("corpus/PyPI/1",)
    await cache.fetch(NAME, origin, tags)
    cache.log.add(Invalidation(1, kind, text))
    origin.go.clear()
    second = asyncio.create_task(cache.fetch(NAME, origin, tags))
    await settled(lambda: origin.calls == 2)
    cache.log.add(Invalidation(2, kind, text))
    origin.go.set()

    assert (await second).value == b"2"
    assert (await cache.fetch(NAME, origin, tags)).value == b"3"
    assert (await cache.fetch(NAME, origin, tags)).tier is Tier.EVIDENCE


async def test_only_so_many_are_made_anew_in_the_background(still: StillClock) -> None:
    """The others stay stale until there is room."""
    cache, origin = make(still, entries=500), Origin()
    names = [f"evidence/{n}" for n in range(MAX_BACKGROUND + 10)]
    for name in names:
        await cache.fetch(name, origin)
    still.seconds += 11
    origin.go.clear()
    assert all([(await cache.fetch(name, origin)).stale for name in names])
    assert cache.revalidations["skipped"] == 10
    origin.go.set()
    await settled(lambda: cache.revalidations["done"] == MAX_BACKGROUND)


async def test_without_memory_work_is_still_shared(still: StillClock) -> None:
    """And counted as a tier that is off."""
    cache, origin = make(still, entries=0), Origin()
    await asyncio.gather(*(cache.fetch(NAME, origin) for _ in range(5)))

    assert origin.calls == 1
    assert cache.statistics.requests["off"] == 5
    await cache.fetch(NAME, origin)
    assert origin.calls == 2


@pytest.mark.parametrize(("name", "tags"), [("", ()), ("x" * 600, ()), ("a", ("",)), ("a", ("t",) * 17), ("ä", ())])
async def test_names_and_tags_have_a_form(still: StillClock, name: str, tags: tuple[str, ...]) -> None:
    """Nothing else is kept, and nothing is made for it."""
    cache, origin = make(still), Origin()
    with pytest.raises(InvalidRequest):
        await cache.fetch(name, origin, tags)
    with pytest.raises(InvalidRequest):
        await cache.put(name, b"", tags)
    assert origin.calls == 0


async def test_put_and_get(still: StillClock) -> None:
    """What was made elsewhere; looking counts nothing."""
    cache = make(still)
    await cache.put(NAME, b"v", ("x",))
    still.seconds += 12
    found = await cache.get(NAME)

    assert found is not None
    assert (found.value, found.age, found.stale) == (b"v", 12.0, True)
    assert sum(cache.statistics.requests.values()) == 0
    still.seconds += 4
    assert await cache.get(NAME) is None


async def test_closing_ends_what_is_being_made(still: StillClock) -> None:
    """Whoever waits is cancelled."""
    cache, origin = make(still), Origin()
    origin.go.clear()
    waiting = asyncio.create_task(cache.fetch(NAME, origin))
    await settled(lambda: origin.calls == 1)
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_flights_end_where_they_began() -> None:
    """A flight that is over is not joined, whatever came of it."""
    flights: SingleFlight[int] = SingleFlight()
    results = iter([1, 2])

    async def work() -> int:
        await asyncio.sleep(0)
        return next(results)

    both: list[Awaitable[int]] = [flights.run("a", work), flights.run("a", work)]
    assert await asyncio.gather(*both) == [1, 1]
    assert ("a" in flights, len(flights), flights.joined) == (False, 0, 1)
    assert await flights.run("a", work) == 2
