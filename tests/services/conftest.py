"""The server between real services: Redis, providers, strangers."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from limitfleet import Replicas
from origin import Origin, opened
from redisserver import RedisServer
from running import StillClock
from typosentinel_server.clock import Clock


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here may take longer than a unit test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.services)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(60))


@pytest.fixture
def real_clock() -> Clock:
    """The clocks that the program itself uses."""
    return Clock(wall=time.time, monotonic=time.monotonic)


@pytest.fixture
def still() -> StillClock:
    """A clock that stands until a test moves it."""
    return StillClock()


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for the tests that leave it alive."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """An empty Redis that must not be harmed."""
    shared_redis.empty()
    return shared_redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis to kill, hold and wipe."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def replicas() -> AsyncIterator[Replicas]:
    """Makes replicas that share a limit; they end with the test."""
    async with AsyncExitStack() as stack:
        yield Replicas(stack)


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A provider that does as it is told."""
    async with opened() as found:
        yield found
