"""One limit held by three replicas through a real Redis: never more than it allows, hardly ever less."""

import asyncio
import random
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from limitfleet import ANN, PATIENT, Fleet, Replicas
from redisserver import RedisServer
from replicas import until
from running import listening
from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.logs import Log
from typosentinel_server.ratelimit.policy import Endpoint, Rule
from typosentinel_server.ratelimit.redisstore import CLOCK_KEY
from typosentinel_server.ratelimit.store import Order
from typosentinel_server.redislink import RedisBounds
from typosentinel_server.settings import LogLevel

HASTY = RedisBounds(timeout=0.05)
# What a limiter must reach while demand exceeds the limit on every replica.
LEAST = 0.97
HOUR_MS = 3_600_000


@pytest.mark.parametrize("burst", [500, 1000])
async def test_three_replicas_hold_one_limit(redis: RedisServer, replicas: Replicas, burst: int) -> None:
    """Fifty clients: no window holds more than the limit, none less than 97 % of it."""
    fleet = await replicas.make(redis, Rule(1000, 2, burst))
    await fleet.demand(6.5)
    assert fleet.most(2.0) <= 1000
    assert min(fleet.per_window(2.0, 3)) >= LEAST * 1000
    assert fleet.refused > 100
    assert fleet.fail_open == 0


async def test_a_small_limit_is_exact(redis: RedisServer, replicas: Replicas) -> None:
    """Up to twenty per window there is no more and no less."""
    fleet = await replicas.make(redis, Rule(20, 2, 20))
    await fleet.demand(5.0)
    assert fleet.most(2.0) == 20
    assert fleet.per_window(2.0, 2) == [20, 20]


async def test_most_requests_never_ask_redis(redis: RedisServer, replicas: Replicas) -> None:
    """Slices grow with demand, and callers who come together ask together."""
    fleet = await replicas.make(redis, Rule(100_000, 60, 100_000))
    for _ in range(100):
        for limiter in fleet.limiters:
            await asyncio.gather(*(fleet.ask(limiter) for _ in range(100)))
        await asyncio.sleep(0.001)
    assert len(fleet.spans) == 30_000
    assert sum(limiter.statistics.leases for limiter in fleet.limiters) < 30_000 / 20
    first = fleet.limiters[0].statistics
    before = first.exchanges
    await asyncio.gather(*(fleet.limiters[0].wait(Endpoint.SCAN, f"addr:{n}") for n in range(1000)))
    assert first.exchanges - before < 100


async def test_what_nobody_uses_comes_back(redis: RedisServer, replicas: Replicas) -> None:
    """A slice that lies idle with one replica serves the others."""
    fleet = await replicas.make(redis, Rule(1000, 3, 1000))
    first, second, _ = fleet.limiters
    assert await fleet.ask(first)
    await asyncio.sleep(1.0)
    allowed = [await fleet.ask(second) for _ in range(1200)]
    assert sum(allowed) == 999


async def test_a_replica_that_leaves_gives_back_its_slices(redis: RedisServer, replicas: Replicas) -> None:
    """And what it used stays used."""
    fleet = await replicas.make(redis, Rule(1000, 60, 1000))
    first, second, _ = fleet.limiters
    for _ in range(7):
        await fleet.ask(first)
    await first.close()
    assert sum([await fleet.ask(second) for _ in range(1200)]) == 993


async def test_a_replica_that_dies_takes_its_slice_for_a_window(redis: RedisServer, replicas: Replicas) -> None:
    """Nobody knows what became of it; after the window all of the budget is there again."""
    fleet = await replicas.make(redis, Rule(1000, 2, 1000))
    dead, alive, _ = fleet.limiters
    await fleet.ask(dead)
    replicas.crash(dead)
    allowed = sum([await fleet.ask(alive) for _ in range(1200)])
    assert 750 <= allowed < 999
    await asyncio.sleep(2.5)
    assert sum([await fleet.ask(alive) for _ in range(1200)]) == 1000


