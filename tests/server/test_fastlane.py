"""What the fast lane answers is what all other requests would get, and what it cannot answer it leaves alone."""

import asyncio
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from running import Running, Start, samples
from typosentinel_server.edge.gathering import Asked
from typosentinel_server.fastlane import FastLane
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Package, ScanResult
from typosentinel_server.scan.naming import Name
from typosentinel_server.service import Kept, ScanService

JSON = {"Content-Type": "application/json"}
OWN = {"Date", "X-Process-Time", "X-Request-ID", "X-Correlation-ID", "Content-Length"}
PLAIN = '{"ecosystem": "PyPI", "name": "reqeusts"}'


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the lane took each request that it was shown."""
    seen: list[bool] = []
    real = FastLane.answer

    def answer(lane: FastLane, asked: Sequence[Asked]) -> list[bytes | None]:
        found = real(lane, asked)
        seen.extend(one is not None for one in found)
        return found

    monkeypatch.setattr(FastLane, "answer", answer)
    return seen


async def both(server: Running, body: str, headers: dict[str, str]) -> list[tuple[int, dict[str, str], Any]]:
    """Status, headers and body by the fast lane, then by the way of all others, which a query leads to."""
    found = []
    async with ClientSession() as http:
        for path in ("/api/v1/scan", "/api/v1/scan?x=1"):
            async with http.post(server.url + path, data=body, headers=JSON | headers) as response:
                content = json.loads(await response.read())
                assert int(response.headers["Content-Length"]) > 0
                for name in ("X-Request-ID", "X-Correlation-ID"):
                    assert response.headers[name] == headers.get(name, response.headers["X-Request-ID"])
                told = {name: value for name, value in response.headers.items() if name not in OWN}
                found.append((response.status, told, content))
    return found


def without_own(content: Any) -> Any:
    """A body without what differs from request to request."""
    error = content.get("error", content)
    for key in ("id", "durationMs", "timestamp", "requestId", "cached"):
        error.pop(key, None)
    return content


async def answered(reader: asyncio.StreamReader) -> int:
    """The id of the next answer, all of which is read."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
    await reader.readexactly(int(fields["Content-Length"]))
    return int(fields["X-Request-ID"])


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (PLAIN, {}),
        ('{"ecosystem":"npm","name":"@babel/croe"}', {}),
        (' { "ecosystem" : "pypi" , "name" : "requests" , "version" : "2.0" } ', {}),
        (PLAIN, {"X-Request-ID": "mine", "X-Correlation-ID": "chain"}),
        (PLAIN, {"Accept-Encoding": "identity"}),
        ('{"ecosystem": "Cobol", "name": "a"}', {}),
        ('{"ecosystem": "PyPI", "name": "-a-"}', {}),
        ('{"ecosystem": "PyPI", "name": "a b"}', {"Accept": "application/problem+json"}),
    ],
)
async def test_both_ways_say_the_same(start: Start, taken: list[bool], body: str, headers: dict[str, str]) -> None:
    """Verdicts, refusals and problem details; headers to the last one."""
    server = await start()
    fast, long = await both(server, body, headers)
    assert taken == [True, False]
    assert fast[:2] == long[:2]
    assert without_own(fast[2]) == without_own(long[2])


@pytest.mark.parametrize("headers", [{}, {"X-Request-ID": "mine", "X-Correlation-ID": "chain"}])
async def test_health_is_told_in_both_ways(start: Start, taken: list[bool], headers: dict[str, str]) -> None:
    """Probes wait for nobody."""
    server = await start()
    found = []
    async with ClientSession() as http:
        for path in ("/health", "/health?x=1"):
            async with http.get(server.url + path, headers=headers) as response:
                told = {name: value for name, value in response.headers.items() if name not in OWN}
                found.append((response.status, told, (await response.json()).keys()))
    assert taken == [True, False]
    assert found[0] == found[1]


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
async def test_other_methods_go_the_way_of_all_others(start: Start, taken: list[bool], method: str) -> None:
    """What health does not take is refused as ever."""
    server = await start()
    async with server.http.request(method, "/health") as response:
        assert response.status == (200 if method == "HEAD" else 405)
    assert not any(taken)


