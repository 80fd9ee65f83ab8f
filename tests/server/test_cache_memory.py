"""The cache in memory: use, age, bounds."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from running import StillClock
from typosentinel_server.cache import MemoryCache


def make(still: StillClock, entries: int = 2, ttl: float = 10.0) -> MemoryCache[str, int]:
    """A small cache on a clock that stands."""
    return MemoryCache(entries, ttl, still.clock.monotonic)


def test_what_was_not_used_goes_first(still: StillClock) -> None:
    """Asking for an entry counts as using it."""
    cache = make(still)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)

    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert cache.statistics.evictions == {"size": 1, "ttl": 0, "resize": 0, "invalidated": 0}


def test_nothing_outlives_its_time(still: StillClock) -> None:
    """An entry is good for just under its time to live, however often it is used."""
    cache = make(still)
    cache.put("a", 1)
    still.seconds += 9.99
    assert cache.get("a") == 1
    still.seconds += 0.01

    assert cache.get("a") is None
    assert len(cache) == 0
    assert cache.statistics.evictions["ttl"] == 1
    assert cache.statistics.requests == {"hit": 1, "miss": 1, "off": 0}


def test_putting_again_renews(still: StillClock) -> None:
    """A new value starts a new life."""
    cache = make(still)
    cache.put("a", 1)
    still.seconds += 9
    cache.put("a", 2)
    still.seconds += 9

    assert cache.get("a") == 2


def test_other_bounds_take_effect_at_once(still: StillClock) -> None:
    """Fewer entries: the oldest unused go. A shorter life: older entries are over."""
    cache = make(still, entries=3)
    for n, key in enumerate("abc"):
        cache.put(key, n)
    cache.configure(1, 10.0)
    assert (len(cache), cache.get("c")) == (1, 2)
    assert cache.statistics.evictions["resize"] == 2
    still.seconds += 5
    cache.configure(1, 5.0)

    assert cache.get("c") is None
    assert (cache.max_entries, cache.ttl) == (1, 5.0)


def test_no_entries_switch_it_off(still: StillClock) -> None:
    """Nothing is kept and the look-ups are counted apart."""
    cache = make(still, entries=0)
    cache.put("a", 1)

    assert cache.get("a") is None
    assert cache.statistics.requests == {"hit": 0, "miss": 0, "off": 1}


def zipf(names: int, exponent: float, seed: int) -> Iterator[int]:
    """An endless stream of numbers, of which the first are the most frequent."""
    weights = [rank**-exponent for rank in range(1, names + 1)]
    rng = random.Random(seed)  # noqa: S311 - a stream that is the same in every run
    while True:
        yield from rng.choices(range(names), weights, k=10_000)


def test_it_comes_close_to_a_perfect_choice(still: StillClock) -> None:
    """On a Zipf stream it hits as often as 0.93 of a cache that knows beforehand what will be asked for most."""
    names, entries = 20_000, 1_000
    cache: MemoryCache[int, int] = MemoryCache(entries, 1e9, still.clock.monotonic)
    hits = asked = 0
    for key in zipf(names, 1.1, seed=5):
        hits += cache.get(key) is not None
        cache.put(key, key)
        asked += 1
        if asked == 100_000:
            break
    weights = [rank**-1.1 for rank in range(1, names + 1)]

    assert hits / asked >= 0.93 * sum(weights[:entries]) / sum(weights)


def test_a_scan_through_many_names_does_not_wash_out_what_is_used(still: StillClock) -> None:
    """Names that are asked for once go before those that are asked for again and again."""
    cache = make(still, entries=100)
    for key in map(str, range(50)):
        cache.put(key, 1)
        cache.get(key)
    for n in range(1000):
        cache.put(f"once-{n}", n)

    assert all(cache.get(str(n)) == 1 for n in range(50))


def test_bytes_bound_it_as_well(still: StillClock) -> None:
    """Room is made until the new entry fits; one that is larger than all the room is not kept, nor what it replaces."""
    cache: MemoryCache[str, int] = MemoryCache(100, 10.0, still.clock.monotonic, max_bytes=1000)
    for key in "abcd":
        cache.put(key, 1, 300)
    assert (len(cache), cache.bytes) == (3, 900)
    cache.put("d", 2, 1001)

    assert cache.get("d") is None
    assert cache.bytes == 600


def test_another_size_counts_at_once(still: StillClock) -> None:
    """A value that has grown drives others out."""
    cache: MemoryCache[str, int] = MemoryCache(100, 10.0, still.clock.monotonic, max_bytes=1000)
    for key in "abc":
        cache.put(key, 1, 300)
    cache.put("c", 2, 900)

    assert cache.bytes <= 1000
    cache.configure(100, 10.0, 500)
    assert cache.bytes <= 500


def test_dropping(still: StillClock) -> None:
    """One key, those that a predicate picks, everything; all are counted."""
    cache = make(still, entries=10)
    for n, key in enumerate("abcdef"):
        cache.put(key, n)

    assert (cache.drop("a"), cache.drop("a")) == (True, False)
    assert cache.drop_where(lambda key, value: key == "b" or value == 2) == 2
    assert [cache.peek(key) for key in "abcdef"] == [None, None, None, 3, 4, 5]
    assert cache.clear() == 3
    assert (len(cache), cache.bytes) == (0, 0)
    assert cache.statistics.evictions["invalidated"] == 6
    assert cache.statistics.requests == {"hit": 0, "miss": 0, "off": 0}


def test_entries_that_die_young_leave_nothing_behind(still: StillClock) -> None:
    """However often names expire and come back, the queues stay as short as the cache is."""
    cache = make(still, entries=1000, ttl=1.0)
    for _ in range(100):
        for key in map(str, range(20)):
            if cache.get(key) is None:
                cache.put(key, 1)
        still.seconds += 2

    assert len(cache._short) + len(cache._long) < 200


def test_statistics(still: StillClock) -> None:
    """What it holds, what it may hold, and how often it had what was wanted."""
    cache: MemoryCache[str, int] = MemoryCache(5, 10.0, still.clock.monotonic, max_bytes=100)
    assert cache.statistics.hit_rate is None
    cache.put("a", 1, 7)
    for key in "aab":
        cache.get(key)
    found = cache.statistics

    assert (found.entries, found.bytes, found.max_entries, found.max_bytes, found.ttl) == (1, 7, 5, 100, 10.0)
    assert found.hit_rate == pytest.approx(2 / 3)


ACTS = st.tuples(st.sampled_from(["get", "put", "drop", "wait", "resize"]), st.integers(0, 12), st.integers(0, 40))


@given(st.lists(ACTS, max_size=120))
def test_it_never_holds_more_than_it_may_nor_tells_what_is_not_so(acts: list[tuple[str, int, int]]) -> None:
    """Beside a plain dictionary that forgets nothing: whatever it answers was put last under that key, in time."""
    still = StillClock()
    cache: MemoryCache[int, int] = MemoryCache(6, 10.0, still.clock.monotonic, max_bytes=100)
    last: dict[int, tuple[int, float]] = {}
    for number, (act, key, size) in enumerate(acts):
        if act == "put":
            cache.put(key, number, size)
            last[key] = (number, still.seconds)
        elif act == "drop":
            cache.drop(key)
            last.pop(key, None)
        elif act == "wait":
            still.seconds += size / 4
        elif act == "resize":
            cache.configure(key, 10.0, size * 4)
        else:
            found = cache.get(key)
            value, since = last.get(key, (None, 0.0))
            assert found is None or (found == value and still.seconds - since < 10)
        assert len(cache) <= cache.max_entries
        assert not cache.max_bytes or cache.bytes <= cache.max_bytes
        assert cache.bytes == sum(entry.size for entry in cache._entries.values())
        assert cache._short_entries == sum(not entry.long for entry in cache._entries.values())
