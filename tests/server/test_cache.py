"""The verdict cache: use, age, bounds."""

from running import StillClock
from typosentinel_server.cache import MemoryCache


def make(still: StillClock, entries: int = 2, ttl: float = 10.0) -> MemoryCache[str, int]:
    """A small cache on a clock that stands."""
    return MemoryCache(entries, ttl, still.clock.monotonic)


def test_least_recently_used_goes_first(still: StillClock) -> None:
    """Asking for an entry counts as using it."""
    cache = make(still)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)

    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert cache.statistics.evictions == {"size": 1, "ttl": 0, "resize": 0}


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
    """Fewer entries: the least recently used go. A shorter life: older entries are over."""
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
