"""The server's own caches by their administrative routes."""

from typing import Any

import pytest

from administering import Open, code
from running import ask

KEY = "evidence%2Fregistry%2FPyPI%2Frequests"


async def test_what_is_written_by_hand_can_be_read_and_dropped(open_admin: Open) -> None:
    """By its key, and by its tag."""
    admin = await open_admin()
    for status in (201, 200):
        async with admin.http.put(f"/admin/cache/keys/{KEY}", json={"value": {"a": [1]}, "tags": ["mine"]}) as answer:
            assert answer.status == status
    async with admin.http.get(f"/admin/cache/keys/{KEY}") as answer:
        body = await answer.json()
    assert (body["key"], body["tier"], body["value"]) == ("evidence/registry/PyPI/requests", "evidence", {"a": [1]})
    async with admin.http.post("/admin/cache/invalidate", json={"tag": "mine"}) as answer:
        assert await answer.json() == {"dropped": None}
    async with admin.http.delete(f"/admin/cache/keys/{KEY}") as answer:
        assert (answer.status, await code(answer)) == (404, "UNKNOWN_ENTRY")


async def test_a_cleared_cache_judges_anew(open_admin: Open) -> None:
    """Verdicts by name are dropped with all else, and by a pattern."""
    admin = await open_admin()
    for method, path, asked in (
        ("DELETE", "/admin/cache/clear", None),
        ("POST", "/admin/cache/invalidate", {"pattern": "verdict/PyPI/reqe*"}),
        ("POST", "/admin/clear", None),
    ):
        await ask(admin.server, ecosystem="PyPI", name="reqeusts")
        assert (await ask(admin.server, ecosystem="PyPI", name="reqeusts"))["cached"]
        async with admin.http.request(method, path, json=asked) as answer:
            assert (answer.status, (await answer.json())["dropped"]) == (200, None)
        assert not (await ask(admin.server, ecosystem="PyPI", name="reqeusts"))["cached"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/admin/cache/invalidate", {"pattern": "p" * 300}),
        ("/admin/cache/multi-set", {"items": [{"key": "a", "value": 1}, {"key": "\x00", "value": 2}]}),
    ],
)
async def test_what_can_be_no_key_is_refused_whole(open_admin: Open, path: str, asked: dict[str, Any]) -> None:
    """And nothing is kept."""
    admin = await open_admin()
    async with admin.http.post(path, json=asked) as answer:
        assert (answer.status, await code(answer)) == (422, "KEY_REFUSED")
    async with admin.http.post("/admin/cache/multi-get", json={"keys": ["a", "\x00"]}) as answer:
        assert await answer.json() == {"found": [], "missing": ["a", "\x00"]}
