"""What is dear, with a real Redis: shared, invalidated everywhere, and believed only where it is whole."""

import asyncio
import base64
import os
from pathlib import Path

import pytest

from redisserver import RedisServer
from replicas import Counting, replica, replicas, settings_for, until
from typosentinel_server.cache.admin import CacheAdmin
from typosentinel_server.cache.bus import LOG_KEY, MAX_LOGGED
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.copies import Tier
from typosentinel_server.cache.names import Kind
from typosentinel_server.cache.redistier import place_of
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.redislink import RedisAway

NAME = "evidence/registry/PyPI/requests"
TAGS = ("corpus/PyPI/1",)


async def test_what_one_replica_made_another_has(redis: RedisServer) -> None:
    """Value and age come along; memory has it from then on."""
    origin = Counting()
    async with replicas(2, settings_for(redis.url)) as (one, two):
        made = await one.dear.fetch(NAME, origin.of("a"))
        found = await two.dear.fetch(NAME, origin.of("b"))
        again = await two.dear.fetch(NAME, origin.of("c"))

        assert [made.tier, found.tier, again.tier] == [Tier.ORIGIN, Tier.REDIS, Tier.EVIDENCE]
        assert made.value == found.value == again.value == b"a 1"
        assert found.age >= 0
        assert two.tiers["redis"].requests == {"hit": 1, "stale": 0, "miss": 0, "off": 0}
    with redis.client as client:
        assert 3_500_000 < client.pttl(place_of(NAME)) <= 3_660_000


@pytest.mark.parametrize(("kind", "text"), [(Kind.KEY, NAME), (Kind.PATTERN, "evidence/*/PyPI/*"), (Kind.TAG, *TAGS)])
async def test_an_invalidation_reaches_all_replicas(redis: RedisServer, kind: Kind, text: str) -> None:
    """What they hold in memory and what is in Redis is worthless; what it is not about is left."""
    origin = Counting()
    other = "evidence/registry/npm/lodash"
    async with replicas(3, settings_for(redis.url)) as all_:
        for caches in all_:
            await caches.dear.fetch(NAME, origin.of("old"), TAGS)
            await caches.dear.fetch(other, origin.of("other"))
        assert await all_[0].invalidate(kind, text)
        await until(lambda: all(caches.invalidations[kind] for caches in all_))
        found = [await caches.dear.fetch(NAME, origin.of("new"), TAGS) for caches in all_[::-1]]

        assert {one.value for one in found} == {b"new 3"}
        assert [(await caches.dear.fetch(other, origin.of("x"))).tier for caches in all_] == [Tier.EVIDENCE] * 3


async def test_one_that_comes_later_does_not_believe_what_was_invalidated(redis: RedisServer) -> None:
    """The record is still in Redis; the log says that it is worthless."""
    origin = Counting()
    async with replica(settings_for(redis.url)) as one:
        await one.dear.fetch(NAME, origin.of("old"))
        await one.invalidate(Kind.KEY, NAME)
    with redis.client as client:
        assert client.exists(place_of(NAME))
    async with replica(settings_for(redis.url)) as two:
        assert (await two.dear.fetch(NAME, origin.of("new"))).value == b"new 2"


async def test_what_was_being_made_when_it_was_invalidated_is_not_kept(redis: RedisServer) -> None:
    """Another replica's invalidation is about it, too."""
    origin = Counting(0.2)
    async with replicas(2, settings_for(redis.url)) as (one, two):
        making = asyncio.create_task(one.dear.fetch(NAME, origin.of("old")))
        await until(lambda: origin.calls == 1)
        await two.invalidate(Kind.KEY, NAME)
        await until(lambda: one.invalidations[Kind.KEY] == 1)
        await making
        origin.seconds = 0

        assert (await two.dear.fetch(NAME, origin.of("new"))).value == b"new 2"
        assert (await one.dear.fetch(NAME, origin.of("newer"))).value == b"new 2"


async def test_verdicts_are_invalidated_by_key_and_pattern(redis: RedisServer) -> None:
    """They are in memory alone, in every replica."""
    async with replicas(2, settings_for(redis.url)) as (one, two):
        for caches in (one, two):
            for name in ("a", "b", "c"):
                caches.verdicts.put(("PyPI", name), name)
        await one.invalidate(Kind.KEY, "verdict/PyPI/a")
        await one.invalidate(Kind.PATTERN, "verdict/*/b")
        await one.invalidate(Kind.PATTERN, "evidence/*")
        await until(lambda: two.invalidations[Kind.PATTERN] == 2)

        for caches in (one, two):
            assert [caches.verdicts.peek(("PyPI", name)) for name in "abc"] == [None, None, "c"]


