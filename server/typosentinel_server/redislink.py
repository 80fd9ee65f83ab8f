"""The one way to Redis: bounded in time and in number, behind a breaker, and never a reason for a scan to fail.

A call that is cancelled or times out leaves its connection closed, never in the pool: a reply that comes too late would
be the next caller's answer (PYSEC-2023-45).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MaxConnectionsError, RedisError, ResponseError

from typosentinel_server.breaker import Breaker, BreakerPolicy

T = TypeVar("T")

# A Redis that is away is asked again after half a second, then after 1, 2 and every 4: back in use within ten. One that
# comes and goes is not trusted more each time: only after ten good seconds does it start at half a second again.
REDIS_BREAKER = BreakerPolicy(failures=5, cooldown=0.5, max_cooldown=4.0, settling=10.0)


class RedisAway(Exception):
    """Redis gave no answer: it is away, slow, full of calls, or its breaker is open. Callers go on without it."""


class RedisBusy(RedisAway):
    """All of our own connections are in use. That says nothing about Redis, and so does not move the breaker."""


@dataclass(frozen=True, slots=True)
class RedisBounds:
    """How long and how much.

    Attributes:
        timeout: seconds for one call, connecting included.
        max_connections: connections at once; a call that finds none free fails at once instead of waiting.
    """

    timeout: float = 0.05
    max_connections: int = 32


class RedisLink:
    """Calls one Redis for one purpose; each purpose has a link, so a pool and a breaker, of its own.

    Args:
        url: redis://, rediss:// or unix://; may carry credentials, and so never is in a message.
        breaker: refuses calls while Redis is away.
        bounds: how long and how much.
        client_name: what Redis lists our connections as; None: nothing.
    """

    def __init__(
        self, url: str, breaker: Breaker, bounds: RedisBounds | None = None, client_name: str | None = None
    ) -> None:
        self.breaker = breaker
        self.bounds = bounds or RedisBounds()
        pool = ConnectionPool.from_url(
            url,
            max_connections=self.bounds.max_connections,
            socket_timeout=self.bounds.timeout,
            socket_connect_timeout=self.bounds.timeout,
            retry=Retry(NoBackoff(), 0),
            client_name=client_name,
        )
        self._client: Redis = Redis.from_pool(pool)
        self._closed = False

    async def call(self, use: Callable[[Redis], Awaitable[T]]) -> T:
        """What `use` returns.

        Raises:
            RedisAway: there was no answer in time, or none is waited for.
            ResponseError: Redis answered that the command is wrong or refused, such as OOM; it is there.
        """
        if self._closed:
            # The pool would open another connection, which nobody would close.
            raise RedisAway(f"{self.breaker.name}: the link is closed")
        if not self.breaker.admit():
            raise RedisAway(f"the breaker of {self.breaker.name} is open")
        cancelled = _cancellations()
        try:
            async with asyncio.timeout(self.bounds.timeout):
                found = await use(self._client)
        except ResponseError:
            self.breaker.worked()
            raise
        except MaxConnectionsError as error:
            self.breaker.gave_up()
            raise RedisBusy(f"{self.breaker.name}: all {self.bounds.max_connections} connections are in use") from error
        except (RedisError, OSError, TimeoutError) as error:
            if _cancellations() > cancelled:
                self.breaker.gave_up()
                raise asyncio.CancelledError from error
            self.breaker.failed()
            raise RedisAway(f"{self.breaker.name}: {type(error).__name__}") from error
        except BaseException:
            self.breaker.gave_up()
            raise
        self.breaker.worked()
        if _cancellations() > cancelled:
            raise asyncio.CancelledError
        return found

    async def close(self) -> None:
        """Closes every connection; calls that come later fail."""
        self._closed = True
        await self._client.aclose()


def _cancellations() -> int:
    # How often the running task has been told to end. Up to Python 3.11 that gets lost where the client is told so just
    # when it has sent a command (gh-86296), and a task that has to end would go on.
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0
