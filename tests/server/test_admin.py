"""The administrative port: who gets in, what can be done there, and what the log says of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession

from administering import QUICK, TOKEN, Open, code
from adminparts import Limits, Pool, Shelf
from running import Start, StillClock
from typosentinel_server.administration.app import Administration, administered
from typosentinel_server.administration.guard import GUESSES, MAX_ADDRESSES, Guesses
from typosentinel_server.administration.loglevel import LevelOverride
from typosentinel_server.administration.token import TokenKeeper, TokenRefused, read_token
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.breaker import Breaker, BreakerPolicy, State
from typosentinel_server.errors import DomainError
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel

OTHER = "b" * 40


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Returns when it holds; the test's own limit is the end of patience."""
    while not await holds():  # noqa: ASYNC110 - there is nothing to wait for but time
        await asyncio.sleep(QUICK)


def document(folder: Path, text: str = "") -> Path:
    """A configuration document."""
    path = folder / "config.yaml"
    path.write_text(f"apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n{text}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", f"Bearer {OTHER}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xe4\xf6"],
)
async def test_nobody_gets_in_without_the_token(open_admin: Open, header: str | None) -> None:
    """Nor learns whether the path exists; the answer is the same whatever was tried."""
    admin = await open_admin()
    headers = {} if header is None else {"Authorization": header}
    async with ClientSession(admin.url) as stranger:
        for path in ("/admin/status", "/admin/nothing", "/nothing"):
            async with stranger.get(path, headers=headers) as answer:
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                body = (await answer.json())["error"]
                assert (body["code"], body["message"]) == ("UNAUTHORIZED", "this takes the administrative token")


async def test_the_public_port_has_no_administrative_routes(open_admin: Open) -> None:
    """Not even ones that refuse."""
    admin = await open_admin()
    async with admin.server.http.get("/admin/status", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        assert answer.status == 404


async def test_a_rotated_token_works_and_the_old_one_does_not(open_admin: Open) -> None:
    """Without a restart."""
    admin = await open_admin()
    new = {"Authorization": f"Bearer {OTHER}"}

    async def refused() -> bool:
        async with admin.http.get("/admin/status") as answer:
            return answer.status == 401

    admin.token_file.write_text(OTHER, encoding="ascii")
    await until(refused)
    async with admin.http.get("/admin/status", headers=new) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("content", ["", "short", None])
async def test_a_file_without_a_token_opens_nothing(open_admin: Open, content: str | None) -> None:
    """The last token is no longer good either: whoever empties the file means it."""
    admin = await open_admin()

    async def refused() -> bool:
        async with admin.http.get("/admin/status") as answer:
            return answer.status == 401

    if content is None:
        admin.token_file.unlink()
    else:
        admin.token_file.write_text(content, encoding="ascii")
    await until(refused)
    admin.token_file.write_text(TOKEN, encoding="ascii")

    async def welcome() -> bool:
        return not await refused()

    await until(welcome)


async def test_the_port_opens_when_the_token_comes(start: Start, tmp_path: Path) -> None:
    """A Secret may be there later than the pod; nobody listens before."""
    server = await start()
    path = tmp_path / "later"
    async with administered(server.parts, Administration(path, port=0, look=QUICK)) as runner:
        assert runner is not None
        assert runner.addresses == []
        path.write_text(TOKEN, encoding="ascii")
        while not runner.addresses:  # noqa: ASYNC110 - there is nothing to wait for but time
            await asyncio.sleep(QUICK)
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/admin/status"
        async with ClientSession() as http, http.get(url, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == 200


async def test_without_a_file_there_is_no_port(start: Start) -> None:
    """Nothing is opened that nobody asked for."""
    server = await start()
    async with administered(server.parts, None) as runner:
        assert runner is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the token has 0 characters"),
        (b"x" * 31, "the token has 31 characters"),
        (b"  \n" + b" " * 40, "the token has 0 characters"),
        (b"x" * 40 + b" y", "something else than printable ASCII"),
        (b"\xff" * 40, "something else than printable ASCII"),
        (b"x" * 5000, "larger than 4096 bytes"),
    ],
)
def test_what_is_no_token_is_refused_at_the_start(tmp_path: Path, content: bytes, said: str) -> None:
    """With the file and what to do, and never with what is in it."""
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(TokenRefused, match=said) as refused:
        TokenKeeper(path, Log("json", LogLevel.ERROR))
    assert str(path) in refused.value.message
    assert "xxx" not in refused.value.message


