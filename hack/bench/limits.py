"""One limit over three replicas, and what deciding costs: `make bench-limits`.

Each replica is a process with twenty clients that want more than the limit allows; hack/bench/README.md says what each
figure means.
"""

import asyncio
import multiprocessing
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import redis

from hack.bench.report import Wanted, columns, judged, report
from hack.cluster.progress import Steps
from typosentinel_server.breaker import Breaker
from typosentinel_server.ratelimit.limiter import Limiter, Limits
from typosentinel_server.ratelimit.policy import Endpoint, Rule
from typosentinel_server.ratelimit.redisstore import RedisStore
from typosentinel_server.redislink import REDIS_BREAKER, RedisBounds, RedisLink

REPLICAS = 3
CLIENTS = 20
PAUSE = 0.005
WINDOWS = 5
# Requests, window in seconds, burst.
RULES = (Rule(20, 2, 20), Rule(1000, 2, 500), Rule(5000, 2, 2500))
TIMED = 100_000
ROUNDS = 5
WANTED: Wanted = {"over": ("at most", 1.01), "under": ("at least", 0.97), "take_us": ("at most", 2.0)}


@dataclass(frozen=True, slots=True)
class Told:
    """What a replica reports.

    Attributes:
        spans: when each allowed request was asked and answered.
        refused: how many were not allowed.
        exchanges: round trips to Redis.
        alone: requests decided without it.
    """

    spans: list[tuple[float, float]]
    refused: int
    exchanges: int
    alone: int


