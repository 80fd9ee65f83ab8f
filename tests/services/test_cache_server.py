"""A whole server with a Redis that goes and comes back."""

import asyncio
from pathlib import Path

from redisserver import RedisServer
from replicas import REAL, Counting, until
from running import ask, listening, samples
from typosentinel_server.app import Setup, make_app
from typosentinel_server.engines import Library
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel

DOCUMENT = """
apiVersion: typosentinel.io/v1alpha1
kind: ServerConfiguration
cache:
  redis: {urlFile: URL}
  preload: {popular: 2}
"""


def setup_in(folder: Path, url: str) -> Setup:
    """A server with a short list and a document that names a Redis."""
    lists = folder / "lists"
    lists.mkdir()
    names = "".join(f"{n},{name},protected\n" for n, name in enumerate(("requests", "numpy", "flask"), 1))
    lists.joinpath("pypi.csv").write_text(f"rank,name,tier\n{names}", encoding="utf-8")
    (folder / "url").write_text(url)
    config = folder / "config.yaml"
    config.write_text(DOCUMENT.replace("URL", str(folder / "url")))
    return Setup(name="pod-1", library=Library(lists), config=config, timing=Timing(drain=0.1))


async def test_scans_go_on_whatever_redis_does(own_redis: RedisServer, tmp_path: Path) -> None:
    """Killed, started empty, wiped: no scan fails, and what is dear is shared again."""
    app = make_app(setup_in(tmp_path, own_redis.url), REAL, Log("json", LogLevel.ERROR))
    async with listening(app) as server:
        caches, origin = server.parts.caches, Counting()
        side = caches.redis
        assert side is not None
        assert len(caches.verdicts) == 2
        await until(lambda: side.bus.connected)
        steps = [lambda: None, own_redis.kill, own_redis.start, own_redis.empty]
        for number, step in enumerate(steps):
            await asyncio.to_thread(step)
            for n in range(50):
                await ask(server, ecosystem="PyPI", name=f"reqeusts{number}{n}")
                await caches.dear.fetch(f"evidence/{number}/{n}", origin.of("a"))
        assert origin.calls == 200
        stored = side.tier.stored.stored
        numbers = iter(range(10**6))
        while side.tier.stored.stored == stored or not side.bus.connected:
            await caches.dear.fetch(f"evidence/after/{next(numbers)}", origin.of("a"))
            await asyncio.sleep(0.02)
        found = await samples(server)

    assert found["typosentinel_cache_invalidations_connected", frozenset()] == 1
    assert found["typosentinel_cache_writes_total", frozenset({("result", "stored")})] > 50
    assert found["typosentinel_cache_requests_total", frozenset({("tier", "redis"), ("result", "off")})] > 0
