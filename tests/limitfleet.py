"""Replicas that share a limit through a Redis, and clients who want more than it allows."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import numpy as np

from redisserver import RedisServer
from typosentinel_server.breaker import Breaker
from typosentinel_server.ratelimit.limiter import Limiter, Limits
from typosentinel_server.ratelimit.policy import Endpoint, Rule
from typosentinel_server.ratelimit.redisstore import RedisStore
from typosentinel_server.redislink import REDIS_BREAKER, RedisBounds, RedisLink

ANN = "addr:192.0.2.1"
# Of each replica; some fifty of three.
CLIENTS = 17
# An exchange may take this long on a busy machine before a replica goes on alone.
PATIENT = RedisBounds(timeout=2.0)

ClockMs = Callable[[], int]


@dataclass
class Fleet:
    """Replicas, and what they allowed.

    Attributes:
        limiters: one for each replica.
        spans: of each allowed request, when it was asked, when it was answered, and by which replica. It was counted
            somewhere in between.
        refused: how many were not allowed.
    """

    limiters: list[Limiter]
    spans: list[tuple[float, float, int]] = field(default_factory=list)
    refused: int = 0

    async def demand(self, seconds: float, clients: int = CLIENTS, pause: float = 0.01) -> None:
        """So many clients of each replica ask for as long, each anew after a pause."""
        end = time.monotonic() + seconds

        async def client(limiter: Limiter) -> None:
            while time.monotonic() < end:
                await self.ask(limiter)
                await asyncio.sleep(pause)

        await asyncio.gather(*(client(limiter) for limiter in self.limiters for _ in range(clients)))

    async def ask(self, limiter: Limiter, cost: int = 1) -> bool:
        """One request; whether it is allowed."""
        asked = time.monotonic()
        decision = limiter.take(Endpoint.SCAN, ANN, cost)
        if decision is None:
            decision = await limiter.wait(Endpoint.SCAN, ANN, cost)
        if decision.allowed:
            self.spans += [(asked, time.monotonic(), self.limiters.index(limiter))] * cost
        else:
            self.refused += 1
        return decision.allowed

    @property
    def fail_open(self) -> int:
        """Requests that replicas decided alone though they have a Redis."""
        return sum(limiter.statistics.fail_open for limiter in self.limiters)

    def most(self, window: float, *, of: Limiter | None = None, since: float = 0.0) -> int:
        """The most that were for certain allowed within any window of that length: asked and answered within it."""
        chosen = None if of is None else self.limiters.index(of)
        spans = sorted(span for span in self.spans if span[0] >= since and chosen in (None, span[2]))
        asked, answered = np.array([span[0] for span in spans]), np.array([span[1] for span in spans])
        return max((int((answered[n:] < start + window).sum()) for n, start in enumerate(asked)), default=0)

    def per_window(self, window: float, windows: int) -> list[int]:
        """What was allowed in so many windows, one after another from the first answer on."""
        times = sorted(answered for _, answered, _ in self.spans)
        edges = [bisect_left(times, times[0] + n * window) for n in range(windows + 1)]
        return [edges[n + 1] - edges[n] for n in range(windows)]


class Replicas:
    """Makes fleets; what it made ends with `stack`.

    Args:
        stack: closes what was made.
    """

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self._sweeping: dict[Limiter, asyncio.Task[None]] = {}
        self._made = 0

    async def make(
        self,
        server: RedisServer,
        rule: Rule,
        bounds: RedisBounds = PATIENT,
        *,
        clocks: Sequence[ClockMs | None] = (None, None, None),
        monotonic: Callable[[], float] = time.monotonic,
        sweeping: bool = True,
    ) -> Fleet:
        """A replica for each clock, which stands in for Redis' own."""
        limiters = []
        for clock_ms in clocks:
            self._made += 1
            limiter = Limiter(Limits({Endpoint.DEFAULT: rule}, {}), monotonic)
            await limiter.share(self.store(server, f"replica-{self._made}", bounds, clock_ms, monotonic))
            self.stack.push_async_callback(limiter.close)
            if sweeping:
                self._sweeping[limiter] = asyncio.create_task(limiter.run())
                self.stack.callback(self._sweeping[limiter].cancel)
            limiters.append(limiter)
        return Fleet(limiters)

    def store(
        self,
        server: RedisServer,
        name: str,
        bounds: RedisBounds = PATIENT,
        clock_ms: ClockMs | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> RedisStore:
        """A replica's way to the shared budget."""
        link = RedisLink(server.url, Breaker("limits", REDIS_BREAKER, time.monotonic), bounds)
        store = RedisStore(link, name, monotonic, clock_ms)
        self.stack.push_async_callback(store.close)
        return store

    def crash(self, limiter: Limiter) -> None:
        """A replica that says nothing any more."""
        self._sweeping[limiter].cancel()