async def test_limits_hold_in_both_ways(start: Start, taken: list[bool], tmp_path: Path) -> None:
    """One budget for both; the refusal is the same."""
    config = tmp_path / "config.yaml"
    head = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
    config.write_text(head + "limits: {default: {requests: 4, window: 60s}}\n")
    server = await start(config)
    statuses = [status for _ in range(3) for status, _, _ in await both(server, PLAIN, {})]
    assert statuses == [200, 200, 200, 200, 429, 429]
    fast, long = await both(server, PLAIN, {})
    assert fast[1].keys() == long[1].keys() >= {"RateLimit", "RateLimit-Policy", "X-RateLimit-Remaining", "Retry-After"}
    assert fast[1]["RateLimit-Policy"] == long[1]["RateLimit-Policy"]
    assert any(taken)


async def test_large_answers_are_compressed_in_both_ways(
    start: Start, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client gets what it takes."""
    for room in ("fastlane", "middleware"):
        monkeypatch.setattr(f"typosentinel_server.{room}.MIN_BYTES", 100)
    server = await start()
    async with ClientSession(auto_decompress=False) as http:
        for path in ("/api/v1/scan", "/api/v1/scan?x"):
            asked = JSON | {"Accept-Encoding": "gzip"}
            async with http.post(server.url + path, data=PLAIN, headers=asked) as response:
                assert response.headers["Content-Encoding"] == "gzip"
                assert response.headers["Vary"] == "Accept-Encoding"
                assert json.loads(gzip.decompress(await response.read()))["verdict"] == "suspicious"
    assert taken == [True, False]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("", {}),
        ("{", {}),
        ('{"ecosystem": "PyPI", "name": "a", "name": "b"}', {}),
        ('{"name": "reqeusts", "ecosystem": "PyPI"}', {}),
        ('{"ecosystem": "PyPI", "name": "reqeusts", "metadata": {"downloads": 5}}', {}),
        ('{"ecosystem": "PyPI", "name": "r\u0435quests"}', {}),
        ('{"ecosystem": "PyPI", "name": "a\\u0062"}', {}),
        (PLAIN, {"Content-Type": "text/plain"}),
        (PLAIN, {"Content-Type": "application/json; charset=utf-8"}),
        (PLAIN, {"Connection": "close"}),
        (PLAIN, {"Expect": "100-continue"}),
        (PLAIN, {"Content-Encoding": "identity"}),
    ],
)
async def test_what_is_not_plain_goes_the_way_of_all_others(
    start: Start, taken: list[bool], body: str, headers: dict[str, str]
) -> None:
    """Other orders, more fields, other letters, odd headers: nothing of them has happened yet."""
    server = await start()
    async with server.http.post("/api/v1/scan", data=body.encode(), headers=JSON | headers) as response:
        await response.read()
    assert not any(taken)


async def test_a_body_in_pieces_and_requests_in_a_row_are_answered(start: Start) -> None:
    """Whatever way each of them goes, answers come in order."""
    server = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    body = PLAIN.encode()
    head = b"POST /api/v1/scan HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX-Request-ID: %d\r\n"
    whole = head + b"Content-Length: %d\r\n\r\n" % len(body)
    for n in range(3):
        writer.write(whole % n + body)
        assert await answered(reader) == n
        writer.write(whole % (n + 10) + body[:5])
        await asyncio.sleep(0.01)
        writer.write(body[5:] + whole % (n + 20) + body + whole % (n + 30) + body)
        assert [await answered(reader) for _ in range(3)] == [n + 10, n + 20, n + 30]
    writer.close()
    found = await samples(server)
    assert found["typosentinel_scan_duration_seconds_count", frozenset()] == 12


async def test_a_server_that_drains_closes_connections_in_both_ways(start: Start, taken: list[bool]) -> None:
    """The client is to open its next one elsewhere."""
    server = await start()
    server.parts.lifecycle._draining = True
    async with server.http.post("/api/v1/scan", data=PLAIN, headers=JSON) as response:
        assert response.headers["Connection"] == "close"
    assert taken == [False]


async def test_many_at_the_same_time_are_answered_each_for_itself(start: Start, taken: list[bool]) -> None:
    """Good names and bad ones, known ones and new ones, of several registries, and what the lane does not take."""
    server = await start()
    port = int(server.url.rsplit(":", 1)[1])
    bodies = [
        b'{"ecosystem": "PyPI", "name": "reqeusts"}',
        b'{"ecosystem": "PyPI", "name": "reqeusts"}',
        b'{"ecosystem": "PyPI", "name": "REQEUSTS"}',
        b'{"ecosystem": "npm", "name": "@babel/croe"}',
        b'{"ecosystem": "PyPI", "name": "-a-"}',
        b'{"ecosystem": "Cobol", "name": "a"}',
        b'{"name": "requests", "ecosystem": "PyPI"}',
        b'{"ecosystem": "PyPI", "name": "requests", "version": "2.0"}',
    ]
    open_ = [await asyncio.open_connection("127.0.0.1", port) for _ in bodies]
    for n, ((_, writer), body) in enumerate(zip(open_, bodies, strict=True)):
        head = b"POST /api/v1/scan HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX-Request-ID: %d\r\n"
        writer.write(head % n + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    found = []
    for n, (reader, writer) in enumerate(open_):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"X-Request-ID: %d\r\n" % n in head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        found.append(json.loads(await reader.readexactly(length)))
        writer.close()
    verdicts = [one.get("verdict") or one["error"]["code"] for one in found]
    assert verdicts == [
        *["suspicious"] * 4,
        "NAME_INVALID",
        "UNKNOWN_ECOSYSTEM",
        "clean",
        "clean",
    ]
    assert [one["name"] for one in found[:3]] == ["reqeusts", "reqeusts", "REQEUSTS"]
    assert len({one["id"] for one in found if "id" in one}) == 6
    assert taken.count(False) == 1
    told = await samples(server)
    # Two of the three spellings of one name came from the cache, or were judged together with the first.
    assert (
        told[
            "typosentinel_scans_total",
            frozenset({("ecosystem", "PyPI"), ("verdict", "suspicious"), ("cached", "true")}),
        ]
        == 2
    )


async def test_an_engine_that_fails_fails_for_one_alone(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked at the same time gets his answer."""
    real = Engine.judge

    def judge(engine: Engine, package: Package, name: Name) -> ScanResult:
        if name.raw == "broken":
            raise ZeroDivisionError
        return real(engine, package, name)

    monkeypatch.setattr(Engine, "judge", judge)
    server = await start()

    async def ask(name: str) -> int:
        async with server.http.post("/api/v1/scan", data=PLAIN.replace("reqeusts", name), headers=JSON) as response:
            await response.read()
            return response.status

    assert await asyncio.gather(*map(ask, ("numpyy", "broken", "djagno", "broken"))) == [200, 500, 200, 500]


async def test_a_lane_that_fails_leaves_its_requests_to_others(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever; the failure is told to the loop, whose handler logs it."""

    def answer(_lane: FastLane, _asked: Sequence[Asked]) -> list[bytes | None]:
        raise ZeroDivisionError

    monkeypatch.setattr(FastLane, "answer", answer)
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    server = await start()
    async with server.http.post("/api/v1/scan", data=PLAIN, headers=JSON) as response:
        assert (await response.json())["verdict"] == "suspicious"
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]


async def test_a_judgement_that_cannot_be_kept_costs_nobody_twice(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is an error of one request, and all have paid once."""
    config = tmp_path / "config.yaml"
    head = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
    config.write_text(head + "limits: {default: {requests: 1000, window: 60s}}\n")
    real = ScanService.keep

    def keep(service: ScanService, engine: Engine, name: Name, result: ScanResult) -> Kept:
        if name.raw == "broken":
            raise ZeroDivisionError
        return real(service, engine, name, result)

    monkeypatch.setattr(ScanService, "keep", keep)
    server = await start(config)
    left = []

    async def ask(name: str) -> int:
        async with server.http.post("/api/v1/scan", data=PLAIN.replace("reqeusts", name), headers=JSON) as response:
            left.append(int(response.headers["X-RateLimit-Remaining"]))
            return response.status

    assert await asyncio.gather(*map(ask, ("numpyy", "broken", "djagno"))) == [200, 500, 200]
    assert min(left) == 997


async def test_what_cannot_be_begun_goes_the_way_of_all_others(
    start: Start, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have better luck there."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    server = await start()
    monkeypatch.setattr(FastLane, "_begun", fail)
    async with server.http.post("/api/v1/scan", data=PLAIN, headers=JSON) as response:
        assert (await response.json())["verdict"] == "suspicious"
    assert taken == [False]


async def test_what_is_paid_for_is_answered_whatever_fails(
    start: Start, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the connection lives on."""
    server = await start()
    real = FastLane._sent
    failing: list[bool] = []

    def sent(lane: FastLane, facts: Any, reply: Any, started: float) -> bytes:
        if failing.pop():
            raise ZeroDivisionError
        return real(lane, facts, reply, started)

    monkeypatch.setattr(FastLane, "_sent", sent)
    for outcome in (True, False):
        failing.append(outcome)
        async with server.http.post("/api/v1/scan", data=PLAIN, headers=JSON) as response:
            assert response.status == (500 if outcome else 200)
    assert taken == [True, True]
