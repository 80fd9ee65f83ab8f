"""Two servers, one Redis, one registry, and scans at a steady rate: what faults are tried on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.faults.redisserver import RedisServer
from hack.faults.registry import Registry, registry
from hack.faults.steady import Right, Steady, verdict
from hack.faults.target import Target, started
from hack.faults.wire import ask

POPULAR: Final = ("requests", "numpy", "pandas", "cryptography", "matplotlib", "sqlalchemy")
# With one of these a name is suspicious only if it is young as well, so that evidence decides.
SUFFIXES: Final = ("-dev", "-official")
CLEAN: Final = 20
REDIS_LINKS: Final = ("redis-cache", "redis-limits")
PROVIDER: Final = "provider-PyPI"
PROVIDER_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 0.02
METRICS: Final = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

Samples = dict[str, float]


@dataclass
class Scene:
    """What is there.

    Attributes:
        redis: the one Redis.
        registry: the one provider.
        targets: the servers.
        load: the scans that go on all the while.
    """

    redis: RedisServer
    registry: Registry
    targets: tuple[Target, ...]
    load: Steady

    async def samples(self) -> list[Samples]:
        """All metrics of each server, by their text up to the value."""
        return [_samples((await ask(one.host, one.port, METRICS)).body) for one in self.targets]

    async def until(self, holds: Callable[[Samples], bool], within: float) -> float | None:
        """Seconds until something holds for every server at once; None where it takes longer than `within`."""
        begun = time.monotonic()
        while True:
            looked = time.monotonic() - begun
            if all(map(holds, await self.samples())):
                return round(looked, 2)
            if looked > within:
                return None
            await asyncio.sleep(LOOK_SECONDS)

    async def until_in_use(self, within: float) -> float | None:
        """Seconds until every server has all links closed and has had answers over each of them; None: not in time."""
        before = await self.samples()
        marks = {id(one): count for one, count in zip(self.targets, map(answers, before), strict=True)}
        begun = time.monotonic()
        while time.monotonic() - begun <= within:
            looked = time.monotonic() - begun
            now = await self.samples()
            if all(
                well(found) and all(new > old for new, old in zip(answers(found), marks[id(one)], strict=True))
                for one, found in zip(self.targets, now, strict=True)
            ):
                return round(looked, 2)
            await asyncio.sleep(LOOK_SECONDS)
        return None


def state(found: Samples, breaker: str) -> str:
    """The state that a breaker is in."""
    name = f'typosentinel_circuit_breaker_state{{name="{breaker}",state="'
    return next(key.removeprefix(name)[:-2] for key, value in found.items() if key.startswith(name) and value)


def opened(found: Samples, *breakers: str) -> bool:
    """Whether each of these breakers is open, or tries whether it need be."""
    return all(state(found, breaker) != "closed" for breaker in breakers)


def well(found: Samples) -> bool:
    """Whether every link to Redis is there: calls, shared limits, invalidations."""
    return (
        not any(opened(found, breaker) for breaker in (*REDIS_LINKS, "redis-invalidation"))
        and found["typosentinel_rate_limit_shared"] == 1
        and found["typosentinel_cache_invalidations_connected"] == 1
    )


def answers(found: Samples) -> tuple[float, float]:
    """Answers that Redis gave: to look-ups, and to questions for shares of limits."""
    looked = [f'typosentinel_cache_requests_total{{result="{result}",tier="redis"}}' for result in ("hit", "miss")]
    return (
        sum(found.get(key, 0.0) for key in looked),
        found['typosentinel_rate_limit_exchanges_total{result="ok"}'],
    )


@asynccontextmanager
async def scene(folder: Path, rate: float) -> AsyncIterator[Scene]:
    """Everything started, and the load running; it ends with the block."""
    redis = RedisServer(folder)
    async with registry(frozenset(POPULAR)) as one:
        await asyncio.to_thread(redis.start)
        targets: list[Target] = []
        try:
            right = await _right(folder, one)
            document = _document(redis, one)
            for _ in range(2):
                targets.append(await asyncio.to_thread(started, folder, document, "--drain-seconds", "0"))  # noqa: PERF401 - each must be stopped
            load = Steady(targets, right, rate)
            made = Scene(redis, one, tuple(targets), load)
            stop = asyncio.Event()
            running = asyncio.create_task(load.run(stop))
            try:
                if await made.until_in_use(10.0) is None:
                    raise RuntimeError("Redis does not come into use")
                yield made
            finally:
                stop.set()
                with suppress(asyncio.CancelledError):
                    await running
        finally:
            for target in targets:
                await asyncio.to_thread(target.stop)
            redis.stop()


def _document(redis: RedisServer, one: Registry) -> dict[str, object]:
    return {
        # Nothing of evidence in memory, so that every scan of a slip needs Redis or the provider.
        "cache": {"redis": {"url": redis.url}, "evidence": {"maxEntries": 0}},
        "limits": {"default": {"requests": 100_000, "window": "2s"}, "trustedProxies": ["127.0.0.0/8"]},
        "providers": _providers(one),
    }


def _providers(one: Registry) -> dict[str, object]:
    timeout = f"{round(PROVIDER_SECONDS * 1000)}ms"
    return {"registries": [one.provider], "allowPrivate": ["127.0.0.0/8"], "timeout": timeout, "maxConcurrency": 256}


async def _right(folder: Path, one: Registry) -> dict[str, Right]:
    # As two servers judge them that know nothing of Redis: one asks the provider, one has none.
    informed = await asyncio.to_thread(started, folder, {"providers": _providers(one)})
    alone = await asyncio.to_thread(started, folder, {})
    try:
        found = {}
        for name in _names():
            (known, _), (plain, _) = await verdict(informed, name), await verdict(alone, name)
            found[name] = Right(known, plain)
    finally:
        informed.stop()
        alone.stop()
    if not any(right.informed != right.alone for right in found.values()):
        raise RuntimeError("evidence makes no difference to any of the names, so nothing would be shown")
    return found


def _names() -> list[str]:
    slips = [name[:at] + name[at + 1] + name[at] + name[at + 2 :] for name in POPULAR for at in range(1, len(name) - 1)]
    suffixed = [name + suffix for name in POPULAR for suffix in SUFFIXES]
    clean = [f"something-of-our-own-{n}" for n in range(CLEAN)]
    dubious = [name for name in dict.fromkeys([*suffixed, *slips]) if name not in POPULAR]
    # Turn by turn, so that every second has its share of each kind.
    return [name for n, name in enumerate(dubious) for name in (name, *clean[n % CLEAN : n % CLEAN + 1])][
        : 2 * len(dubious)
    ]


def _samples(body: bytes) -> Samples:
    lines = (line.rpartition(" ") for line in body.decode().splitlines() if line.startswith("typosentinel_"))
    return {key: float(value) for key, _, value in lines}
