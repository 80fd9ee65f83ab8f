"""All that one server has in one Redis: built from settings, thrown away as a whole when they change."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from typosentinel_server.breaker import Breaker
from typosentinel_server.cache.bus import Bus, Links
from typosentinel_server.cache.invalidation import Invalidation, InvalidationLog
from typosentinel_server.cache.leases import Leases
from typosentinel_server.cache.records import Codec
from typosentinel_server.cache.redistier import RedisTier
from typosentinel_server.clock import Clock
from typosentinel_server.redislink import REDIS_BREAKER, RedisBounds, RedisLink

CLIENT_NAME: Final = "typosentinel-{purpose}"
PUBLISHER_CONNECTIONS: Final = 4
SUBSCRIBER_TIMEOUT: Final = 2.0
# If the maker dies, others wait for it this long at most.
LEASE_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 0.2
# Records and invalidations are kept a little longer than anybody looks at them: clocks differ.
MARGIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What it is built from; where that is the same, it is left as it is.

    Attributes:
        url: where Redis is, credentials included.
        bounds: of the link for values.
        codec: the form of records.
        fresh: seconds that values are fresh.
        stale: seconds that they are kept beyond that.
    """

    url: str
    bounds: RedisBounds
    codec: Codec
    fresh: float
    stale: float

    def __repr__(self) -> str:
        """Without the address: it may carry a password."""
        return f"Blueprint({self.bounds})"


class RedisSide:
    """Links, tier, leases and bus for one Redis. The connection that listens lives from `start` to `stop`.

    Args:
        blueprint: what to build.
        log: of invalidations; is kept level with the one in Redis.
        heard: is told invalidations.
        clock: both clocks.
        chance: numbers from 0 to 1.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        log: InvalidationLog,
        heard: Callable[[Sequence[Invalidation]], None],
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self.blueprint = blueprint
        self._link = _link(blueprint, "cache", blueprint.bounds, clock)
        few = RedisBounds(blueprint.bounds.timeout, min(PUBLISHER_CONNECTIONS, blueprint.bounds.max_connections))
        self._publisher = _link(blueprint, "invalidation", few, clock)
        self.tier = RedisTier(self._link, blueprint.codec, blueprint.stale)
        self.leases = Leases(self._link, lambda: secrets.token_hex(16), LEASE_SECONDS)
        keep = blueprint.fresh + blueprint.stale + MARGIN_SECONDS
        self.bus = Bus(Links(self._publisher, self._subscriber), log, heard, chance, keep)
        self._task: asyncio.Task[None] | None = None

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """The breakers of its links."""
        return (self._link.breaker, self._publisher.breaker)

    def start(self) -> None:
        """Begins to listen; needs a running loop."""
        if self._task is None:
            self._task = asyncio.create_task(self.bus.run(), name="invalidations")

    async def stop(self) -> None:
        """Ends everything."""
        task, self._task = self._task, None
        while task is not None and not task.done():
            # The client may lose a cancellation (see redislink).
            task.cancel()
            await asyncio.wait([task], timeout=AGAIN_SECONDS)
        await self._link.close()
        await self._publisher.close()

    def _subscriber(self) -> Redis:
        # Not behind the breaker: it is one connection, has a pause of its own between two tries, and holds up nobody.
        pool = ConnectionPool.from_url(
            self.blueprint.url,
            max_connections=1,
            socket_timeout=SUBSCRIBER_TIMEOUT,
            socket_connect_timeout=SUBSCRIBER_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            client_name=CLIENT_NAME.format(purpose="subscriber"),
        )
        return Redis.from_pool(pool)


def _link(blueprint: Blueprint, purpose: str, bounds: RedisBounds, clock: Clock) -> RedisLink:
    breaker = Breaker(f"redis-{purpose}", REDIS_BREAKER, clock.monotonic)
    return RedisLink(blueprint.url, breaker, bounds, CLIENT_NAME.format(purpose=purpose))
