"""What is dear to make: from memory, else from Redis, else made once, for everybody who wants it.

Redis is asked only where memory has nothing good, and whatever goes wrong with it is a miss. What is over its time is
still answered for a while (stale), and made anew in the background.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from typosentinel_server.cache.copies import Copy, Fetched, Lifetimes, Shared, Tier
from typosentinel_server.cache.invalidation import InvalidationLog
from typosentinel_server.cache.leases import Lease
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.cache.names import MAX_TAGS, Kind, check
from typosentinel_server.cache.records import Record
from typosentinel_server.cache.singleflight import SingleFlight
from typosentinel_server.cache.statistics import CacheStatistics
from typosentinel_server.clock import Clock
from typosentinel_server.redislink import RedisAway

Make = Callable[[], Awaitable[bytes]]
# What an entry takes up besides its value and texts.
OVERHEAD_BYTES: Final = 600
MAX_BACKGROUND: Final = 64
# A revalidation that failed is not tried again for this long, however many ask.
RETRY_SECONDS: Final = 1.0
# Makers have timeouts of their own; this one only keeps a name from being stuck for ever.
MAKE_SECONDS: Final = 60.0
# How long a replica waits for another one that makes the same, and how often it looks.
WAIT_SECONDS: Final = 3.0
FIRST_LOOK_SECONDS: Final = 0.02
LAST_LOOK_SECONDS: Final = 0.2


class TieredCache:
    """Values by name. For one event loop.

    Args:
        memory: holds copies; its time to live is set by `configure`.
        lifetimes: how long things are good.
        log: what has been invalidated.
        clock: both clocks.
    """

    def __init__(
        self, memory: MemoryCache[str, Copy], lifetimes: Lifetimes, log: InvalidationLog, clock: Clock
    ) -> None:
        self.memory = memory
        self.log = log
        self.shared: Shared | None = None
        self.revalidations = {"done": 0, "failed": 0, "skipped": 0}
        self.lookups = {"hit": 0, "stale": 0, "miss": 0, "off": 0}
        self.made = {"done": 0, "failed": 0}
        self._lifetimes = lifetimes
        self._clock = clock
        self._flights: SingleFlight[Fetched] = SingleFlight()
        self._background: set[str] = set()
        self.configure(lifetimes, memory.max_entries, memory.max_bytes)

    @property
    def max_age(self) -> float:
        """No answer is older than this, in seconds."""
        return self._lifetimes.fresh + self._lifetimes.stale

    @property
    def lifetimes(self) -> Lifetimes:
        """How long things are good."""
        return self._lifetimes

    @property
    def joined(self) -> int:
        """Callers who got what another one was already having made."""
        return self._flights.joined

    @property
    def statistics(self) -> CacheStatistics:
        """What happened in memory."""
        held = self.memory.statistics
        return CacheStatistics(
            requests=dict(self.lookups),
            evictions=held.evictions,
            entries=held.entries,
            bytes=held.bytes,
            max_entries=held.max_entries,
            max_bytes=held.max_bytes,
            ttl=self._lifetimes.memory,
        )

    def configure(self, lifetimes: Lifetimes, max_entries: int, max_bytes: int) -> None:
        """Takes other bounds."""
        self._lifetimes = lifetimes
        # A copy that was looked up in Redis yesterday is still better than nothing when Redis is away.
        self.memory.configure(max_entries, lifetimes.fresh + lifetimes.stale, max_bytes)

    async def fetch(self, name: str, make: Make, tags: tuple[str, ...] = (), *, shared: bool = True) -> Fetched:
        """The value of that name.

        A caller that is cancelled does not cancel the making, and others who wait for it get it.

        Args:
            name: what is asked for in its normalised form, see `names`.
            make: makes the value; must be bounded in time.
            tags: by which it can be invalidated.
            shared: whether it is so dear that replicas wait for each other instead of making it twice.

        Raises:
            InvalidRequest: name or tags are not of their form.
            Exception: what `make` raised; everyone who waited gets it, and it is not kept.
        """
        held = self._held(name)
        if held is not None:
            now, lifetimes = self._clock.monotonic(), self._lifetimes
            age = now - held.made
            if age >= lifetimes.fresh:
                self.lookups["stale"] += 1
                self._revalidate(name, held, lambda: self._load(name, make, tags, shared=shared, renew=True))
                return Fetched(held.record.value, age, Tier.EVIDENCE, stale=True)
            if now - held.copied < lifetimes.memory or not self._redis_answers():
                self.lookups["hit"] += 1
                return Fetched(held.record.value, age, Tier.EVIDENCE, stale=False)
        self.lookups["miss" if self.memory.max_entries else "off"] += 1
        _checked(name, tags)
        found = await self._flights.run(name, lambda: self._load(name, make, tags, shared=shared, renew=False))
        if found.stale and (held := self._held(name)) is not None:
            self._revalidate(name, held, lambda: self._load(name, make, tags, shared=shared, renew=True))
        return found

    async def put(self, name: str, value: bytes, tags: tuple[str, ...] = ()) -> None:
        """Keeps a value that was made elsewhere. Raises InvalidRequest."""
        _checked(name, tags)
        await self._keep(self._record(name, value, tags, self.log.latest))

    async def get(self, name: str) -> Fetched | None:
        """The value of that name if it is there and not too old; nothing is made, and nothing counted."""
        held = self._held(name)
        tier = Tier.EVIDENCE
        if held is None and self._redis_answers():
            with contextlib.suppress(RedisAway):
                held, tier = await self._asked(name), Tier.REDIS
        if held is None:
            return None
        age = self._clock.monotonic() - held.made
        return Fetched(held.record.value, age, tier, stale=age >= self._lifetimes.fresh)

    async def close(self) -> None:
        """Cancels what is being made."""
        await self._flights.close()

    def _held(self, name: str) -> Copy | None:
        # What memory has, be it stale; nothing that was invalidated.
        held = self.memory.get(name)
        if held is None:
            return None
        record, latest = held.record, self.log.latest
        if record.epoch < latest:
            if self.log.covers(name, record.tags, record.epoch):
                self.memory.drop(name)
                return None
            # So that it need not be compared with the same invalidations again.
            record.epoch = latest
        if self._clock.monotonic() - held.made >= self.max_age:
            self.memory.drop(name)
            return None
        return held

    def _redis_answers(self) -> bool:
        return self.shared is not None and self.shared.ready() and self.shared.tier.link.breaker.retry_after == 0.0

    def _revalidate(self, name: str, held: Copy, load: Callable[[], Coroutine[Any, Any, Fetched]]) -> None:
        if name in self._flights or self._clock.monotonic() < held.retry:
            return
        if len(self._background) >= MAX_BACKGROUND:
            self.revalidations["skipped"] += 1
            return
        self._background.add(name)

        async def renew() -> Fetched:
            try:
                found = await load()
            except BaseException:
                held.retry = self._clock.monotonic() + RETRY_SECONDS
                self.revalidations["failed"] += 1
                raise
            finally:
                self._background.discard(name)
            self.revalidations["done"] += 1
            return found

        # Whoever asks meanwhile gets what is stale, or joins.
        _task = self._flights.start(name, renew)

    async def _load(self, name: str, make: Make, tags: tuple[str, ...], *, shared: bool, renew: bool) -> Fetched:
        # What is known before it is made counts: an invalidation in the meantime is about this, too.
        epoch = self.log.latest
        if not self._redis_answers():
            if self.shared is not None:
                self.shared.tier.count("off")
            return await self._made(name, make, tags, epoch)
        try:
            found = await self._from_redis(name, renew=renew)
            if found is not None:
                return found
            lease = await self._lease(name) if shared else None
        except RedisAway:
            held = self._good(name)
            return self._answer(held, Tier.EVIDENCE) if held else await self._made(name, make, tags, epoch)
        if isinstance(lease, Copy):
            return self._answer(lease, Tier.REDIS)
        try:
            return await self._made(name, make, tags, epoch)
        finally:
            if lease is not None and self.shared is not None:
                await self.shared.leases.release(lease)

    async def _from_redis(self, name: str, *, renew: bool) -> Fetched | None:
        # Raises RedisAway.
        tier = self.shared.tier if self.shared else None
        if tier is None:
            return None
        try:
            copy = await self._asked(name)
        except RedisAway:
            tier.count("off")
            raise
        stale = copy is not None and self._clock.monotonic() - copy.made >= self._lifetimes.fresh
        # Without memory there is nothing that says that it is being made anew.
        if copy is not None and not (stale and (renew or not self.memory.max_entries)):
            tier.count("stale" if stale else "hit")
            self._remember(copy)
            return self._answer(copy, Tier.REDIS)
        tier.count("miss")
        held = self._good(name)
        if held is None:
            return None
        # Redis has lost it: it gets it back.
        held.copied = self._clock.monotonic()
        await tier.put(held.record, self._clock.wall())
        return self._answer(held, Tier.EVIDENCE)

    def _good(self, name: str) -> Copy | None:
        # What memory has that is not stale.
        held = self._held(name)
        fresh = held is not None and self._clock.monotonic() - held.made < self._lifetimes.fresh
        return held if fresh else None

    async def _lease(self, name: str) -> Lease | Copy | None:
        # The right to make it; or what another replica made meanwhile; or None where that one takes too long.
        # Raises RedisAway.
        if self.shared is None:
            return None
        leases = self.shared.leases
        pause, left = FIRST_LOOK_SECONDS, WAIT_SECONDS
        while True:
            lease = await leases.take(name)
            # Also with a lease in hand: the one who had it before may just have been done.
            copy = await self._asked(name)
            if copy is not None and self._clock.monotonic() - copy.made < self._lifetimes.fresh:
                self._remember(copy)
                if lease is not None:
                    await leases.release(lease)
                return copy
            if lease is not None or left <= 0:
                return lease
            await asyncio.sleep(pause)
            left -= pause
            pause = min(pause * 2, LAST_LOOK_SECONDS)

    async def _asked(self, name: str) -> Copy | None:
        # What Redis has, be it stale; nothing too old, or invalidated. Raises RedisAway.
        shared = self.shared
        if shared is None:
            return None
        record = await shared.tier.get(name)
        if record is None or self.log.covers(name, record.tags, record.epoch):
            return None
        now = self._clock.monotonic()
        # Other machines' clocks may be ahead of ours: nothing is younger than new.
        age = max(0.0, self._clock.wall() - record.created)
        if age >= self.max_age:
            return None
        return Copy(record, now - age, now)

    async def _made(self, name: str, make: Make, tags: tuple[str, ...], epoch: int) -> Fetched:
        try:
            async with asyncio.timeout(MAKE_SECONDS):
                value = await make()
        except BaseException:
            self.made["failed"] += 1
            raise
        self.made["done"] += 1
        copy = await self._keep(self._record(name, value, tags, epoch))
        return self._answer(copy, Tier.ORIGIN)

    async def _keep(self, record: Record) -> Copy:
        now = self._clock.monotonic()
        copy = Copy(record, now, now)
        self._remember(copy)
        if self.shared is not None and self._redis_answers():
            await self.shared.tier.put(record, self._clock.wall())
        return copy

    def _record(self, name: str, value: bytes, tags: tuple[str, ...], epoch: int) -> Record:
        now = self._clock.wall()
        return Record(name, value, tags, now, now + self._lifetimes.fresh, epoch)

    def _remember(self, copy: Copy) -> None:
        record = copy.record
        size = OVERHEAD_BYTES + len(record.name) + len(record.value) + sum(map(len, record.tags))
        self.memory.put(record.name, copy, size)

    def _answer(self, copy: Copy, tier: Tier) -> Fetched:
        age = self._clock.monotonic() - copy.made
        return Fetched(copy.record.value, age, tier, stale=age >= self._lifetimes.fresh)


def _checked(name: str, tags: tuple[str, ...]) -> None:
    check(Kind.KEY, name)
    for tag in tags[: MAX_TAGS + 1]:
        check(Kind.TAG, tag)
    if len(tags) > MAX_TAGS:
        check(Kind.TAG, "")