async def test_all_of_a_cost_or_nothing_over_replicas(redis: RedisServer, replicas: Replicas) -> None:
    """Three ask for forty of a hundred at once: two get them, and the rest is still there."""
    fleet = await replicas.make(redis, Rule(100, 60, 100))
    found = await asyncio.gather(*(fleet.ask(limiter, 40) for limiter in fleet.limiters))
    assert sorted(found) == [False, True, True]
    # Who was refused so much may still have less.
    assert await fleet.ask(fleet.limiters[found.index(False)], 20)
    assert not any([await fleet.ask(limiter) for limiter in fleet.limiters])


async def one_limit_again(fleet: Fleet, load: asyncio.Task[None], rule: Rule) -> None:
    """Redis is back: within ten seconds replicas share the limit again, and each held it by itself meanwhile."""
    back = time.monotonic()
    while not all(limiter.shared for limiter in fleet.limiters):
        assert time.monotonic() - back < 10
        await asyncio.sleep(0.05)
    again, alone = time.monotonic(), fleet.fail_open
    await load
    for limiter in fleet.limiters:
        assert fleet.most(rule.window, of=limiter) <= rule.requests
    # What was used while it was away was told when it came back. A busy machine may have let them down again.
    assert fleet.most(rule.window, since=again + rule.window) <= rule.requests + fleet.fail_open - alone


async def test_redis_is_killed_and_comes_back(own_redis: RedisServer, replicas: Replicas) -> None:
    """Meanwhile each replica holds the limit for itself, and counts that; within ten seconds it is one limit again."""
    rule = Rule(300, 2, 300)
    fleet = await replicas.make(own_redis, rule, HASTY)
    load = asyncio.create_task(fleet.demand(9.0))
    await asyncio.sleep(1.0)
    own_redis.kill()
    await asyncio.sleep(2.5)
    assert not any(limiter.shared for limiter in fleet.limiters)
    assert all(limiter.statistics.fail_open for limiter in fleet.limiters)
    own_redis.start()
    await one_limit_again(fleet, load, rule)


async def test_redis_is_held(own_redis: RedisServer, replicas: Replicas) -> None:
    """A Redis that takes connections and says nothing: nobody waits for it twice, limits hold per replica."""
    rule = Rule(300, 2, 300)
    fleet = await replicas.make(own_redis, rule, HASTY)
    load = asyncio.create_task(fleet.demand(8.0))
    await asyncio.sleep(1.0)
    own_redis.hold()
    await asyncio.sleep(2.0)
    assert not any(limiter.shared for limiter in fleet.limiters)
    own_redis.release()
    await one_limit_again(fleet, load, rule)


async def test_without_redis_from_the_start(own_redis: RedisServer, replicas: Replicas) -> None:
    """Requests are answered, and what they used is told as soon as there is somebody to tell."""
    own_redis.kill()
    fleet = await replicas.make(own_redis, Rule(100, 60, 100), HASTY)
    first, second, _ = fleet.limiters
    assert sum([await fleet.ask(first) for _ in range(70)]) == 70
    own_redis.start()
    while not first.shared:
        await fleet.ask(first)
        await asyncio.sleep(0.05)
    used = len(fleet.spans)
    assert 70 <= used <= 100
    await asyncio.sleep(0.5)
    await asyncio.gather(*(fleet.ask(second) for _ in range(200)))
    await asyncio.gather(*(fleet.ask(first) for _ in range(200)))
    assert len(fleet.spans) <= 100


async def test_redis_forgets_everything(own_redis: RedisServer, replicas: Replicas) -> None:
    """Each replica tells again what it used; so no limit begins anew."""
    fleet = await replicas.make(own_redis, Rule(100, 60, 100))
    first, second, third = fleet.limiters
    assert all([await fleet.ask(first) for _ in range(40)])
    assert all([await fleet.ask(second) for _ in range(20)])
    await asyncio.sleep(0.5)
    own_redis.empty()
    for limiter in (first, second):
        # With more than a slice, so that it has to ask.
        assert await fleet.ask(limiter, 13)
    await asyncio.gather(*(fleet.ask(limiter) for limiter in (third, first, second) for _ in range(60)))
    assert len(fleet.spans) == 100
    assert first.statistics.losses == second.statistics.losses == 1