def test_a_directory_is_no_token(tmp_path: Path) -> None:
    """It is said plainly."""
    with pytest.raises(TokenRefused, match="directory"):
        read_token(tmp_path)


async def test_guessing_is_slowed_and_locks_nobody_out(open_admin: Open) -> None:
    """After ten wrong tokens an address is told to wait; the right one passes all the same, also from there."""
    admin = await open_admin()
    wrong = {"Authorization": f"Bearer {OTHER}"}
    async with ClientSession(admin.url) as guesser:
        statuses = []
        for _ in range(GUESSES + 3):
            async with guesser.get("/admin/status", headers=wrong) as answer:
                statuses.append(answer.status)
        assert statuses == [401] * GUESSES + [429] * 3
        async with guesser.get("/admin/status", headers=wrong) as answer:
            assert answer.headers["Retry-After"] == "60"
            assert await code(answer) == "TOO_MANY_GUESSES"
        async with guesser.get("/admin/status") as answer:
            assert answer.status == 401
    async with admin.http.get("/admin/status") as answer:
        assert answer.status == 200


def test_guesses_are_forgotten_after_a_minute_and_bounded(still: StillClock) -> None:
    """One IPv6 network is one guesser, and so is an IPv4 address in either form; a flood of others costs no memory."""
    guesses = Guesses(still.clock.monotonic)
    assert [guesses.note("10.0.0.1"), guesses.note("10.0.0.1"), guesses.note("::ffff:10.0.0.1")] == [1, 2, 3]
    assert [guesses.note("2001:db8::1"), guesses.note("2001:db8::ffff:2"), guesses.note("2001:db8:0:1::1")] == [1, 2, 1]
    assert guesses.note("no address") == 1
    still.seconds += 61
    assert guesses.note("10.0.0.1") == 1
    for n in range(MAX_ADDRESSES * 2):
        guesses.note(f"10.1.{n // 256}.{n % 256}")
    assert len(guesses._counts) == MAX_ADDRESSES


async def test_status_tells_everything(open_admin: Open) -> None:
    """Under both of its names."""
    admin = await open_admin(ports=Ports(cache=Shelf()))
    for path in ("/admin/status", "/api/admin/stats"):
        async with admin.http.get(path) as answer:
            body = await answer.json()
        assert body["health"]["status"] == "ok"
        assert body["cache"][0]["name"] == "shelf"
        assert body["workers"] is body["breakers"] is body["limits"] is None
        assert body["logLevel"] == {"level": "Info", "configured": "Info", "expiresInSeconds": None}
        assert body["configuration"]["settings"]["cache"]["memory"]["maxEntries"] == 10_000


async def test_a_reload_takes_effect_before_it_is_answered(open_admin: Open, tmp_path: Path) -> None:
    """A second one changes nothing."""
    path = document(tmp_path)
    admin = await open_admin(path)
    document(tmp_path, "cache: {memory: {maxEntries: 7}}\n")
    async with admin.http.post("/admin/reload") as answer:
        first = await answer.json()
    async with admin.http.get("/admin/configuration") as answer:
        found = await answer.json()
    assert found["settings"]["cache"]["memory"]["maxEntries"] == 7
    assert found["hash"] == first["hash"]
    async with admin.http.post("/admin/reload") as answer:
        assert await answer.json() == {"hash": first["hash"], "changed": False}


async def test_a_wrong_document_is_refused_with_file_and_line(open_admin: Open, tmp_path: Path) -> None:
    """What was in effect stays."""
    path = document(tmp_path, "cache: {memory: {maxEntries: 7}}\n")
    admin = await open_admin(path)
    document(tmp_path, "cache: {memory: {maxEntries: -1}}\n")
    async with admin.http.post("/admin/reload") as answer:
        assert answer.status == 422
        error = (await answer.json())["error"]
    assert error["code"] == "CONFIGURATION_INVALID"
    assert f"{path}:3: cache.memory.maxEntries:" in error["message"]
    async with admin.http.get("/admin/configuration") as answer:
        found = await answer.json()
    assert (found["settings"]["cache"]["memory"]["maxEntries"], found["lastError"]) == (7, error["message"])


async def test_without_a_document_a_reload_has_nothing_to_do(open_admin: Open) -> None:
    """The defaults have no hash."""
    admin = await open_admin()
    async with admin.http.post("/admin/reload") as answer:
        assert await answer.json() == {"hash": None, "changed": False}