async def test_a_subscriber_that_was_away_hears_what_it_missed(redis: RedisServer) -> None:
    """Its connection was killed; the log has what was said meanwhile."""
    origin = Counting()
    async with replicas(2, settings_for(redis.url)) as (one, two):
        await two.dear.fetch(NAME, origin.of("old"))
        with redis.client as client:
            client.client_kill_filter(_type="pubsub")
            await one.invalidate(Kind.KEY, NAME)
        await until(lambda: two.invalidations[Kind.KEY] == 1)

        assert (await two.dear.fetch(NAME, origin.of("new"))).value.startswith(b"new")


async def test_the_log_is_bounded_and_forgets_on_the_safe_side(redis: RedisServer) -> None:
    """Who comes after so many invalidations believes nothing from before them, and everything after."""
    origin = Counting()
    async with replica(settings_for(redis.url)) as one:
        await one.dear.fetch(NAME, origin.of("old"))
        for n in range(MAX_LOGGED + 50):
            await one.invalidate(Kind.KEY, f"other/{n}")
        with redis.client as client:
            assert client.hlen(LOG_KEY) <= MAX_LOGGED + 4
        async with replica(settings_for(redis.url)) as two:
            assert (await two.dear.fetch(NAME, origin.of("new"))).value == b"new 2"
            await two.dear.fetch("a", origin.of("kept"))
        async with replica(settings_for(redis.url)) as three:
            assert (await three.dear.fetch("a", origin.of("x"))).tier is Tier.REDIS


async def test_replicas_make_what_is_dear_once(redis: RedisServer) -> None:
    """Three replicas, a hundred callers each, one call of the origin; so too when it has to be made anew."""
    origin = Counting(0.2)
    async with replicas(3, settings_for(redis.url)) as all_:
        found = await asyncio.gather(*(c.dear.fetch(NAME, origin.of("a")) for c in all_ for _ in range(100)))
        assert {one.value for one in found} == {b"a 1"}
        assert origin.calls == 1


