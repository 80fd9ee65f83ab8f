"""Who of all replicas makes something: a key in Redis with a token, for a bounded time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from redis.exceptions import ResponseError

from typosentinel_server.cache.redistier import place_of
from typosentinel_server.redislink import RedisAway, RedisLink

# Only the holder may free it: after its time it may be another's.
RELEASE: Final = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
MILLIS: Final = 1000


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to make something."""

    place: bytes
    token: str


class Leases:
    """Gives out leases.

    Args:
        link: to Redis.
        new_token: texts that nobody else has.
        seconds: how long a lease holds if its holder dies.
    """

    def __init__(self, link: RedisLink, new_token: Callable[[], str], seconds: float) -> None:
        self._link = link
        self._new_token = new_token
        self._seconds = seconds

    async def take(self, name: str) -> Lease | None:
        """A lease, or None where another has it.

        Raises:
            RedisAway: nobody can say; also where Redis refuses, being full for example.
        """
        lease = Lease(place_of(name) + b":lease", self._new_token())
        try:
            taken = await self._link.call(
                lambda redis: redis.set(lease.place, lease.token, nx=True, px=int(self._seconds * MILLIS))
            )
        except ResponseError as error:
            raise RedisAway(f"no lease: {type(error).__name__}") from error
        return lease if taken else None

    async def release(self, lease: Lease) -> None:
        """Gives a lease back; where Redis cannot be asked, its time ends by itself."""
        try:
            await self._link.call(lambda redis: redis.eval(RELEASE, 1, lease.place, lease.token))
        except (RedisAway, ResponseError):
            return
