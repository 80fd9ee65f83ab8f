"""Looking into the caches and changing them by hand. Knows no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.copies import Fetched
from typosentinel_server.cache.names import Kind, check
from typosentinel_server.cache.statistics import CacheStatistics
from typosentinel_server.errors import InvalidRequest
from typosentinel_server.redislink import RedisAway

MAX_AT_ONCE: Final = 1000
MAX_VALUE_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class CacheReport:
    """How the caches stand.

    Attributes:
        tiers: what happened, by tier: memory, evidence, and redis where there is one.
        makes: things made because no tier had them: done, failed.
        joined: callers who waited for what another one was having made.
        revalidations: stale things to be made anew: done, failed, skipped.
        invalidations: made or heard of, by kind.
        damaged: what was found in Redis and is no record of ours, by reason.
        connected: whether invalidations of other replicas are listened for; None without Redis.
        pending: invalidations that Redis does not know of yet.
        breakers: state of the links to Redis, by name.
    """

    tiers: Mapping[str, CacheStatistics]
    makes: Mapping[str, int]
    joined: int
    revalidations: Mapping[str, int]
    invalidations: Mapping[str, int]
    damaged: Mapping[str, int]
    connected: bool | None
    pending: int
    breakers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Invalidated:
    """What an invalidation came to.

    Attributes:
        kind: how it picked.
        text: the key, pattern or tag; empty for all.
        shared: whether other replicas can know of it; False: they are told when Redis is back.
    """

    kind: Kind
    text: str
    shared: bool


class CacheAdmin:
    """What somebody with the administrator's token may do with the caches.

    Single keys are those of what is dear, such as `evidence/registry/PyPI/requests`; verdicts by name are only made.
    An invalidation picks from both; a verdict's key is such as `verdict/PyPI/requests`.

    Args:
        caches: of this server.
    """

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def stats(self) -> CacheReport:
        """How the caches stand."""
        caches, side = self._caches, self._caches.redis
        return CacheReport(
            tiers=caches.tiers,
            makes=dict(caches.dear.made),
            joined=caches.dear.joined,
            revalidations=dict(caches.dear.revalidations),
            invalidations={kind.value: count for kind, count in caches.invalidations.items()},
            damaged=dict(side.tier.damaged) if side else {},
            connected=side.bus.connected if side else None,
            pending=side.bus.pending if side else 0,
            breakers={breaker.name: breaker.state.value for breaker in caches.breakers},
        )

    async def clear(self) -> Invalidated:
        """Invalidates everything, in all replicas. What is in Redis is worthless from now on and goes in its time."""
        found = await self.invalidate(Kind.ALL, "")
        self._caches.dear.memory.clear()
        return found

    async def invalidate(self, kind: Kind, text: str) -> Invalidated:
        """Invalidates a key, a pattern (`*` for any text) or a tag, in all replicas. Raises InvalidRequest."""
        check(kind, text)
        return Invalidated(kind, text, await self._caches.invalidate(kind, text))

    async def get(self, key: str) -> Fetched | None:
        """What is kept under a key, from memory or else from Redis; None where nothing is. Raises InvalidRequest."""
        check(Kind.KEY, key)
        return await self._caches.dear.get(key)

    async def put(self, key: str, value: bytes, tags: Sequence[str] = ()) -> None:
        """Keeps a value under a key, here and in Redis. Raises InvalidRequest."""
        await self.put_many({key: value}, tags)

    async def delete(self, key: str) -> bool:
        """Invalidates one key in all replicas; whether there was anything. Raises InvalidRequest."""
        found = await self.get(key)
        await self.invalidate(Kind.KEY, key)
        self._caches.dear.memory.drop(key)
        if self._caches.redis is not None:
            try:
                await self._caches.redis.tier.delete([key])
            except RedisAway:
                # The invalidation is remembered, and the record will not be believed.
                return found is not None
        return found is not None

    async def get_many(self, keys: Sequence[str]) -> dict[str, Fetched]:
        """What is kept under several keys; those that nothing is kept under are left out. Raises InvalidRequest."""
        _bounded(len(keys))
        for key in keys:
            check(Kind.KEY, key)
        found = {key: await self._caches.dear.get(key) for key in keys}
        return {key: fetched for key, fetched in found.items() if fetched is not None}

    async def put_many(self, values: Mapping[str, bytes], tags: Sequence[str] = ()) -> None:
        """Keeps values under several keys: all of them, or none where one is refused. Raises InvalidRequest."""
        _bounded(len(values))
        for key, value in values.items():
            check(Kind.KEY, key)
            if len(value) > MAX_VALUE_BYTES:
                raise _refused(f"a value of {len(value)} bytes is too large", f"Send at most {MAX_VALUE_BYTES} bytes.")
        for tag in tags:
            check(Kind.TAG, tag)
        for key, value in values.items():
            await self._caches.dear.put(key, value, tuple(tags))


def _bounded(count: int) -> None:
    if not 1 <= count <= MAX_AT_ONCE:
        raise _refused(f"{count} keys at once", f"Send 1 to {MAX_AT_ONCE} of them.")


def _refused(message: str, suggestion: str) -> InvalidRequest:
    return InvalidRequest("INVALID_REQUEST", message, suggestion, http_hint=422)