async def test_the_log_level_can_be_set_for_a_while(open_admin: Open, tmp_path: Path) -> None:
    """Until the next configuration; wrong levels and times are refused."""
    path = document(tmp_path, "logLevel: Warning\n")
    admin = await open_admin(path)
    async with admin.http.put("/admin/log-level", json={"level": "Debug", "seconds": 60}) as answer:
        body = await answer.json()
    assert (body["level"], body["configured"]) == ("Debug", "Warning")
    assert 0 < body["expiresInSeconds"] <= 60
    for wrong in ({"level": "debug"}, {"level": "Debug", "seconds": 0}, {"level": "Debug", "minutes": 1}, {}):
        async with admin.http.put("/admin/log-level", json=wrong) as answer:
            assert (answer.status, await code(answer)) == (422, "INVALID_REQUEST")
    document(tmp_path, "logLevel: Error\n")
    async with admin.http.post("/admin/reload") as answer:
        assert (await answer.json())["changed"]
    async with admin.http.get("/admin/status") as answer:
        found = (await answer.json())["logLevel"]
    assert found == {"level": "Error", "configured": "Error", "expiresInSeconds": None}


async def test_a_set_log_level_ends_by_itself(start: Start, still: StillClock) -> None:
    """The configured one counts again."""
    parts = (await start()).parts
    levels = LevelOverride(parts.log, lambda: parts.reloader.current, still.clock.monotonic)
    levels.set(LogLevel.DEBUG, 10)
    still.seconds += 9
    assert (levels.level, levels.expires_in) == (LogLevel.DEBUG, 1)
    still.seconds += 1
    assert (levels.level, levels.expires_in) == (LogLevel.INFO, None)


