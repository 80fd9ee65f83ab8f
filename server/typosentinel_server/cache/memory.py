"""A bounded map in memory that keeps what is asked for often (S3-FIFO; docs/adr/0015 says why).

New entries wait in a short queue, and only those that were used by its end go on into the long one. Nothing is moved
when an entry is used: a hit costs a look-up and a count. Yang et al., "FIFO queues are all you need" (SOSP 2023).
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from typosentinel_server.cache.statistics import CacheStatistics

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# The short queue holds a twentieth. Uses are counted up to seven: the more, the closer to the most often used, and
# the slower to forget. Both were tried on a Zipf stream.
SHORT_SHARE: Final = 20
MAX_USES: Final = 7
# How many entries one eviction spares at most, so that no put ever takes long.
MAX_SPARED: Final = 512
MIN_DEAD: Final = 64


class Entry(Generic[K, V]):
    """One entry. `until` is when its time is over; `uses` is below zero once it is dead."""

    __slots__ = ("key", "long", "since", "size", "until", "uses", "value")

    def __init__(self, key: K, value: V, size: int, since: float, until: float) -> None:
        self.key = key
        self.value = value
        self.size = size
        self.since = since
        self.until = until
        self.uses = 0
        self.long = False


class MemoryCache(Generic[K, V]):
    """A bounded map with a time to live. For one thread.

    Args:
        max_entries: entries kept at once; 0 switches the cache off.
        ttl: seconds that an entry stays good, counted from when it was put in.
        monotonic: the clock, in seconds.
        max_bytes: bytes kept at once, by the sizes that are given with the entries; 0: no such bound.
    """

    def __init__(self, max_entries: int, ttl: float, monotonic: Callable[[], float], max_bytes: int = 0) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._monotonic = monotonic
        self._entries: dict[K, Entry[K, V]] = {}
        self._short: deque[Entry[K, V]] = deque()
        self._long: deque[Entry[K, V]] = deque()
        # Hashes of keys that left the short queue unused; who comes back from there goes into the long one at once.
        self._left: set[int] = set()
        self._left_order: deque[int] = deque()
        self._bytes = 0
        self._short_entries = 0
        self._short_bytes = 0
        self._dead = 0
        self._hits = 0
        self._misses = 0
        self._off = 0
        self._evictions = {"size": 0, "ttl": 0, "resize": 0, "invalidated": 0}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def max_entries(self) -> int:
        """Entries kept at once at most."""
        return self._max_entries

    @property
    def max_bytes(self) -> int:
        """Bytes kept at once at most; 0: no such bound."""
        return self._max_bytes

    @property
    def bytes(self) -> int:
        """Bytes kept now, by the sizes given."""
        return self._bytes

    @property
    def ttl(self) -> float:
        """Seconds that an entry stays good."""
        return self._ttl

    @property
    def statistics(self) -> CacheStatistics:
        """What happened since the cache was made."""
        return CacheStatistics(
            requests={"hit": self._hits, "miss": self._misses, "off": self._off},
            evictions=dict(self._evictions),
            entries=len(self._entries),
            bytes=self._bytes,
            max_entries=self._max_entries,
            max_bytes=self._max_bytes,
            ttl=self._ttl,
        )

    def get(self, key: K) -> V | None:
        """The value under a key, which counts as a use; None where there is none or it is too old."""
        entry = self._entries.get(key)
        if entry is not None and self._monotonic() < entry.until:
            if entry.uses < MAX_USES:
                entry.uses += 1
            self._hits += 1
            return entry.value
        if entry is not None:
            self._remove(entry, "ttl")
        if self._max_entries:
            self._misses += 1
        else:
            self._off += 1
        return None

    def peek(self, key: K) -> V | None:
        """The value under a key, without that anything is counted; None where there is none or it is too old."""
        entry = self._entries.get(key)
        return entry.value if entry is not None and self._monotonic() < entry.until else None

    def put(self, key: K, value: V, size: int = 0) -> None:
        """Keeps a value; others go where there is no room.

        Args:
            key: under which it is found.
            value: is not copied.
            size: bytes that it takes up, as far as the bound on bytes is concerned. What is larger than all the room
                there is, is not kept.
        """
        held = self._entries.get(key)
        if self._max_entries == 0 or (self._max_bytes and size > self._max_bytes):
            if held is not None:
                self._remove(held, "size")
            return
        now = self._monotonic()
        if held is not None:
            self._bytes += size - held.size
            if not held.long:
                self._short_bytes += size - held.size
            held.value, held.size, held.since, held.until = value, size, now, now + self._ttl
            self._shrink(0, 0, "size")
            return
        self._shrink(1, size, "size")
        entry = Entry(key, value, size, now, now + self._ttl)
        self._entries[key] = entry
        self._bytes += size
        fingerprint = hash(key)
        if fingerprint in self._left:
            self._left.discard(fingerprint)
            self._lengthen(entry)
        else:
            self._short.append(entry)
            self._short_entries += 1
            self._short_bytes += size

    def drop(self, key: K) -> bool:
        """Forgets one key; whether there was anything to forget."""
        entry = self._entries.get(key)
        if entry is not None:
            self._remove(entry, "invalidated")
        return entry is not None

    def drop_where(self, unwanted: Callable[[K, V], bool]) -> int:
        """Forgets all entries that the predicate picks; how many there were. Looks at every entry."""
        found = [entry for entry in self._entries.values() if unwanted(entry.key, entry.value)]
        for entry in found:
            self._remove(entry, "invalidated")
        return len(found)

    def clear(self) -> int:
        """Forgets everything; how many entries there were."""
        count = len(self._entries)
        self._evictions["invalidated"] += count
        for queue in (self._entries, self._short, self._long, self._left, self._left_order):
            queue.clear()
        self._bytes = self._short_entries = self._short_bytes = self._dead = 0
        return count

    def configure(self, max_entries: int, ttl: float, max_bytes: int | None = None) -> None:
        """Takes other bounds; entries that are within them stay, ages count from when they were put in.

        Args:
            max_entries: entries kept at once; 0 switches the cache off.
            ttl: seconds that an entry stays good.
            max_bytes: bytes kept at once; 0: no such bound; None: as before.
        """
        self._max_entries = max_entries
        if max_bytes is not None:
            self._max_bytes = max_bytes
        if ttl != self._ttl:
            self._ttl = ttl
            for entry in self._entries.values():
                entry.until = entry.since + ttl
        self._shrink(0, 0, "resize")

    def _shrink(self, entries: int, size: int, reason: str) -> None:
        # Until there is room for so much more.
        while self._entries and (
            len(self._entries) + entries > self._max_entries
            or (self._max_bytes and self._bytes + size > self._max_bytes)
        ):
            self._evict(reason)

    def _evict(self, reason: str) -> None:
        now = self._monotonic()
        spared = 0
        while True:
            short = not self._long or self._short_is_full()
            entry = (self._short if short and self._short else self._long).popleft()
            if entry.uses < 0:
                self._dead -= 1
                continue
            if now >= entry.until:
                self._forget(entry, "ttl")
                return
            if entry.uses and spared < MAX_SPARED:
                spared += 1
                if entry.long:
                    entry.uses -= 1
                    self._long.append(entry)
                else:
                    self._shorten(entry)
                    entry.uses = 0
                    self._lengthen(entry)
                continue
            if not entry.long:
                self._remember(entry)
            self._forget(entry, reason)
            return

    def _short_is_full(self) -> bool:
        return self._short_entries * SHORT_SHARE >= self._max_entries or (
            self._max_bytes > 0 and self._short_bytes * SHORT_SHARE >= self._max_bytes
        )

    def _lengthen(self, entry: Entry[K, V]) -> None:
        entry.long = True
        self._long.append(entry)

    def _shorten(self, entry: Entry[K, V]) -> None:
        self._short_entries -= 1
        self._short_bytes -= entry.size

    def _remember(self, entry: Entry[K, V]) -> None:
        fingerprint = hash(entry.key)
        self._left.add(fingerprint)
        self._left_order.append(fingerprint)
        while len(self._left_order) > len(self._entries):
            self._left.discard(self._left_order.popleft())

    def _forget(self, entry: Entry[K, V], reason: str) -> None:
        # The entry is in no queue any more.
        del self._entries[entry.key]
        self._bytes -= entry.size
        if not entry.long:
            self._shorten(entry)
        entry.uses = -1
        self._evictions[reason] += 1

    def _remove(self, entry: Entry[K, V], reason: str) -> None:
        # The entry stays in its queue until it comes to the front, or there are too many like it.
        self._forget(entry, reason)
        self._dead += 1
        if self._dead > len(self._entries) + MIN_DEAD:
            self._short = deque(e for e in self._short if e.uses >= 0)
            self._long = deque(e for e in self._long if e.uses >= 0)
            self._dead = 0
