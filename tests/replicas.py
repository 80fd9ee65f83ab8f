"""Caches of several servers on one Redis, without the servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.clock import Clock
from typosentinel_server.sections.cache import CacheSettings

REAL = Clock(wall=time.time, monotonic=time.monotonic)


def settings_for(url: str, **others: Any) -> CacheSettings:
    """Settings with a Redis; what is given besides replaces parts of the document.

    A busy machine may need longer for an answer than a scan would wait; then each replica would go on alone.
    """
    redis = {"url": url, "timeout": "1s"} | others.pop("redis", {})
    return CacheSettings.model_validate({"redis": redis} | others)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Waits until something holds; seconds that it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it never came to that"
        await asyncio.sleep(0.005)
    return time.monotonic() - started


@asynccontextmanager
async def replica(settings: CacheSettings, clock: Clock = REAL, *, listening: bool = True) -> AsyncIterator[Caches]:
    """The caches of one server, as it runs them."""
    verdicts: MemoryCache[Any, Any] = MemoryCache(100, 60.0, clock.monotonic)
    caches = Caches(verdicts, settings, clock, lambda: 0.5)
    refusals: list[str] = []
    task = asyncio.create_task(caches.run(lambda event, *, reason: refusals.append(f"{event}: {reason}")))
    try:
        if listening:
            await until(lambda: caches.redis is None or caches.redis.bus.connected)
        yield caches
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert refusals == []


@asynccontextmanager
async def replicas(count: int, settings: CacheSettings) -> AsyncIterator[list[Caches]]:
    """The caches of several servers."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(replica(settings)) for _ in range(count)]


class Counting:
    """An origin that says which package it was asked for, and counts."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls = 0
        self.broken = False
        self.seconds = seconds

    def of(self, name: str) -> Callable[[], Any]:
        """What makes the value of a name."""

        async def make() -> bytes:
            self.calls += 1
            await asyncio.sleep(self.seconds)
            if self.broken:
                raise RuntimeError("the origin is broken")
            return f"{name} {self.calls}".encode()

        return make
