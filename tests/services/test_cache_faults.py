"""What is dear while Redis is killed, held, swallowed, flaps, is wiped; and callers that go away in the middle."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest

from redisserver import RedisServer
from replicas import REAL, Counting, replica, replicas, settings_for, until
from swallowing import Proxy
from typosentinel_server.breaker import Breaker, State
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.copies import Tier
from typosentinel_server.cache.names import Kind
from typosentinel_server.loops import new_event_loop
from typosentinel_server.redislink import REDIS_BREAKER, RedisAway, RedisBounds, RedisBusy, RedisLink

NAME = "evidence/registry/PyPI/requests"
# What the design promises: out of the way within one second, back within ten.
# What a scan waits for at the most.
AS_SHIPPED = {"timeout": "50ms"}
OPEN_WITHIN = 1.0
BACK_WITHIN = 10.0


@contextlib.asynccontextmanager
async def load(caches: Caches, origin: Counting) -> AsyncIterator[list[BaseException]]:
    """Callers who ask for ever new names; the list holds what went wrong."""
    failures: list[BaseException] = []
    numbers = iter(range(10**9))

    async def ask() -> None:
        while True:
            try:
                await caches.dear.fetch(f"evidence/{next(numbers)}", origin.of("a"))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                failures.append(error)
            await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(ask()) for _ in range(8)]
    try:
        yield failures
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_use(caches: Caches) -> float:
    """Waits until Redis is in use again; seconds that it took."""
    side = caches.redis
    assert side is not None
    stored = side.tier.stored.stored
    return await until(
        lambda: (
            side.bus.connected
            and side.tier.link.breaker.state is State.CLOSED
            and side.tier.stored.stored > stored + 10
        ),
        BACK_WITHIN,
    )


@pytest.mark.parametrize("fault", ["kill", "hold", "swallow", "refuse"])
async def test_a_redis_that_goes_and_comes_back_under_load(own_redis: RedisServer, fault: str) -> None:
    """No caller fails; the breaker opens within a second, and all is as before within ten of its return."""
    origin = Counting()
    async with (
        Proxy(own_redis.port) as proxy,
        replica(settings_for(proxy.url, redis=AS_SHIPPED)) as one,
        load(one, origin) as failures,
    ):
        side = one.redis
        assert side is not None
        breaker = side.tier.link.breaker
        await in_use(one)
        went: dict[str, Callable[[], None]] = {
            "kill": own_redis.kill,
            "hold": own_redis.hold,
            "swallow": proxy.swallow,
            "refuse": proxy.refuse,
        }
        came: dict[str, Callable[[], None]] = {
            "kill": own_redis.start,
            "hold": own_redis.release,
            "swallow": proxy.pass_on,
            "refuse": proxy.pass_on,
        }
        went[fault]()
        await until(lambda: breaker.state is State.OPEN, OPEN_WITHIN)
        # Long enough for the pauses to have grown.
        await asyncio.sleep(2.5)
        made = origin.calls
        await until(lambda: origin.calls > made)
        came[fault]()
        await in_use(one)

        assert failures == []


async def test_what_is_known_is_answered_at_once_while_redis_is_swallowed(redis: RedisServer) -> None:
    """Memory needs no Redis; the first callers for what is not there wait no longer than the timeout."""
    origin = Counting()
    async with Proxy(redis.port) as proxy, replica(settings_for(proxy.url, redis=AS_SHIPPED)) as one:
        await one.dear.fetch(NAME, origin.of("a"))
        proxy.swallow()
        assert one.redis is not None
        breaker = one.redis.tier.link.breaker
        await asyncio.gather(*(one.dear.fetch(f"evidence/{n}", origin.of("b")) for n in range(20)))

        assert breaker.state is State.OPEN
        assert (await one.dear.fetch(NAME, origin.of("c"))).tier is Tier.EVIDENCE
        before = one.tiers["redis"].requests["off"]
        await one.dear.fetch("evidence/new", origin.of("d"))
        assert one.tiers["redis"].requests["off"] == before + 1


async def test_a_redis_that_comes_and_goes_each_half_second_does_not_make_the_breaker_flap(
    own_redis: RedisServer,
) -> None:
    """No caller fails, the breaker opens ever more seldom, and all is as before within ten seconds of the end."""
    origin = Counting()
    async with (
        Proxy(own_redis.port) as proxy,
        replica(settings_for(proxy.url, redis=AS_SHIPPED)) as one,
        load(one, origin) as failures,
    ):
        side = one.redis
        assert side is not None
        breaker = side.tier.link.breaker
        await in_use(one)
        changes: list[State] = []
        breaker._on_change = changes.append
        for number in range(16):
            if number % 2 == 0:
                proxy.swallow()
            else:
                proxy.pass_on()
            await asyncio.sleep(0.5)
        # Half a second, one, two, four: more does not fit into eight seconds.
        assert changes.count(State.OPEN) <= 5
        proxy.pass_on()
        await in_use(one)

        assert failures == []


async def test_replies_that_are_cut_off_are_no_answers(redis: RedisServer) -> None:
    """Connections are reset in the midst of replies, at every length; nobody gets half a value."""
    origin = Counting()
    settings = settings_for(redis.url, evidence={"maxEntries": 0})
    async with replica(settings) as one:
        await one.dear.fetch(NAME, origin.of("a"))
    async with Proxy(redis.port) as proxy:
        for cut in range(1, 160, 3):
            proxy.cut_after = cut
            link = RedisLink(proxy.url, Breaker("redis", REDIS_BREAKER, time.monotonic))
            with contextlib.suppress(RedisAway):
                found = await link.call(lambda client: client.get("nothing"))
                assert found is None
            await link.close()
        proxy.cut_after = None
        async with replica(settings_for(proxy.url, redis=AS_SHIPPED, evidence={"maxEntries": 0})) as two:
            # Enough for the connection's own first words, not for the record.
            proxy.cut_after = 300
            for _ in range(20):
                value = (await two.dear.fetch(NAME, origin.of("b"))).value
                assert value == b"a 1" or value.startswith(b"b ")


async def test_a_wiped_redis_is_filled_again(redis: RedisServer) -> None:
    """Nobody fails; what is asked for is made again once."""
    origin = Counting()
    async with replicas(2, settings_for(redis.url)) as (one, two):
        await one.dear.fetch(NAME, origin.of("a"))
        before = max(one.log.floor, two.log.floor)
        redis.empty()
        # Whoever hears of anything new sees that the log is another one.
        await one.invalidate(Kind.TAG, "nothing")
        await until(lambda: min(one.log.floor, two.log.floor) > before)
        found = [await caches.dear.fetch(NAME, origin.of("b")) for caches in (one, two)]
        assert [one.value for one in found] == [b"b 2", b"b 2"]


async def test_an_invalidation_while_redis_is_away_is_told_when_it_is_back(own_redis: RedisServer) -> None:
    """Here it counts at once; elsewhere as soon as it can be told."""
    origin = Counting()
    async with (
        Proxy(own_redis.port) as proxy,
        replica(settings_for(proxy.url, redis=AS_SHIPPED)) as one,
        replica(settings_for(own_redis.url)) as two,
    ):
        for caches in (one, two):
            await caches.dear.fetch(NAME, origin.of("old"))
        proxy.refuse()
        assert not await one.invalidate(Kind.KEY, NAME)
        assert (await one.dear.fetch(NAME, origin.of("new"))).value == b"new 2"
        assert (await two.dear.fetch(NAME, origin.of("x"))).value == b"old 1"
        proxy.pass_on()
        await until(lambda: two.invalidations[Kind.KEY] == 1)
        assert (await two.dear.fetch(NAME, origin.of("newer"))).value in (b"new 2", b"newer 3")


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, new_event_loop], ids=["asyncio", "ours"])
def test_nobody_gets_another_ones_reply(redis: RedisServer, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Ten thousand callers are cancelled at any moment of their call; all others read their own value."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_cancelled_ten_thousand_times(redis))


async def _cancelled_ten_thousand_times(redis: RedisServer) -> None:
    rng = random.Random(11)  # noqa: S311 - the same moments in every run, as far as a machine can
    link = RedisLink(redis.url, Breaker("redis", REDIS_BREAKER, REAL.monotonic), RedisBounds(1.0, 16))
    with redis.client as client:
        client.mset({f"user:{n}": f"value of {n}" for n in range(100)})
    cancelled = answered = 0
    wrong: list[tuple[int, object]] = []

    async def ask(user: int) -> None:
        nonlocal answered
        try:
            found = await link.call(lambda client: client.get(f"user:{user}"))
        except RedisBusy:
            return
        answered += 1
        if found != f"value of {user}".encode():
            wrong.append((user, found))

    while cancelled < 10_000:
        tasks = [asyncio.create_task(ask(rng.randrange(100))) for _ in range(16)]
        for _ in range(rng.randrange(12)):
            await asyncio.sleep(0)
        if rng.random() < 0.3:
            await asyncio.sleep(rng.random() / 2000)
        for task in tasks:
            if rng.random() < 0.9 and task.cancel():
                cancelled += 1
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            assert found is None or isinstance(found, asyncio.CancelledError)
    await asyncio.gather(*(ask(n % 100) for n in range(16)))
    await link.close()

    assert wrong == []
    assert answered > 1000
    assert link.breaker.state is State.CLOSED


async def test_cancelled_callers_of_the_cache_get_nobody_elses_value(redis: RedisServer) -> None:
    """The same through all tiers, memory switched off."""
    rng = random.Random(13)  # noqa: S311 - as above
    async with replica(settings_for(redis.url, evidence={"maxEntries": 0})) as one:
        origin = Counting()
        for n in range(50):
            await one.dear.fetch(f"user/{n}", origin.of(f"value-of-{n}"))

        async def ask(user: int) -> None:
            found = await one.dear.fetch(f"user/{user}", origin.of(f"value-of-{user}"))
            assert found.value.startswith(f"value-of-{user} ".encode())

        for _ in range(100):
            tasks = [asyncio.create_task(ask(rng.randrange(50))) for _ in range(10)]
            await asyncio.sleep(rng.random() / 1000)
            for task in tasks[::2]:
                task.cancel()
            for found in await asyncio.gather(*tasks, return_exceptions=True):
                assert found is None or isinstance(found, asyncio.CancelledError)


async def test_a_server_that_stops_at_any_moment_comes_to_an_end(redis: RedisServer) -> None:
    """Also while it connects, subscribes or asks; nothing of it is left behind."""
    rng = random.Random(17)  # noqa: S311 - as above
    for number in range(100):
        origin = Counting()
        async with asyncio.timeout(5), replica(settings_for(redis.url), listening=False) as one:
            asking = [asyncio.create_task(one.dear.fetch(f"{number}/{n}", origin.of("a"))) for n in range(5)]
            await asyncio.sleep(rng.random() / 50)
        await asyncio.gather(*asking, return_exceptions=True)
    left = {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}  # type: ignore[union-attr]
    assert "invalidations" not in left


async def test_having_no_connection_left_is_not_the_fault_of_redis(redis: RedisServer) -> None:
    """The call fails at once, and the breaker stays as it was."""
    link = RedisLink(redis.url, Breaker("redis", REDIS_BREAKER, REAL.monotonic), RedisBounds(1.0, 2))
    found = await asyncio.gather(*(link.call(lambda client: client.ping()) for _ in range(50)), return_exceptions=True)
    await link.close()

    assert sum(isinstance(one, RedisBusy) for one in found) >= 40
    assert (link.breaker.state, link.breaker.failures) == (State.CLOSED, 0)
