"""What leaves the server: heads, bodies, connections, problem details, ids and lines of the access log."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import ClientSession

from running import Running, Start
from typosentinel_server.accesslog import AccessLog
from typosentinel_server.identifiers import identifiers
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel

QUESTION = b'{"ecosystem": "PyPI", "name": "reqeusts"}'
JSON = {"Content-Type": "application/json"}


async def exchange(server: Running, request: bytes) -> bytes:
    """All bytes that come back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    writer.write(request)
    found = await reader.read()
    writer.close()
    return found


def head_of(answer: bytes) -> tuple[str, dict[str, str]]:
    """Status line, and headers by their name in lower case."""
    line, *fields = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = [field.split(": ", 1) for field in fields]
    assert len({name.lower() for name, _ in pairs}) == len(pairs), "a header stands twice"
    return line, {name.lower(): value for name, value in pairs}


async def test_the_head_says_what_it_must(start: Start) -> None:
    """Length, date, type, who answers, whose request it was, how long it took."""
    server = await start()
    async with server.http.post("/api/v1/scan", data=QUESTION, headers=JSON) as response:
        body = await response.read()
    assert response.headers["Content-Type"] == "application/json"
    assert int(response.headers["Content-Length"]) == len(body)
    assert response.headers["Date"].endswith("GMT")
    assert response.headers["Server"] == "typosentinel"
    assert len(response.headers["X-Request-ID"]) == 32
    assert response.headers["X-Correlation-ID"] == response.headers["X-Request-ID"]
    assert float(response.headers["X-Process-Time"]) > 0


async def test_the_callers_correlation_is_kept_where_it_is_decent(start: Start) -> None:
    """A chain of requests stays one chain; what could break a log does not pass."""
    server = await start()
    for given, kept in (("chain-1", True), ("a b", False), ("x" * 129, False)):
        async with server.http.get("/live", headers={"X-Correlation-ID": given}) as response:
            assert (response.headers["X-Correlation-ID"] == given) is kept


async def test_head_has_the_length_and_no_body(start: Start) -> None:
    """As HTTP wants it."""
    server = await start()
    answer = await exchange(server, b"HEAD /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    line, headers = head_of(answer)
    assert line == "HTTP/1.1 200 OK"
    assert headers["content-length"] == str(len('{"status":"live"}'))
    assert headers["connection"] == "close"
    assert answer.endswith(b"\r\n\r\n")


async def test_old_clients_get_their_version_and_their_connection(start: Start) -> None:
    """HTTP/1.0 closes unless both sides say otherwise."""
    server = await start()
    line, headers = head_of(await exchange(server, b"GET /live HTTP/1.0\r\n\r\n"))
    assert line == "HTTP/1.0 200 OK"
    assert "connection" not in headers
    twice = b"GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + b"GET /live HTTP/1.0\r\n\r\n"
    answers = await exchange(server, twice)
    assert answers.count(b"HTTP/1.0 200 OK") == 2
    assert answers.count(b"Connection: keep-alive") == 1


async def test_pipelined_requests_are_answered_in_order(start: Start) -> None:
    """All three, with their own ids."""
    server = await start()
    request = b"POST /api/v1/scan HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX-Request-ID: %d\r\n"
    pipelined = b"".join((request % n) + b"Content-Length: %d\r\n\r\n" % len(QUESTION) + QUESTION for n in range(3))
    answers = await exchange(server, pipelined + b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert [answers.index(b"X-Request-ID: %d\r\n" % n) for n in range(3)] == sorted(
        answers.index(b"X-Request-ID: %d\r\n" % n) for n in range(3)
    )
    assert answers.count(b"HTTP/1.1 200 OK") == 4


@pytest.mark.parametrize("path", ["/api/v1/scan", "/api/v1/scan?x=1", "/api/v1/%73can"])
async def test_the_short_way_and_the_long_one_lead_to_the_same(start: Start, path: str) -> None:
    """A query, or another spelling of the path, changes nothing."""
    server = await start()
    async with ClientSession() as http, http.post(server.url + path, data=QUESTION, headers=JSON) as response:
        assert response.status == 200
        assert (await response.json())["verdict"] == "suspicious"


async def test_problem_details_for_whoever_accepts_them(start: Start) -> None:
    """The same facts as in the usual form, by RFC 9457."""
    server = await start()
    accept = JSON | {"Accept": "application/problem+json"}
    async with server.http.post("/api/v1/scan", data=b"{", headers=accept) as response:
        found = await response.json(content_type="application/problem+json")
    async with server.http.post("/api/v1/scan", data=b"{", headers=JSON) as response:
        usual = (await response.json())["error"]
    assert (found["status"], found["title"]) == (400, "Bad Request")
    assert found["type"] == "urn:typosentinel:error:MALFORMED_JSON"
    assert (found["detail"], found["code"], found["suggestion"]) == (
        usual["message"],
        usual["code"],
        usual["suggestion"],
    )
    assert found["requestId"] != usual["requestId"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"ecosystem": "PyPI", "name": "a", "name": "b"}',
        b'{"ecosystem": "PyPI", "name": "a", "version": null, "version": null}',
        b'\xef\xbb\xbf{"ecosystem": "PyPI", "name": "a"}',
        b'{"ecosystem": "PyPI", "name": "a\tb"}',
        b'{"ecosystem": "PyPI", "name": "a"} x',
        b'{"ecosystem": "PyPI", "name": "\xff"}',
        b'{"ecosystem": "PyPI", "name": "a\\ud800"}',
    ],
)
async def test_the_fast_parser_lets_nothing_through_that_the_careful_one_refuses(start: Start, body: bytes) -> None:
    """Doubled keys, byte order marks, raw control characters, trailing text, broken UTF-8, half characters."""
    server = await start()
    async with server.http.post("/api/v1/scan", data=body, headers=JSON) as response:
        assert response.status in (400, 422)


def test_identifiers_differ_and_are_hexadecimal() -> None:
    """Across the borders of what is drawn at once, too."""
    drawn = identifiers()
    found = [next(drawn) for _ in range(1000)]
    assert len(set(found)) == 1000
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in found)


def test_one_request_in_so_many_gets_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """And each that failed or took long."""
    access = AccessLog(Log("json", LogLevel.INFO), every=10)
    for n in range(100):
        access.note("POST", "/api/v1/scan", 200, 0.001, str(n))
    assert len(capsys.readouterr().err.splitlines()) == 10
    access.note("POST", "/api/v1/scan", 503, 0.001, "failed")
    access.note("POST", "/api/v1/scan", 200, 2.0, "slow")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["request_id"] for line in lines] == ["failed", "slow"]


def test_no_line_by_chance_where_none_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    """Zero switches the sample off; at level Debug every request has its line all the same."""
    for level, lines in ((LogLevel.INFO, 0), (LogLevel.DEBUG, 5)):
        access = AccessLog(Log("json", level), every=0)
        for n in range(5):
            access.note("GET", "/api/v1/methods", 200, 0.001, str(n))
        assert len(capsys.readouterr().err.splitlines()) == lines


async def test_how_many_get_a_line_can_be_changed_while_running(start: Start, tmp_path: Path) -> None:
    """By the configuration."""
    config = tmp_path / "config.yaml"
    head = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
    config.write_text(head + "accessLog: {every: 7}\n")
    server = await start(config)
    assert server.parts.access.every == 7
    config.write_text(head + "accessLog: {every: 0}\n")
    await server.parts.reloader.look()
    assert server.parts.access.every == 0