async def test_every_change_is_in_the_log(open_admin: Open, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Who, what, from where and how it ended, also where next to nothing is logged; reading is no change."""
    admin = await open_admin(document(tmp_path, "logLevel: Error\n"))
    capfd.readouterr()
    async with admin.http.post("/admin/reload") as answer:
        request_id = answer.headers["X-Request-ID"]
    async with admin.http.get("/admin/status"):
        pass
    async with admin.http.put("/admin/log-level", json={"level": "loud"}):
        pass
    async with admin.http.delete("/admin/cache/keys/nothing"):
        pass
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    audit = [line for line in lines if line.get("audit")]
    assert [(line["action"], line["status"]) for line in audit] == [
        ("POST /admin/reload", 200),
        ("PUT /admin/log-level", 422),
        ("DELETE /admin/cache/keys/{key}", 404),
    ]
    assert audit[0]["actor"] == read_token(admin.token_file).fingerprint
    assert (audit[0]["address"], audit[0]["request_id"]) == ("127.0.0.1", request_id)
    assert audit[2]["key"] == "nothing"
    assert TOKEN not in json.dumps(lines)


async def test_what_is_not_there_has_no_routes(open_admin: Open) -> None:
    """No pool, no breakers, no limits, and a cache that takes nothing by hand."""
    admin = await open_admin(ports=Ports(cache=Shelf()))
    for method, path in (
        ("GET", "/admin/workers"),
        ("POST", "/admin/workers/scale"),
        ("GET", "/admin/breakers"),
        ("POST", "/admin/circuit-breaker/reset"),
        ("GET", "/admin/limits"),
        ("POST", "/admin/cache/multi-set"),
    ):
        async with admin.http.request(method, path, json={}) as answer:
            assert (answer.status, await code(answer)) == (404, "NOT_FOUND")
    async with admin.http.put("/admin/cache/keys/a", json={"value": 1}) as answer:
        assert (answer.status, await code(answer)) == (405, "METHOD_NOT_ALLOWED")
    async with admin.http.post("/admin/clear") as answer:
        assert await answer.json() == {"dropped": 0, "breakers": []}


async def test_a_cache_that_takes_things_can_be_written(open_admin: Open) -> None:
    """PUT exchanges, POST does not; the cache's own refusals come through."""
    shelf = Shelf()
    admin = await open_admin(ports=Ports(cache=shelf, writer=shelf))
    path = "/admin/cache/keys/a%20key"
    for method, value, status in (("PUT", {"a": [1]}, 201), ("PUT", 2, 200), ("POST", 3, 409)):
        async with admin.http.request(method, path, json={"value": value}) as answer:
            assert answer.status == status
    assert shelf.held == {"a key": 2}
    async with admin.http.get(path) as answer:
        assert await answer.json() == {"key": "a key", "tier": "shelf", "ageSeconds": 1.5, "stale": True, "value": 2}
    async with admin.http.put(path, json={"value": 3, "tags": ["a"]}) as answer:
        assert (answer.status, await code(answer)) == (422, "NO_TAGS")
    items = [{"key": "a key", "value": None}, {"key": "b", "value": ""}]
    async with admin.http.post("/admin/cache/multi-set", json={"items": items}) as answer:
        assert await answer.json() == {"kept": 2}
    async with admin.http.post("/admin/clear") as answer:
        assert await answer.json() == {"dropped": 2, "breakers": []}


async def test_the_pool_can_be_scaled(open_admin: Open) -> None:
    """Within reason."""
    admin = await open_admin(ports=Ports(workers=Pool()))
    async with admin.http.post("/admin/workers/scale", json={"min": 1, "max": 4}) as answer:
        body = await answer.json()
    assert (body["min"], body["max"]) == (1, 4)
    async with admin.http.get("/admin/workers") as answer:
        assert await answer.json() == body
    async with admin.http.post("/admin/workers/scale", json={"min": 5, "max": 4}) as answer:
        assert (answer.status, await code(answer)) == (422, "WRONG_BOUNDS")


async def test_breakers_can_be_seen_and_closed(open_admin: Open, still: StillClock) -> None:
    """One by its name, or all."""
    breakers = [Breaker(name, BreakerPolicy(failures=1), still.clock.monotonic) for name in ("redis", "provider")]
    admin = await open_admin(ports=Ports(breakers=lambda: breakers))
    for breaker in breakers:
        breaker.failed()
    async with admin.http.get("/admin/breakers") as answer:
        first = (await answer.json())["breakers"][0]
    assert first == {"name": "redis", "state": "open", "failures": 1, "retryAfterSeconds": 60.0}
    async with admin.http.post("/admin/circuit-breaker/reset", json={"name": "redsi"}) as answer:
        assert (answer.status, await code(answer)) == (404, "UNKNOWN_BREAKER")
        assert "Did you mean redis?" in (await answer.json())["error"]["suggestion"]
    async with admin.http.post("/admin/circuit-breaker/reset", json={"name": "redis"}) as answer:
        assert [found["state"] for found in (await answer.json())["breakers"]] == ["closed"]
    assert [breaker.state for breaker in breakers] == [State.CLOSED, State.OPEN]
    async with admin.http.post("/admin/clear") as answer:
        assert await answer.json() == {"dropped": None, "breakers": ["redis", "provider"]}
    assert breakers[1].state is State.CLOSED


async def test_limits_and_all_else_are_in_the_report(open_admin: Open, still: StillClock) -> None:
    """What the server has, it shows: as JSON here, and on the page for everybody."""
    breaker = Breaker("redis", BreakerPolicy(), still.clock.monotonic)
    ports = Ports(cache=Shelf(), workers=Pool(), limits=Limits(), breakers=lambda: [breaker])
    admin = await open_admin(ports=ports)
    async with admin.http.get("/admin/limits") as answer:
        limits = await answer.json()
    assert limits["top"] == [{"limit": "Scan", "principal": "10.0.0.0/24", "refused": 1}]
    async with admin.http.get("/admin/status") as answer:
        body = await answer.json()
    assert (body["limits"], body["breakers"][0]["state"], body["workers"]["max"]) == (limits, "closed", 10)


async def test_what_it_looks_like_is_no_secret(open_admin: Open) -> None:
    """Document and page are there without a token, and nothing else is."""
    admin = await open_admin()
    async with ClientSession(admin.url) as stranger:
        for path in ("/openapi.json", "/docs", "/docs/assets/docs.js"):
            async with stranger.get(path) as answer:
                assert answer.status == 200
        for method in ("POST", "DELETE"):
            async with stranger.request(method, "/docs") as answer:
                assert answer.status in (401, 405)


async def test_a_port_in_use_is_said_plainly(start: Start, tmp_path: Path) -> None:
    """Which address, and what to do."""
    server = await start()
    path = tmp_path / "token"
    path.write_text(TOKEN, encoding="ascii")
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(DomainError, match=f"cannot listen on 127.0.0.1 port {port}") as refused:
        async with administered(server.parts, Administration(path, port=port)):
            pass
    assert "--admin-port" in refused.value.suggestion
