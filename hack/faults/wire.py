"""Requests as bytes, answers as status and body; nothing in between that would mend them."""

import asyncio
import json
from dataclasses import dataclass

QUESTION = b'{"ecosystem":"PyPI","name":"reqeusts"}'
ANSWER_SECONDS = 10.0


def scan(*headers: bytes, body: bytes = QUESTION, length: int | None = None) -> bytes:
    """The bytes of a scan; `length` is what it says that its body has, where that is not the truth."""
    said = len(body) if length is None else length
    return scan_head(b"Content-Length: %d" % said, *headers) + body


def scan_head(*headers: bytes, path: bytes = b"/api/v1/scan") -> bytes:
    """The head of a scan with these headers besides host and type."""
    lines = (b"POST " + path + b" HTTP/1.1", b"Host: a", b"Content-Type: application/json", *headers, b"", b"")
    return b"\r\n".join(lines)


@dataclass(frozen=True)
class Answered:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code in the one form of errors; empty where the body is none."""
        try:
            return str(json.loads(self.body)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return ""

    @property
    def closes(self) -> bool:
        """Whether the server says that it closes the connection."""
        return self.headers.get("connection", "").lower() == "close"


async def answer(reader: asyncio.StreamReader) -> Answered:
    """The next answer. Raises IncompleteReadError where the connection ends before."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answered(int(head[0].split()[1]), headers, body)


async def ask(host: str, port: int, *parts: bytes) -> Answered:
    """The answer to these bytes on a connection of their own."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer(reader)
    finally:
        writer.transport.abort()
