import asyncio

import pytest
from redis.exceptions import ResponseError

from redisserver import RedisServer
from typosentinel_server.breaker import Breaker, State
from typosentinel_server.clock import Clock
from typosentinel_server.redislink import REDIS_BREAKER, RedisAway, RedisBounds, RedisLink

# A machine that others use, too, may need longer for an answer than a scan would wait.
PATIENT = RedisBounds(timeout=2.0)


def link_to(server: RedisServer, clock: Clock, bounds: RedisBounds = PATIENT) -> RedisLink:
    """Link to."""
    return RedisLink(server.url, Breaker("redis", REDIS_BREAKER, clock.monotonic), bounds)


async def test_calls_are_answered(redis: RedisServer, real_clock: Clock) -> None:
    """Calls are answered."""
    link = link_to(redis, real_clock)
    await link.call(lambda client: client.set("a", b"1"))
    assert await link.call(lambda client: client.get("a")) == b"1"
    await link.close()


async def test_a_refused_command_says_that_redis_is_there(redis: RedisServer, real_clock: Clock) -> None:
    """A refused command says that redis is there."""
    link = link_to(redis, real_clock)
    await link.call(lambda client: client.set("words", "no number"))
    for _ in range(10):
        with pytest.raises(ResponseError):
            await link.call(lambda client: client.incrby("words", 1))
    assert link.breaker.state is State.CLOSED
    await link.close()


async def test_a_held_redis_opens_the_breaker(own_redis: RedisServer, real_clock: Clock) -> None:
    """A held redis opens the breaker."""
    link = link_to(own_redis, real_clock, RedisBounds(timeout=0.02))
    own_redis.hold()
    for _ in range(6):
        with pytest.raises(RedisAway):
            await link.call(lambda client: client.get("a"))
    assert not link.breaker.admit()
    own_redis.release()
    await asyncio.sleep(REDIS_BREAKER.cooldown)
    assert await link.call(lambda client: client.get("a")) is None
    assert link.breaker.state is State.CLOSED
    await link.close()


async def test_a_closed_link_opens_no_connection(redis: RedisServer, real_clock: Clock) -> None:
    """Who calls too late hears so; nobody would close what was opened for it."""
    link = link_to(redis, real_clock)
    await link.call(lambda client: client.ping())
    await link.close()
    with pytest.raises(RedisAway, match="redis: the link is closed"):
        await link.call(lambda client: client.ping())
    assert link.breaker.state is State.CLOSED