@pytest.mark.parametrize("jump", [-HOUR_MS, HOUR_MS, -1500, 1500])
async def test_redis_clock_jumps(redis: RedisServer, replicas: Replicas, jump: int) -> None:
    """It neither freezes a budget nor doubles it."""
    skew = [0]

    def clock_ms() -> int:
        return int(time.time() * 1000) + skew[0]

    fleet = await replicas.make(redis, Rule(500, 1, 250), clocks=(clock_ms,) * 3)
    load = asyncio.create_task(fleet.demand(3.3))
    await asyncio.sleep(0.8)
    skew[0] = jump
    await asyncio.sleep(0.9)
    skew[0] = 0
    await load
    assert fleet.most(1.0) <= 500
    assert min(fleet.per_window(1.0, 3)) >= LEAST * 500


@pytest.mark.parametrize("jump", [-HOUR_MS, HOUR_MS])
async def test_a_jump_makes_the_shared_clock_late_but_never_early(
    redis: RedisServer, replicas: Replicas, jump: int
) -> None:
    """What it goes on from is known as exactly as an exchange is fast: uses count too long rather than too short."""
    now, skew = [1000.0], [0]

    def monotonic() -> float:
        # Time passes between any two looks at it: an exchange takes a fifth of a second.
        now[0] += 0.1
        return now[0]

    def clock_ms() -> int:
        return round(now[0] * 1000) + skew[0]

    store = replicas.store(redis, "slow", PATIENT, clock_ms, monotonic)

    async def true_and_shared(call: int) -> tuple[int, int]:
        await store.settle([Order("Scan:ann", Rule(500, 1, 250), call, call > 1, 0, 0, 1, 0, ())])
        with redis.client as client:
            return clock_ms() - skew[0], int(client.hget(CLOCK_KEY, "last"))

    true, shared = await true_and_shared(1)
    skew[0] = jump
    later, shared_later = await true_and_shared(2)
    assert later - true - 400 <= shared_later - shared <= later - true


