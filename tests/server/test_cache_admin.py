"""Caches by hand, without a Redis."""

import asyncio
from typing import Any

import pytest

from running import StillClock
from typosentinel_server.cache.admin import MAX_AT_ONCE, MAX_VALUE_BYTES, CacheAdmin
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.cache.names import Kind
from typosentinel_server.errors import InvalidRequest
from typosentinel_server.sections.cache import CacheSettings

NAME = "evidence/registry/PyPI/requests"


@pytest.fixture
def caches(still: StillClock) -> Caches:
    """Caches in memory alone."""
    verdicts: MemoryCache[Any, Any] = MemoryCache(10, 10.0, still.clock.monotonic)
    return Caches(verdicts, CacheSettings(), still.clock, lambda: 0.5)


@pytest.fixture
def admin(caches: Caches) -> CacheAdmin:
    """Somebody who may."""
    return CacheAdmin(caches)


async def test_single_keys(admin: CacheAdmin) -> None:
    """Kept, found, deleted."""
    assert await admin.get(NAME) is None
    await admin.put(NAME, b"v", ["x"])
    found = await admin.get(NAME)

    assert found is not None
    assert (found.value, found.stale) == (b"v", False)
    assert (await admin.delete(NAME), await admin.delete(NAME)) == (True, False)


async def test_several_at_once(admin: CacheAdmin) -> None:
    """All of them or none."""
    await admin.put_many({"a": b"1", "b": b"2"})
    assert {key: found.value for key, found in (await admin.get_many(["a", "b", "c"])).items()} == {
        "a": b"1",
        "b": b"2",
    }
    with pytest.raises(InvalidRequest):
        await admin.put_many({"c": b"3", "\n": b"4"})
    with pytest.raises(InvalidRequest):
        await admin.put_many({"c": b"3", "d": bytes(MAX_VALUE_BYTES + 1)})
    with pytest.raises(InvalidRequest):
        await admin.put_many({"c": b"3"}, [""])
    assert await admin.get("c") is None


@pytest.mark.parametrize("count", [0, MAX_AT_ONCE + 1])
async def test_not_too_many_at_once(admin: CacheAdmin, count: int) -> None:
    """Nor none."""
    keys = [f"k{n}" for n in range(count)]
    with pytest.raises(InvalidRequest):
        await admin.get_many(keys)
    with pytest.raises(InvalidRequest):
        await admin.put_many(dict.fromkeys(keys, b""))


async def test_invalidation(admin: CacheAdmin, caches: Caches) -> None:
    """What is dear and verdicts by name, each by what it answers to."""
    await admin.put(NAME, b"v", ["x"])
    for name in ("requests", "r\u0435quests", "numpy"):
        caches.verdicts.put(("PyPI", name), 1)
    assert (await admin.invalidate(Kind.TAG, "x")).shared
    assert await admin.get(NAME) is None
    await admin.invalidate(Kind.KEY, "verdict/PyPI/r%D0%B5quests")
    await admin.invalidate(Kind.PATTERN, "verdict/*/num*")
    assert [caches.verdicts.peek(("PyPI", name)) for name in ("requests", "r\u0435quests", "numpy")] == [1, None, None]
    await admin.put(NAME, b"w")
    await admin.clear()

    assert await admin.get(NAME) is None
    assert len(caches.verdicts) == len(caches.dear.memory) == 0


@pytest.mark.parametrize(
    ("kind", "text"), [(Kind.KEY, ""), (Kind.PATTERN, "x" * 257), (Kind.TAG, "a\nb"), (Kind.ALL, "x")]
)
async def test_what_picks_nothing_is_refused(admin: CacheAdmin, kind: Kind, text: str) -> None:
    """And nothing is invalidated."""
    await admin.put(NAME, b"v")
    with pytest.raises(InvalidRequest):
        await admin.invalidate(kind, text)
    assert await admin.get(NAME) is not None


async def test_the_report(admin: CacheAdmin, caches: Caches) -> None:
    """What happened in each tier; without Redis there is nothing to connect to."""

    async def make() -> bytes:
        return b"v"

    await caches.dear.fetch(NAME, make)
    await caches.dear.fetch(NAME, make)
    await admin.clear()
    found = admin.stats()

    assert set(found.tiers) == {"memory", "evidence"}
    assert found.tiers["evidence"].hit_rate == 0.5
    assert (found.makes, found.connected, found.pending) == ({"done": 1, "failed": 0}, None, 0)
    assert found.invalidations["all"] == 1


async def test_running_without_redis_ends_when_it_is_told_to(caches: Caches) -> None:
    """There is nothing to listen to, and nothing left behind."""
    refusals: list[str] = []
    task = asyncio.create_task(caches.run(lambda _event, *, reason: refusals.append(reason)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert refusals == []
