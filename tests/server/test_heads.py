"""A head that is known is not parsed again, and nothing else is taken for one."""

import asyncio
import json
from contextlib import suppress

import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser, RawRequestMessage

from running import Running, Start, samples
from typosentinel_server.edge import gathering, heads
from typosentinel_server.edge.connection import Connection
from typosentinel_server.edge.heads import Head, Heads, measured
from typosentinel_server.middleware import Around, Handler

BODY = b'{"ecosystem": "PyPI", "name": "reqeusts"}'
HEAD = b"POST /api/v1/scan HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
LONGER = b'{"ecosystem": "PyPI", "name": "requests-and-more-of-it"}'


async def parsed(data: bytes) -> RawRequestMessage:
    """What the library makes of a head."""
    loop = asyncio.get_running_loop()
    messages, _, _ = HttpRequestParser(BaseProtocol(loop), loop, 2**16).feed_data(data)
    return messages[0][0]


async def test_a_plain_head_is_measured() -> None:
    """Where it ends, and how much comes behind it."""
    found = measured(WHOLE + b"GET /", await parsed(WHOLE))
    assert found is not None
    assert found[0] == WHOLE.removesuffix(BODY)
    assert found[1].length == len(BODY)
    bare = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    message = await parsed(bare)
    found = measured(bare, message)
    assert found is not None
    assert (found[0], found[1].message, found[1].length) == (bare, message, 0)


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\n", b"\r\r\n\r\n"])
async def test_empty_lines_before_a_head_are_no_head(before: bytes) -> None:
    """The parser passes over them; known by its first empty line, every request would be the same."""
    assert measured(before + WHOLE, await parsed(WHOLE)) is None


