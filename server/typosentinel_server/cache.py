"""The verdict cache in memory: least recently used goes first, and nothing outlives its time to live."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar


@dataclass(slots=True)
class CacheStatistics:
    """What happened since the cache was made.

    Attributes:
        requests: look-ups by result: hit, miss, or off where the cache is switched off.
        evictions: entries dropped by reason: size, ttl or resize.
    """

    requests: dict[str, int] = field(default_factory=lambda: {"hit": 0, "miss": 0, "off": 0})
    evictions: dict[str, int] = field(default_factory=lambda: {"size": 0, "ttl": 0, "resize": 0})


K = TypeVar("K")
V = TypeVar("V")


class MemoryCache(Generic[K, V]):
    """A bounded map with a time to live. For one thread.

    Args:
        max_entries: entries kept at once; 0 switches the cache off.
        ttl: seconds that an entry stays good, counted from when it was put in.
        monotonic: the clock, in seconds.
    """

    def __init__(self, max_entries: int, ttl: float, monotonic: Callable[[], float]) -> None:
        self.statistics = CacheStatistics()
        self._max_entries = max_entries
        self._ttl = ttl
        self._monotonic = monotonic
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def max_entries(self) -> int:
        """Entries kept at once at most."""
        return self._max_entries

    @property
    def ttl(self) -> float:
        """Seconds that an entry stays good."""
        return self._ttl

    def get(self, key: K) -> V | None:
        """The value under a key, which counts as a use; None where there is none or it is too old."""
        if self._max_entries == 0:
            self.statistics.requests["off"] += 1
            return None
        held = self._entries.get(key)
        if held is not None and self._monotonic() - held[0] >= self._ttl:
            del self._entries[key]
            self.statistics.evictions["ttl"] += 1
            held = None
        if held is None:
            self.statistics.requests["miss"] += 1
            return None
        self._entries.move_to_end(key)
        self.statistics.requests["hit"] += 1
        return held[1]

    def put(self, key: K, value: V) -> None:
        """Keeps a value; the least recently used goes where there is no room."""
        if self._max_entries == 0:
            return
        self._entries[key] = (self._monotonic(), value)
        self._entries.move_to_end(key)
        self._shrink("size")

    def peek(self, key: K) -> tuple[float, V] | None:
        """Age in seconds and value of an entry that is still good, which counts as no use; None where there is none."""
        held = self._entries.get(key)
        if held is None or (age := self._monotonic() - held[0]) >= self._ttl:
            return None
        return age, held[1]

    def discard(self, key: K) -> bool:
        """Drops an entry; whether there was one."""
        return self._entries.pop(key, None) is not None

    def clear(self) -> int:
        """Drops all entries; how many there were."""
        count = len(self._entries)
        self._entries.clear()
        return count

    def all_keys(self) -> list[K]:
        """The keys of all entries."""
        return list(self._entries)

    def configure(self, max_entries: int, ttl: float) -> None:
        """Takes other bounds; entries that are within them stay, ages count from when they were put in."""
        self._max_entries = max_entries
        self._ttl = ttl
        self._shrink("resize")

    def _shrink(self, reason: str) -> None:
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
            self.statistics.evictions[reason] += 1
