"""The cache of verdicts by its administrative routes."""

from pathlib import Path
from typing import Any

import pytest

from administering import Open, code
from running import ask
from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.keys import SERVER
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel


async def test_verdicts_can_be_looked_at_and_dropped(open_admin: Open) -> None:
    """By the name as people write it."""
    admin = await open_admin()
    await ask(admin.server, ecosystem="PyPI", name="Reqeusts")
    await ask(admin.server, ecosystem="npm", name="@bable/core")
    for path in ("/admin/cache/keys/PyPI:reqeusts", "/admin/cache/keys/pypi:REQEUSTS"):
        async with admin.http.get(path) as answer:
            body = await answer.json()
        assert (body["tier"], body["value"]["verdict"], body["value"]["targets"]) == (
            "memory",
            "suspicious",
            ["requests"],
        )
    async with admin.http.get("/admin/cache/keys/npm:%40bable%2Fcore") as answer:
        assert (answer.status, (await answer.json())["key"]) == (200, "npm:@bable/core")
    asked = {"keys": ["PyPI:reqeusts", "PyPI:six", "nonsense", "nowhere:six"]}
    async with admin.http.post("/admin/cache/multi-get", json=asked) as answer:
        body = await answer.json()
    assert [entry["key"] for entry in body["found"]] == ["PyPI:reqeusts"]
    assert body["missing"] == ["PyPI:six", "nonsense", "nowhere:six"]
    async with admin.http.delete("/admin/cache/keys/PyPI:reqeusts") as answer:
        assert await answer.json() == {"dropped": 1}
    async with admin.http.get("/admin/cache/keys/PyPI:reqeusts") as answer:
        assert (answer.status, await code(answer)) == (404, "UNKNOWN_ENTRY")
    async with admin.http.delete("/admin/cache/clear") as answer:
        assert await answer.json() == {"dropped": 1}
    async with admin.http.get("/admin/cache/stats") as answer:
        (tier,) = (await answer.json())["tiers"]
    assert (tier["entries"], tier["requests"]["miss"]) == (0, 2)


@pytest.mark.parametrize(
    ("asked", "dropped"),
    [
        ({"pattern": "PyPI:flask*"}, 2),
        ({"pattern": "*"}, 4),
        ({"pattern": "*:*a*k*"}, 3),
        ({"pattern": "PyPI:flaskk"}, 1),
        ({"pattern": "PyPI:flask"}, 0),
        ({"pattern": "PyPI:flaskk*flaskk"}, 0),
        ({"pattern": "*" * 500 + "x"}, 0),
        ({"tag": "npm"}, 1),
        ({"tag": "PYPI"}, 3),
    ],
)
async def test_verdicts_are_dropped_by_pattern_or_tag(open_admin: Open, asked: dict[str, str], dropped: int) -> None:
    """A star stands for anything, every other character for itself."""
    admin = await open_admin()
    for ecosystem, name in (("PyPI", "flaskk"), ("PyPI", "flasks"), ("PyPI", "numpi"), ("npm", "raect-k")):
        await ask(admin.server, ecosystem=ecosystem, name=name)
    async with admin.http.post("/admin/cache/invalidate", json=asked) as answer:
        assert await answer.json() == {"dropped": dropped}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"pattern": "a", "tag": "b"}, 422),
        ({"pattern": ""}, 422),
        ({"pattern": None}, 422),
        ({"tag": "nothing"}, 404),
    ],
)
async def test_a_wrong_invalidation_drops_nothing(open_admin: Open, asked: dict[str, Any], status: int) -> None:
    """It is one or the other."""
    admin = await open_admin()
    await ask(admin.server, ecosystem="PyPI", name="numpi")
    async with admin.http.post("/admin/cache/invalidate", json=asked) as answer:
        assert answer.status == status
    assert len(admin.server.parts.service.cache) == 1


def test_a_server_has_its_cache_to_look_after(lists: Path, real_clock: Clock) -> None:
    """Put together as the program does it."""
    setup = Setup(name="pod-1", library=Library(lists), timing=Timing())
    app = make_app(setup, real_clock, Log("json", LogLevel.ERROR))
    assert app[SERVER].ports.cache is not None