@pytest.mark.parametrize(
    "more",
    [b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Content-Encoding: gzip\r\nContent-Length: 5\r\n"],
)
async def test_what_ends_otherwise_is_not_measured(more: bytes) -> None:
    """Chunks, packed bodies, and connections that end with the request."""
    data = HEAD + more + b"\r\n"
    assert measured(data, await parsed(data)) is None


async def test_what_was_no_head_is_not_measured() -> None:
    """Errors of the parser, and bytes in which lines end otherwise."""
    message = await parsed(WHOLE)
    assert measured(WHOLE, object()) is None
    assert measured(WHOLE.replace(b"Host: a\r\n", b"Host: a\n"), message) is None
    assert measured(WHOLE[:20], message) is None


async def test_heads_that_nobody_sends_any_more_are_forgotten() -> None:
    """Two generations at most; who is asked for stays."""
    known = Head(await parsed(WHOLE), 0)
    held = Heads()
    held.keep(b"often", known)
    for n in range(5 * heads.MOST):
        held.keep(b"%d" % n, known)
        assert held.find(b"often") is known
    assert held.find(b"0") is None
    assert sum(held.find(b"%d" % n) is not None for n in range(5 * heads.MOST)) <= 2 * heads.MOST
    held.keep(b"x" * (heads.LONGEST + 1), known)
    assert held.find(b"x" * (heads.LONGEST + 1)) is None


async def said(server: Running, pieces: list[bytes], answers: int) -> list[tuple[int, str]]:
    """Status, and name or error, of the answers to bytes that are sent piece by piece over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    found = []
    for _ in range(answers):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        content = json.loads(await reader.readexactly(length))
        found.append((int(head.split()[1]), content.get("name") or content.get("status") or content["error"]["code"]))
    writer.close()
    return found


GOOD = (200, "reqeusts")


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        pytest.param([WHOLE, WHOLE, WHOLE], [GOOD] * 3, id="again and again"),
        pytest.param([WHOLE[:-9], WHOLE[-9:], WHOLE], [GOOD] * 2, id="a body in two pieces, then a known head"),
        pytest.param([WHOLE[:30], WHOLE[30:], WHOLE], [GOOD] * 2, id="a head in two pieces"),
        pytest.param([WHOLE + WHOLE[:30], WHOLE[30:], WHOLE], [GOOD] * 3, id="a piece of the next behind it"),
        pytest.param([WHOLE + WHOLE, WHOLE], [GOOD] * 3, id="two at once"),
        pytest.param([WHOLE, WHOLE + WHOLE, WHOLE], [GOOD] * 4, id="two at once, of known heads"),
        pytest.param([WHOLE + b"\r\n", WHOLE], [GOOD] * 2, id="an empty line between"),
        pytest.param(
            [HEAD + b"Content-Length: %d\r\n\r\n" % len(LONGER) + LONGER, WHOLE],
            [(200, "requests-and-more-of-it"), GOOD],
            id="another length",
        ),
        pytest.param(
            # What looks like a request of a known head is the body of another.
            [WHOLE, HEAD + b"Content-Length: %d\r\n\r\n" % len(WHOLE), WHOLE, WHOLE],
            [GOOD, (400, "MALFORMED_JSON"), GOOD],
            id="a request in a body",
        ),
        pytest.param(
            [
                WHOLE,
                HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(WHOLE),
                WHOLE,
                b"\r\n0\r\n\r\n",
                WHOLE,
            ],
            [GOOD, (400, "MALFORMED_JSON"), GOOD],
            id="a request in a chunk",
        ),
        pytest.param(
            [WHOLE, b"DELETE /api/v1/scan HTTP/1.1\r\nX-Other: ", WHOLE, WHOLE],
            [GOOD, (405, "METHOD_NOT_ALLOWED"), GOOD],
            id="a request in a header",
        ),
        pytest.param(
            # It is refused before its body is there.
            [
                WHOLE,
                b"DELETE /api/v1/scan HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(WHOLE),
                WHOLE,
                WHOLE,
            ],
            [GOOD, (405, "METHOD_NOT_ALLOWED"), GOOD],
            id="a request in a body that nobody wants",
        ),
        pytest.param(
            [
                WHOLE,
                b"DELETE /api/v1/scan HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (len(WHOLE) + 4),
                b"more",
                WHOLE,
                WHOLE,
            ],
            [GOOD, (405, "METHOD_NOT_ALLOWED"), GOOD],
            id="a request in the rest of a body that nobody wants",
        ),
        pytest.param(
            [
                HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 1) + BODY + b" ",
                HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 1) + BODY,
                b"x",
            ],
            [GOOD, (400, "MALFORMED_JSON")],
            id="a known head before a body of which the last byte is missing",
        ),
        pytest.param(
            # Nobody but the lane's careful sister can say what is wrong with it.
            [WHOLE, WHOLE.replace(b'"name"', b'"nome"'), WHOLE],
            [GOOD, (422, "INVALID_REQUEST"), GOOD],
            id="a known head before a body that is not plain",
        ),
    ],
)
async def test_bytes_mean_the_same_whether_or_not_their_head_is_known(
    start: Start, pieces: list[bytes], wanted: list[tuple[int, str]]
) -> None:
    """However they are cut into pieces, and whatever they hold."""
    server = await start()
    for _ in range(2):
        found = await said(server, pieces, len(wanted))
        assert found == wanted
    told = await samples(server)
    assert told["typosentinel_scan_duration_seconds_count", frozenset()] == 2 * sum(code == 200 for code, _ in wanted)


async def test_a_head_of_which_the_body_differs_in_length_is_parsed(start: Start) -> None:
    """Too long a body is the start of another request, too short a one waits for its rest."""
    server = await start()
    assert await said(server, [WHOLE, WHOLE + b"GARBAGE\r\n\r\n"], 2) == [GOOD, (400, "MALFORMED_HTTP")]
    assert await said(server, [WHOLE, WHOLE[:-1], b"}"], 2) == [GOOD, GOOD]


async def test_answers_come_in_the_order_of_the_requests(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of a known head waits for a slow one before it, and one of which others came in the same turn."""
    real = Around.handle

    async def handle(around: Around, request: web.Request, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(0.1)
        response: web.StreamResponse = await real(around, request, handler)
        return response

    monkeypatch.setattr(Around, "handle", web.middleware(handle))
    server = await start()
    slow = WHOLE.replace(b"scan HTTP", b"scan?slow=1 HTTP").replace(b"reqeusts", b"numpyyyy")
    assert await said(server, [WHOLE, slow, WHOLE], 3) == [GOOD, (200, "numpyyyy"), GOOD]


async def test_what_comes_while_a_request_is_held_is_not_lost(start: Start) -> None:
    """However many pieces the system hands out in one turn."""
    server = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    names = [b"reqeusts", b"requezts", b"requestz", b"erquests", b"reuqests"]
    writer.write(WHOLE)
    await reader.readuntil(b'"version"')
    (connection,) = server.front.open
    for name in names:
        connection.data_received(WHOLE.replace(b"reqeusts", name))
    for name in names:
        assert b'"name":"%b"' % name in await reader.readuntil(b'"version"')
    writer.close()


async def test_nobody_teaches_the_server_what_is_no_head(start: Start) -> None:
    """What one client sends before a request means nothing when another sends it alone."""
    server = await start()
    for before in (b"\r\n\r\n", b"\r\n", b"\n\n"):
        assert await said(server, [before + b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"], 1) == [(200, "ok")]
        assert await said(server, [before, WHOLE.replace(b"reqeusts", b"requezts")], 1) == [(200, "requezts")]


async def test_who_sends_no_more_gets_the_answer_to_what_he_sent(start: Start) -> None:
    """Half-closed connections, more of them than are answered in one turn."""
    server = await start()
    assert await said(server, [WHOLE], 1) == [GOOD]
    port = int(server.url.rsplit(":", 1)[1])
    open_ = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3 * gathering.MOST)]
    for _, writer in open_:
        writer.write(WHOLE)
        writer.write_eof()
    found = [await reader.read() for reader, _ in open_]
    assert all(one.startswith(b"HTTP/1.1 200") and one.endswith(b"}") for one in found)
    for _, writer in open_:
        writer.close()


async def only_connection(server: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Connection]:
    """A client's side and the server's, the head of WHOLE known."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    writer.write(WHOLE)
    await reader.readuntil(b'"version"')
    (connection,) = server.front.open
    assert isinstance(connection, Connection)
    return reader, writer, connection


async def test_a_large_body_is_too_large_however_often_its_head_came(start: Start) -> None:
    """A loop may hand out more at once than a body may hold."""
    server = await start()
    reader, writer, connection = await only_connection(server)
    body = b" " * 100_000 + BODY
    large = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    connection.data_received(large)
    assert b" 413 " in await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await asyncio.sleep(0.1)
    reader, writer, connection = await only_connection(server)
    connection.data_received(large)
    assert b" 413 " in await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_no_more_is_read_than_one_piece_behind_a_held_request(start: Start) -> None:
    """Others are answered first, and memory is bounded."""
    server = await start()
    reader, writer, connection = await only_connection(server)
    transport = connection.transport
    assert isinstance(transport, asyncio.Transport)
    connection.data_received(WHOLE)
    assert transport.is_reading()
    connection.data_received(WHOLE.replace(b"reqeusts", b"requezts"))
    assert not transport.is_reading()
    assert b"requezts" in await reader.readuntil(b'"requezts"')
    assert transport.is_reading()
    writer.close()


async def test_a_connection_that_breaks_takes_no_other_along(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them were held at the same time."""
    real = Connection.take

    def take(connection: Connection, answer: bytes | None) -> None:
        if answer is not None and b"broken" in answer:
            raise ZeroDivisionError
        real(connection, answer)

    monkeypatch.setattr(Connection, "take", take)
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    server = await start()
    port = int(server.url.rsplit(":", 1)[1])
    open_ = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
    for (_, writer), name in zip(open_, (b"reqeusts", b"brokenly", b"reqeusts", b"reqeusts"), strict=True):
        writer.write(WHOLE.replace(b"reqeusts", name))
    for n, (reader, writer) in enumerate(open_):
        if n == 1:
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        else:
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert [type(one["exception"]) for one in complaints] == [ZeroDivisionError]


async def test_requests_behind_a_declined_upgrade_do_not_spoil_the_count(start: Start) -> None:
    """The library finds them by itself."""
    server = await start()
    reader, writer, connection = await only_connection(server)
    upgrade = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    writer.write(upgrade + WHOLE)
    for _ in range(2):
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.02)
    assert connection._owed == 0
    writer.close()