async def test_the_shared_clock_is_lost(redis: RedisServer, replicas: Replicas) -> None:
    """A Redis that is short of memory may drop any key; budgets neither freeze nor raise errors."""
    skew = [HOUR_MS]
    fleet = await replicas.make(redis, Rule(50, 1, 50), clocks=(lambda: int(time.time() * 1000) + skew[0],) * 3)
    await fleet.demand(0.5)
    skew[0] = 0
    with redis.client as client:
        client.delete(CLOCK_KEY)
    await fleet.demand(2.5)
    assert min(fleet.per_window(1.0, 2)) >= LEAST * 50
    assert fleet.most(1.0) <= 100


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_no_window_holds_more(redis: RedisServer, replicas: Replicas, seed: int) -> None:
    """Random questions to random replicas at random times, on a clock of the test's own."""
    chance = random.Random(seed)  # noqa: S311 - nothing is kept secret with it
    requests = chance.choice([5, 20, 21, 100, 1000])
    rule = Rule(requests, chance.choice([1, 10, 60]), chance.choice([requests, max(1, requests // 5)]))
    now, uses = [1000.0], list[tuple[float, int]]()
    fleet = await replicas.make(
        redis, rule, clocks=(lambda: int(now[0] * 1000),) * 3, monotonic=lambda: now[0], sweeping=False
    )
    for _ in range(400):
        now[0] += chance.choice([0.0, 0.0, 0.001, rule.window / 100, rule.window / 10, chance.random() * rule.window])
        limiter = chance.choice(fleet.limiters)
        if chance.random() < 0.1:
            limiter.sweep()
            await asyncio.sleep(0.002)
        cost = chance.choice([1, 1, 1, 2, max(1, requests // 10)])
        decision = await limiter.wait(Endpoint.SCAN, ANN, cost)
        if decision.allowed:
            uses.append((now[0], cost))
    assert sum(cost for _, cost in uses) >= requests / 2
    times, costs = (np.array(column) for column in zip(*uses, strict=True))
    for start in times:
        inside = (times >= start) & (times < start + rule.window - 0.002)
        assert costs[inside].sum() <= rule.requests


async def test_three_servers_one_limit(
    redis: RedisServer, replicas: Replicas, tmp_path: Path, real_clock: Clock
) -> None:
    """Over HTTP: fifty clients, thirty requests an hour; all others are told when to come back."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
        "limits: {default: {requests: 30, window: 1h}}\n",
        encoding="utf-8",
    )
    tmp_path.joinpath("pypi.csv").write_text("rank,name,tier\n1,requests,protected\n", encoding="utf-8")

    async def asked(n: int) -> tuple[int, str | None]:
        server = servers[n % 3]
        async with server.http.post("/api/v1/scan", json={"ecosystem": "PyPI", "name": "requests"}) as response:
            return response.status, response.headers.get("Retry-After")

    servers = []
    async with AsyncExitStack() as stack:
        for n in range(3):
            setup = Setup(name=f"pod-{n}", library=Library(tmp_path), config=config)
            server = await stack.enter_async_context(
                listening(make_app(setup, real_clock, Log("json", LogLevel.ERROR)))
            )
            await server.parts.limits.reach(redis.url, PATIENT)
            servers.append(server)
        found = await asyncio.gather(*(asked(n) for n in range(150)))
    statuses = [status for status, _ in found]
    assert (statuses.count(200), statuses.count(429)) == (30, 120)
    assert all(wait is not None and 3500 <= int(wait) <= 3600 for status, wait in found if status == 429)


async def test_a_redis_that_is_full(own_redis: RedisServer, replicas: Replicas) -> None:
    """It answers, and keeps nothing: each replica goes by its own count until there is room."""
    fleet = await replicas.make(own_redis, Rule(50, 60, 50))
    first = fleet.limiters[0]
    with own_redis.client as client:
        client.config_set("maxmemory", "1")
        assert sum([await fleet.ask(first) for _ in range(80)]) == 50
        assert first.statistics.fail_open
        client.config_set("maxmemory", "0")
    while not first.shared:
        await asyncio.sleep(0.05)
        await fleet.ask(first)
    assert len(fleet.spans) == 50


async def test_a_key_that_somebody_else_wrote(redis: RedisServer, replicas: Replicas) -> None:
    """It spoils one caller's shared count, and nobody else's."""
    fleet = await replicas.make(redis, Rule(20, 60, 20))
    first, second, _ = fleet.limiters
    with redis.client as client:
        client.set("typosentinel:limits:{Default:addr:spoilt}", "what")
    others = [f"addr:{n}" for n in range(20)]
    found = await asyncio.gather(*(first.wait(Endpoint.SCAN, name) for name in ["addr:spoilt", *others]))
    assert all(decision.allowed for decision in found)
    assert first.shared
    assert first.statistics.fail_open == 1
    for name in others:
        assert (await second.wait(Endpoint.SCAN, name)).remaining == 18


@pytest.mark.parametrize("used", [40, 45, 50, 55, 58, 60])
async def test_one_redis_after_another(
    redis: RedisServer, own_redis: RedisServer, replicas: Replicas, used: int
) -> None:
    """A configuration may name another one, or none any more; a window's uses are told to the new one.

    What is left of a slice is void there: with these numbers some is, and little enough to be asked for more, or not.
    """
    fleet = await replicas.make(redis, Rule(100, 60, 100))
    first, second, _ = fleet.limiters
    assert all([await fleet.ask(first) for _ in range(used)])
    for n, limiter in enumerate((first, second)):
        await limiter.share(replicas.store(own_redis, f"elsewhere-{n}"))
    assert await fleet.ask(first)
    await asyncio.gather(*(fleet.ask(limiter) for _ in range(100) for limiter in (first, second)))
    assert len(fleet.spans) == 100
    await first.share(None)
    assert not await fleet.ask(first)


async def test_another_redis_is_told_of_callers_who_are_silent(
    redis: RedisServer, own_redis: RedisServer, replicas: Replicas
) -> None:
    """Where they go on with another replica, that one knows what they used."""
    fleet = await replicas.make(redis, Rule(100, 60, 100))
    first, second, _ = fleet.limiters
    assert all([await fleet.ask(first) for _ in range(55)])
    before = first.statistics.exchanges
    await first.share(replicas.store(own_redis, "elsewhere-0"))
    await second.share(replicas.store(own_redis, "elsewhere-1"))
    await until(lambda: first.statistics.exchanges > before)
    # The first may hold a slice of the new one, of an eighth at most.
    assert 100 - 100 // 8 <= 55 + sum([await fleet.ask(second) for _ in range(100)]) <= 100