async def test_who_waits_for_a_dead_maker_goes_alone(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease of a replica that died holds nobody up for longer than agreed."""
    monkeypatch.setattr("typosentinel_server.cache.tiered.WAIT_SECONDS", 0.3)
    async with replica(settings_for(redis.url)) as one:
        assert one.redis is not None
        assert await one.redis.leases.take(NAME) is not None
        assert await one.redis.leases.take(NAME) is None
        async with asyncio.timeout(5):
            assert (await one.dear.fetch(NAME, Counting().of("a"))).value == b"a 1"


async def test_a_maker_that_fails_lets_the_next_one_try(redis: RedisServer) -> None:
    """Its lease is given back at once."""
    origin = Counting(0.1)
    async with replicas(2, settings_for(redis.url)) as (one, two):
        origin.broken = True
        failing = asyncio.create_task(one.dear.fetch(NAME, origin.of("a")))
        await until(lambda: origin.calls == 1)
        waiting = asyncio.create_task(two.dear.fetch(NAME, Counting().of("b")))
        with pytest.raises(RuntimeError):
            await failing
        assert (await waiting).value == b"b 1"


async def test_a_lease_is_freed_by_its_holder_alone(redis: RedisServer) -> None:
    """One whose time was over does not free the next one's."""
    async with replica(settings_for(redis.url)) as one:
        assert one.redis is not None
        leases = one.redis.leases
        lease = await leases.take(NAME)
        assert lease is not None
        with redis.client as client:
            client.set(lease.place, "another's")
        await leases.release(lease)
        assert await leases.take(NAME) is None


async def test_five_hundred_callers_on_a_stale_key_make_one_revalidation(redis: RedisServer) -> None:
    """With a slow origin, and then a broken one; nobody gets anything older than stated."""
    origin = Counting(0.3)
    settings = settings_for(redis.url, redis={"ttl": "1s"}, evidence={"ttl": "1s"}, staleWhileRevalidate="2s")
    async with replicas(3, settings) as all_:
        for caches in all_:
            await caches.dear.fetch(NAME, origin.of("a"))
        assert origin.calls == 1
        await asyncio.sleep(1.05)
        found = await asyncio.gather(*(all_[n % 3].dear.fetch(NAME, origin.of("b")) for n in range(500)))
        assert all(one.stale and one.age <= all_[0].dear.max_age for one in found)
        await until(lambda: sum(caches.dear.revalidations["done"] for caches in all_) == 3)
        assert origin.calls == 2

        origin.broken, origin.seconds = True, 0.0
        await asyncio.sleep(1.05)
        found = await asyncio.gather(*(all_[0].dear.fetch(NAME, origin.of("c")) for n in range(500)))
        assert {one.value for one in found} == {b"b 2"}
        await until(lambda: all_[0].dear.revalidations["failed"] == 1)
        assert origin.calls == 3


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_damaged_record_is_a_miss(redis: RedisServer, tmp_path: Path, *, encrypted: bool) -> None:
    """A flipped bit in every byte, a cut, another key's record, a stranger's value, one of another type."""
    others = {}
    if encrypted:
        (tmp_path / "keys").write_bytes(base64.b64encode(os.urandom(32)))
        others = {"encryption": {"keyFile": str(tmp_path / "keys")}}
    origin = Counting()
    async with replica(settings_for(redis.url, evidence={"maxEntries": 0}, **others)) as one:
        await one.dear.fetch(NAME, origin.of("a"))
        with redis.client as client:
            whole = client.get(place_of(NAME))
            assert isinstance(whole, bytes)
            assert (b"requests" in whole) is not encrypted
            damaged = [whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(len(whole))]
            damaged += [whole[:-1], whole[:5], b"", b"{}", b"x" * 200]
            for number, blob in enumerate(damaged, 2):
                client.set(place_of(NAME), blob)
                found = await one.dear.fetch(NAME, origin.of("a"), shared=False)
                assert (found.value, found.tier) == (f"a {number}".encode(), Tier.ORIGIN)
            assert one.redis is not None
            assert sum(one.redis.tier.damaged.values()) == len(damaged)
            client.set(place_of("moved"), whole)
            assert (await one.dear.fetch("moved", origin.of("b"))).tier is Tier.ORIGIN
            client.delete(place_of(NAME))
            client.rpush(place_of(NAME), "a list")
            assert (await one.dear.fetch(NAME, origin.of("c"))).tier is Tier.ORIGIN


async def test_large_values_are_packed(redis: RedisServer) -> None:
    """And come back whole, also those that are packed in a thread."""
    async with replicas(2, settings_for(redis.url)) as (one, two):
        for size in (3000, 1_000_000):
            value = b'{"name": "requests"}' * (size // 20)
            await one.dear.put(f"batch/{size}", value)
            found = await two.dear.get(f"batch/{size}")
            assert found is not None
            assert (found.value, found.tier) == (value, Tier.REDIS)
            with redis.client as client:
                assert client.strlen(place_of(f"batch/{size}")) < size / 10


async def test_a_full_redis_is_no_reason_to_fail(own_redis: RedisServer) -> None:
    """Writes are refused and counted; what is made is made once a replica, and answered from its memory."""
    origin = Counting()
    async with replica(settings_for(own_redis.url)) as one:
        with own_redis.client as client:
            client.config_set("maxmemory", "1mb")
        for n in range(50):
            await one.dear.fetch(f"evidence/{n}", origin.of("a"))
            assert (await one.dear.fetch(f"evidence/{n}", origin.of("a"))).tier is Tier.EVIDENCE
        assert origin.calls == 50
        assert one.redis is not None
        await one.dear.put("batch/1", b"x")
        assert one.redis.tier.stored.refused > 0
        assert not await one.invalidate(Kind.KEY, "batch/1")
        assert await one.dear.get("batch/1") is None
        with own_redis.client as client:
            client.config_set("maxmemory", "0")
        bus = one.redis.bus
        await until(lambda: bus.pending == 0)


async def test_a_redis_that_is_full_from_the_start_is_not_used(tmp_path: Path) -> None:
    """Where not even the log of invalidations can be kept, nothing in it can be trusted."""
    server = RedisServer(tmp_path, "--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
    server.start()
    try:
        origin = Counting()
        async with replica(settings_for(server.url), listening=False) as one:
            for _ in range(3):
                await one.dear.fetch(NAME, origin.of("a"))
            assert origin.calls == 1
    finally:
        server.stop()


async def test_a_redis_that_evicts_anything_is_believed_in_nothing_old(redis: RedisServer) -> None:
    """Where the log of invalidations is gone, so is the trust in what was made before."""
    origin = Counting()
    async with replica(settings_for(redis.url)) as one:
        await one.dear.fetch(NAME, origin.of("old"))
        await one.invalidate(Kind.KEY, NAME)
        with redis.client as client:
            client.delete(LOG_KEY)
        async with replica(settings_for(redis.url)) as two:
            assert (await two.dear.fetch(NAME, origin.of("new"))).value == b"new 2"


async def test_administration(redis: RedisServer) -> None:
    """Single keys, several at once, invalidation, and the report."""
    async with replicas(2, settings_for(redis.url)) as (one, two):
        admin, elsewhere = CacheAdmin(one), CacheAdmin(two)
        await admin.put_many({"a": b"1", "b": b"2"}, ["x"])
        assert {key: found.value for key, found in (await elsewhere.get_many(["a", "b", "c"])).items()} == {
            "a": b"1",
            "b": b"2",
        }
        assert await admin.delete("a")
        assert not await admin.delete("c")
        await until(lambda: two.invalidations[Kind.KEY] == 2)
        assert await elsewhere.get("a") is None
        cleared = await admin.clear()
        assert (cleared.kind, cleared.shared) == (Kind.ALL, True)
        await until(lambda: two.invalidations[Kind.ALL] == 1)
        assert await elsewhere.get("b") is None
        report = elsewhere.stats()
        assert set(report.tiers) == {"memory", "evidence", "redis"}
        assert (report.connected, report.pending) == (True, 0)
        assert report.breakers == {"redis-cache": "closed", "redis-invalidation": "closed"}


async def test_other_settings_take_effect_while_it_runs(redis: RedisServer, own_redis: RedisServer) -> None:
    """Another Redis, none, and one again; what is in memory stays unless nobody knows what was missed."""
    origin = Counting()
    async with replica(settings_for(redis.url)) as one:
        await one.dear.fetch(NAME, origin.of("a"))

        async def use(caches: Caches, **document: object) -> None:
            settings = type(caches.settings).model_validate(document)
            await caches.take(await caches.prepare(settings))

        await use(one, evidence={"maxEntries": 5})
        assert "redis" not in one.tiers
        assert (await one.dear.fetch(NAME, origin.of("b"))).tier is Tier.EVIDENCE
        await use(one, redis={"url": own_redis.url})
        await until(lambda: one.redis is not None and one.redis.bus.connected)
        await one.dear.fetch("other", origin.of("c"))
        with own_redis.client as client:
            assert client.exists(place_of("other"))
    with redis.client as client:
        names = {entry["name"] for entry in client.client_list()}
    assert not {name for name in names if name.startswith("typosentinel")}


async def test_connections_have_names_and_credentials_come_from_a_file(tmp_path: Path) -> None:
    """And a password shows nowhere."""
    server = RedisServer(tmp_path, password="s3cret")  # noqa: S106 - a test's own
    server.start()
    try:
        file = tmp_path / "url"
        file.write_text(server.url.replace("redis://", "redis://:s3cret@") + "\n")
        settings = settings_for(server.url, redis={"url": None, "urlFile": str(file)})
        async with replica(settings) as one:
            await one.dear.fetch(NAME, Counting().of("a"))
            assert one.redis is not None
            connections = await one.redis.tier.link.call(lambda client: client.client_list())
            assert {"typosentinel-cache", "typosentinel-invalidation", "typosentinel-subscriber"} <= {
                entry["name"] for entry in connections
            }
            assert "s3cret" not in repr((one.redis.blueprint, one._opened, one.settings))
            file.write_text("http://elsewhere\n")
            with pytest.raises(ConfigurationInvalid, match=r"cache\.redis\.urlFile") as error:
                await one.prepare(settings)
            assert "elsewhere" not in error.value.message
        async with replica(settings_for(server.url), listening=False) as two:
            assert (await two.dear.fetch(NAME, Counting().of("b"))).tier is Tier.ORIGIN
            assert two.redis is not None
            with pytest.raises(RedisAway) as away:
                await two.redis.tier.get(NAME)
            assert "s3cret" not in str(away.value)
    finally:
        server.stop()