@contextmanager
def running_redis() -> Iterator[str]:
    """The URL of a Redis of our own."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("bench-limits was not run: there is no redis-server; python -m hack.programs redis-server installs it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
    )
    try:
        with redis.Redis(port=port) as client:
            for _ in range(200):
                try:
                    client.ping()
                    break
                except redis.RedisError:
                    time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


async def _replica(url: str, name: str, rule: Rule, begin: float) -> Told:
    link = RedisLink(url, Breaker("limits", REDIS_BREAKER, time.monotonic), RedisBounds(timeout=1.0))
    store = RedisStore(link, name, time.monotonic)
    limiter = Limiter(Limits({Endpoint.DEFAULT: rule}, {}), time.monotonic)
    await limiter.share(store)
    end = begin + (WINDOWS + 0.5) * rule.window
    spans: list[tuple[float, float]] = []
    refused = 0

    async def client() -> None:
        nonlocal refused
        while (asked := time.monotonic()) < end:
            decision = limiter.take(Endpoint.SCAN, "addr:192.0.2.1")
            if decision is None:
                decision = await limiter.wait(Endpoint.SCAN, "addr:192.0.2.1")
            if decision.allowed:
                spans.append((asked, time.monotonic()))
            else:
                refused += 1
            # Far more than the limit all the same.
            await asyncio.sleep(0 if decision.allowed else PAUSE)

    await asyncio.sleep(begin - time.monotonic())
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    told = Told(spans, refused, limiter.statistics.exchanges, limiter.statistics.fail_open)
    await limiter.close()
    await store.close()
    return told


def _process(url: str, name: str, rule: Rule, begin: float, answer: Connection) -> None:
    answer.send(asyncio.run(_replica(url, name, rule, begin)))


def played(url: str, rule: Rule) -> list[Told]:
    """What three replicas in processes of their own report of one rule."""
    context = multiprocessing.get_context("spawn")
    begin = time.monotonic() + 2.0
    pairs = []
    for n in range(REPLICAS):
        ours, theirs = context.Pipe(duplex=False)
        name = f"{rule.requests}-{n}"
        process = context.Process(target=_process, args=(f"{url[:-1]}{RULES.index(rule)}", name, rule, begin, theirs))
        process.start()
        pairs.append((process, ours))
    told = [ours.recv() for _, ours in pairs]
    for process, _ in pairs:
        process.join()
    return told


def most_and_least(told: list[Told], rule: Rule) -> tuple[int, int]:
    """The most that was for certain allowed within any window, and the least of the windows one after another."""
    spans = np.array(sorted(span for replica in told for span in replica.spans))
    asked, answered = spans[:, 0], np.sort(spans[:, 1])
    by_ask = spans[:, 1]
    most = max(int((by_ask[n : n + 2 * rule.requests + 1] < at + rule.window).sum()) for n, at in enumerate(asked))
    edges = answered[0] + np.arange(WINDOWS + 1) * rule.window
    return most, int(np.diff(np.searchsorted(answered, edges)).min())


def take_us(limiter: Limiter) -> float:
    """Microseconds of one decision."""
    best = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(TIMED):
            limiter.take(Endpoint.SCAN, "addr:192.0.2.1")
        best.append((time.perf_counter() - begun) / TIMED * 1e6)
    return statistics.median(best)


async def costs(url: str) -> dict[str, float]:
    """Microseconds of a decision with a slice in hand, of one without Redis, of a refusal, and of one that waits."""
    plenty = Limits({Endpoint.DEFAULT: Rule(1_000_000, 60, 1_000_000)}, {})
    alone = Limiter(plenty, time.monotonic)
    none_left = Limiter(Limits({Endpoint.DEFAULT: Rule(1, 3600, 1)}, {}), time.monotonic)
    shared = Limiter(plenty, time.monotonic)
    link = RedisLink(url, Breaker("limits", REDIS_BREAKER, time.monotonic), RedisBounds(timeout=1.0))
    store = RedisStore(link, "costs", time.monotonic)
    await shared.share(store)
    waits = []
    for n in range(500):
        begun = time.perf_counter()
        await shared.wait(Endpoint.SCAN, f"addr:{n}")
        waits.append((time.perf_counter() - begun) * 1e6)
    with_slice: list[float] = []
    while len(with_slice) < TIMED:
        await shared.wait(Endpoint.SCAN, "addr:192.0.2.1")
        account = next(reversed(shared._budgets[Endpoint.SCAN].accounts.values()))  # noqa: SLF001 - what it holds is timed
        times = max(1, account.left - account.low - 1)
        begun = time.perf_counter()
        for _ in range(times):
            shared.take(Endpoint.SCAN, "addr:192.0.2.1")
        with_slice += [(time.perf_counter() - begun) / times * 1e6] * times
        await asyncio.sleep(0)
    await shared.close()
    await store.close()
    return {
        "take_us": statistics.median(with_slice),
        "take_alone_us": take_us(alone),
        "refuse_us": take_us(none_left),
        "first_wait_us": statistics.median(waits),
    }


def main() -> int:
    """Measure and print; returns the exit code."""
    steps = Steps(len(RULES) + 1)
    rows = [["limit", "most in any window", "least of windows", "allowed", "refused", "round trips", "alone"]]
    over, under = [], []
    with running_redis() as url:
        for rule in RULES:
            with steps.step(f"{rule.requests} in {rule.window} s by {REPLICAS} replicas", "13 s"):
                told = played(url, rule)
            most, least = most_and_least(told, rule)
            over.append(most / rule.requests)
            under.append(least / rule.requests)
            allowed = sum(len(replica.spans) for replica in told)
            counts = [sum(getattr(replica, name) for replica in told) for name in ("refused", "exchanges", "alone")]
            rows.append([f"{rule.requests} in {rule.window} s", *map(str, (most, least, allowed, *counts))])
        with steps.step("what a decision costs", "2 s"):
            figures = {"over": max(over), "under": min(under)} | asyncio.run(costs(f"{url[:-1]}9"))
    print(columns(rows), end="\n\n")
    print(judged(figures, WANTED), end="\n\n")
    report("limits", figures, WANTED, replicas=REPLICAS, clients=REPLICAS * CLIENTS, windows=WINDOWS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
