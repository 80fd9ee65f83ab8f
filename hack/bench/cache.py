"""What the caches are worth, and what they cost: `make bench-cache`.

hack/bench/README.md says what each figure means.
"""

import asyncio
import json
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from hack.bench.cachestream import (
    ENTRIES,
    REQUESTS,
    Hand,
    fleet_hit_rate,
    l1_hit_rate,
    l1_us,
    lru_hit_rate,
    name_of,
    steady,
    stream,
    weights,
)
from hack.bench.data import NOT_RUN
from hack.bench.names import edited
from hack.bench.report import Wanted, judged, report
from hack.cluster.progress import Steps
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library, build_engines
from typosentinel_server.errors import DomainError
from typosentinel_server.scan.model import Package
from typosentinel_server.sections.cache import CacheSettings

STEPS = 4
ROUNDS = 5
ENGINE_NAMES = 2_000
L2_NAMES = 2_000
RATE = 1_000.0
REPLICAS = 3
CALLERS = 24
WARM_UP = 60_000
MEASURED = 200_000
EVIDENCE = json.dumps({"name": "package", "releases": [{"version": f"1.{n}", "day": 20_000 + n} for n in range(80)]})
WANTED_SHARE = 0.93
START_SECONDS = 60.0


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis of our own; its address."""
    port = _port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def engine_us() -> float:
    """Microseconds of the engine for a name that is on no list: slips in popular names, each once; median of all."""
    engines = build_engines(Library())
    rng = random.Random(1)  # noqa: S311 - the same in every run
    taken: list[float] = []
    for listing in cycle(engines.listings):
        if len(taken) == ENGINE_NAMES:
            break
        name = edited(rng.choice(listing.names), rng)
        started = time.perf_counter()
        try:
            found = listing.scan(Package(listing.ecosystem, name))
        except DomainError:
            continue
        if not found.known:
            taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e6


async def _caches(stack: AsyncExitStack, clock: Clock, url: str, entries: int) -> Caches:
    settings = CacheSettings.model_validate(
        {"redis": {"url": url, "timeout": "1s"}, "evidence": {"maxEntries": entries}}
    )
    held: MemoryCache[Any, Any] = MemoryCache(1, 1.0, clock.monotonic)
    caches = Caches(held, settings, clock, random.Random(1).random)  # noqa: S311 - it spreads nothing here
    task = asyncio.create_task(caches.run(lambda _event, *, reason: print(reason)))

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    while caches.redis is None or not caches.redis.bus.connected:  # noqa: ASYNC110 - a benchmark may look
        await asyncio.sleep(0.01)
    return caches


async def l2_us(url: str) -> float:
    """Microseconds of an answer from Redis, one at a time, memory switched off."""
    async with AsyncExitStack() as stack:
        caches = await _caches(stack, Clock(time.time, time.monotonic), url, 0)

        async def never() -> bytes:
            raise AssertionError

        for number in range(L2_NAMES):
            await caches.dear.put(name_of(number), EVIDENCE.encode())
        started = time.perf_counter()
        for number in range(L2_NAMES):
            await caches.dear.fetch(name_of(number), never)
        return (time.perf_counter() - started) / L2_NAMES * 1e6


async def _origin(stack: AsyncExitStack) -> tuple[str, ClientSession]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=EVIDENCE, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{name:.+}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    http = await stack.enter_async_context(ClientSession())
    return f"http://127.0.0.1:{runner.addresses[0][1]}/", http


async def provider_hit_rate(url: str) -> float:
    """Share of requests to a fleet that no provider is asked for, once it is warm; one replica restarts meanwhile."""
    chances = weights()
    hand = Hand(1_800_000_000.0)
    async with AsyncExitStack() as stack:
        address, http = await _origin(stack)

        async def make(name: str) -> bytes:
            async with http.get(address + name) as response:
                return await response.read()

        fleet = [await _caches(stack, hand.clock, url, ENTRIES) for _ in range(REPLICAS)]
        await steady(fleet[0], chances, RATE, hand.seconds, EVIDENCE.encode())
        numbers = list(stream(chances, WARM_UP + MEASURED, seed=3))
        await fleet_hit_rate(fleet, numbers[:WARM_UP], make, hand, RATE, CALLERS)
        half = WARM_UP + MEASURED // 2
        first = await fleet_hit_rate(fleet, numbers[WARM_UP:half], make, hand, RATE, CALLERS)
        fleet[0] = await _caches(stack, hand.clock, url, ENTRIES)
        second = await fleet_hit_rate(fleet, numbers[half:], make, hand, RATE, CALLERS)
    return (first + second) / 2


def rss_mb(url: str, folder: Path) -> tuple[float, dict[str, Any]]:
    """Resident memory of a server with all lists and full caches that has answered some scans, in MiB."""
    port = _port()
    config = folder / "config.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(
        "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\ncorpus: {source: {builtin: {}}}\n"
        f"cache: {{redis: {{url: '{url}'}}}}\n"
    )
    command = [sys.executable, "-m", "hack.bench.cacheserver", "serve", "--port", str(port), "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if process.stdout is None:
            raise AssertionError
        held = json.loads(process.stdout.readline())
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        for number in range(2000):
            body = json.dumps({"ecosystem": "PyPI", "name": f"requests{number % 50}"}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/v1/scan", body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request) as response:  # noqa: S310 - our own server
                response.read()
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    finally:
        process.terminate()
        process.wait()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        raise AssertionError
    return int(found[1]) / 1024, held


def main() -> int:
    """Measure and print; returns the exit code."""
    if shutil.which("redis-server") is None:
        print("*** make bench-cache was NOT RUN: there is no redis-server; make installs it.", file=sys.stderr)
        return NOT_RUN
    steps = Steps(STEPS)
    chances = weights()
    bound = sum(chances[:ENTRIES])
    with steps.step("hit rates in memory", "a few seconds"):
        numbers = list(stream(chances, REQUESTS))
        measured: dict[str, float] = {"l1_hit_rate": l1_hit_rate(numbers), "lfu_bound": bound}
        lru = lru_hit_rate(numbers)
    with redis_server() as url:
        with steps.step("engine, memory and Redis in turns", "ten seconds"):
            rounds = [(engine_us(), l1_us(numbers[:200_000]), asyncio.run(l2_us(url))) for _ in range(ROUNDS)]
        with steps.step(f"{REPLICAS} replicas, {WARM_UP + MEASURED:,} requests", "a minute"):
            measured["provider_hit_rate"] = asyncio.run(provider_hit_rate(url))
        for place, figure in enumerate(("engine_us", "l1_us", "l2_us")):
            measured[figure] = statistics.median(taken[place] for taken in rounds)
        with steps.step("memory of a server with full caches", "ten seconds"):
            measured["rss_mb"], held = rss_mb(url, Path("build/bench/cache"))
    measured["lru_hit_rate"] = lru
    wanted: Wanted = {
        "l1_hit_rate": ("at least", WANTED_SHARE * bound),
        "provider_hit_rate": ("at least", 0.95),
        "rss_mb": ("at most", 256.0),
    }
    print(judged(measured, wanted), end="\n\n")
    print(f"The server's caches held, as entries and bytes: {held}")
    report("cache", measured, wanted, held=held, rate=RATE, replicas=REPLICAS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
