"""What is no HTTP, over raw sockets: the one form of errors, no word about versions, and a count."""

import asyncio
import gzip
import json
from urllib.parse import urlsplit

import pytest

from running import Running, Start, samples

BODY = b'{"ecosystem":"PyPI","name":"reqeusts"}'
JSON = b"Content-Type: application/json\r\n"
HOST = b"Host: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(headers: bytes, body: bytes = BODY, line: bytes = b"POST /api/v1/scan HTTP/1.1") -> bytes:
    """The bytes of a scan with these headers besides the host and the type."""
    return line + b"\r\n" + HOST + JSON + headers + b"\r\n" + body


def sized(headers: bytes, body: bytes = BODY) -> bytes:
    """The bytes of a scan with a length."""
    return post(headers + b"Content-Length: %d\r\n" % len(body), body)


async def raw(server: Running, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that the bytes are answered with; parts are sent one after the other."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.05 * (len(parts) > 1))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ((sized(b"Bad Header\r\n"),), 400, "MALFORMED_HTTP"),
        ((sized(b"Bad: \x00\r\n"),), 400, "MALFORMED_HTTP"),
        ((b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n",), 400, "MALFORMED_HTTP"),
        ((b"\x16\x03\x01\x00\r\n\r\n",), 400, "MALFORMED_HTTP"),
        ((sized(b"Transfer-Encoding: chunked\r\n"),), 400, "MALFORMED_HTTP"),
        ((post(b"", line=b"POST /api/v1/scan HTTP/9.9"),), 400, "MALFORMED_HTTP"),
        ((b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",), 400, "MALFORMED_HTTP"),
        ((sized(b"X: " + b"a" * 9000 + b"\r\n"),), 400, "MALFORMED_HTTP"),
        ((b"GET /live HTTP/1.1\r\n\r\n",), 400, "MALFORMED_HTTP"),
        ((b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",), 400, "MALFORMED_HTTP"),
        ((b"GET http://b/live HTTP/1.1\r\n" + HOST + b"\r\n",), 400, "HOST_CONTRADICTED"),
        ((b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n",), 405, "METHOD_NOT_ALLOWED"),
        ((b"GET /live HTTP/1.1\r\n" + HOST + HOST + b"\r\n",), 400, "MALFORMED_HTTP"),
        ((sized(b"Content-Length: 1\r\n"),), 400, "MALFORMED_HTTP"),
        ((sized(b"X: 1\r\n 2\r\n"),), 400, "MALFORMED_HTTP"),
        ((sized(b"X : 1\r\n"),), 400, "MALFORMED_HTTP"),
        ((sized(b"X: 1\nY: 2\r\n"),), 400, "MALFORMED_HTTP"),
        ((sized(b"X: 1\r\n" * 101),), 400, "MALFORMED_HTTP"),
        ((sized(b"".join(b"X%d: %s\r\n" % (n, b"a" * 1000) for n in range(17))),), 431, "HEAD_TOO_LARGE"),
        (
            (b"GET / HTTP/1.1\r\nX: " + b"a" * 8000 + b"\r\nY: " + b"a" * 8000, b"\r\nZ: " + b"a" * 999),
            431,
            "HEAD_TOO_LARGE",
        ),
        ((post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),), 400, "UNSUPPORTED_TRANSFER_ENCODING"),
        ((post(CHUNKED, b"0\r\n\r\n", line=b"POST /api/v1/scan HTTP/1.0"),), 400, "UNSUPPORTED_TRANSFER_ENCODING"),
        ((post(CHUNKED, b"1;" + b"a" * 300_000),), 400, "CHUNKS_TOO_SMALL"),
        ((post(CHUNKED, b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n"),), 400, "MALFORMED_HTTP"),
        ((sized(b"Content-Encoding: gzip, gzip\r\n"),), 415, "UNSUPPORTED_CONTENT_ENCODING"),
        ((sized(b"Content-Encoding: gzip\r\n" * 2),), 415, "UNSUPPORTED_CONTENT_ENCODING"),
        ((sized(b"Content-Encoding: lzma\r\n"),), 415, "UNSUPPORTED_CONTENT_ENCODING"),
        ((b"GET http://[ HTTP/1.1\r\n" + HOST + b"\r\n",), 400, "MALFORMED_HTTP"),
        ((sized(b"Content-Encoding: br\r\n"),), 415, "UNSUPPORTED_CONTENT_ENCODING"),
        ((post(b"Content-Length: -1\r\n"),), 400, "MALFORMED_HTTP"),
        ((post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n"),), 400, "MALFORMED_HTTP"),
        ((post(b"Transfer-Encoding: chunked\r\n", b"5\r\nabcde"), b"XX\r\n"), 400, "BODY_UNREADABLE"),
        ((sized(b"Content-Encoding: gzip\r\n"),), 400, "BODY_UNREADABLE"),
        ((sized(b"Content-Encoding: deflate\r\n"),), 400, "BODY_UNREADABLE"),
        ((post(b"Content-Encoding: gzip\r\nContent-Length: 99\r\n", b""), b"a" * 99), 400, "BODY_UNREADABLE"),
        ((sized(b"Expect: foo\r\n"),), 417, "EXPECTATION_FAILED"),
        ((b"POST /nothing HTTP/1.1\r\n" + HOST + b"Expect: foo\r\n\r\n",), 417, "EXPECTATION_FAILED"),
    ],
)
async def test_broken_http_is_refused_in_the_one_form(
    start: Start, capsys: pytest.CaptureFixture[str], sent: tuple[bytes, ...], status: int, code: str
) -> None:
    """Code, message, suggestion and request id; counted; and nothing to log, for it is the caller's fault."""
    server = await start()
    found, headers, body = await raw(server, *sent)
    error = json.loads(body)["error"]

    assert (found, error["code"]) == (status, code)
    assert set(error) == {"code", "message", "suggestion", "timestamp", "requestId"}
    assert all(error.values())
    assert len(error["message"]) < 250
    assert error["requestId"] == headers["x-request-id"]
    assert (headers["server"], headers["x-served-by"]) == ("typosentinel", "pod-1")
    counted = [labels for name, labels in await samples(server) if name == "http_server_request_duration_seconds_count"]
    assert ("http_response_status_code", str(status)) in {label for labels in counted for label in labels}
    assert capsys.readouterr().err == ""
    async with server.http.get("/health") as response:
        assert (await response.json())["status"] == "ok"


async def test_packed_body_is_read(start: Start) -> None:
    """A body that is what its headers say is no reason to refuse it; nor is a wish to be told to go on."""
    server = await start()
    packed = gzip.compress(BODY)
    status, _, body = await raw(server, sized(b"Content-Encoding: gzip\r\n", packed))

    assert (status, json.loads(body)["verdict"]) == (200, "suspicious")
    async with server.http.post(
        "/api/v1/scan", data=BODY, headers={"Content-Type": "application/json"}, expect100=True
    ) as response:
        assert response.status == 200


async def test_refusal_keeps_the_callers_id(start: Start) -> None:
    """Where the headers could be read."""
    server = await start()
    _, headers, _ = await raw(server, sized(b"Expect: foo\r\nX-Request-ID: mine\r\n"))

    assert headers["x-request-id"] == "mine"


async def test_client_that_hangs_up_is_not_the_servers_fault(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """It is counted as 499, logged as no error, and the server stays healthy."""
    server = await start()
    address = urlsplit(server.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(post(b"Content-Length: 1000\r\n"))
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.transport.abort()
    await asyncio.sleep(0.1)

    async with server.http.get("/health") as response:
        health = await response.json()
    assert (health["status"], health["requests"]["count"], health["requests"]["errorRatio"]) == ("ok", 1, 0.0)
    assert capsys.readouterr().err == ""
    labels = {("http_request_method", "POST"), ("http_route", "/api/v1/scan"), ("http_response_status_code", "499")}
    assert (await samples(server))["http_server_request_duration_seconds_count", frozenset(labels)] == 1


async def test_failure_outside_every_middleware_is_an_answer_too(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last net, in the same form, and without the callers' secrets in the log."""
    server = await start()
    object.__setattr__(server.parts, "ring", None)
    for path, wanted in (("/api/v1/scan", 500), ("/health", 500)):
        async with server.http.post(path, data=BODY, headers={"Authorization": "Bearer hidden"}) as response:
            assert response.status in (wanted, 405)
            assert (await response.json())["error"]["requestId"] == response.headers["X-Request-ID"]
    logged = capsys.readouterr().err

    assert "AttributeError" in logged
    assert "hidden" not in logged
    assert "locals" not in logged
