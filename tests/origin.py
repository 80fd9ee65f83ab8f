"""A server of files on loopback that does as it is told: also to lie, to stall and to break off."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from typosentinel_server.bundles.archive import pack
from typosentinel_server.bundles.build import Material, files, make
from typosentinel_server.scan.model import Ecosystem

Headers = dict[str, str]
Answer = Callable[[asyncio.StreamWriter, Headers], Awaitable[None]]
CREATED = datetime(2026, 5, 1, tzinfo=UTC)


def bundle_files(names: int = 10, *, npm: bool = False) -> dict[str, bytes]:
    """The files of a bundle for RubyGems with so many names, `rails` the first of them; perhaps with npm beside it."""
    rest = "\n".join(f"package-{n}" for n in range(names - 1))
    materials = [Material(Ecosystem.RUBYGEMS, "top.txt", f"rails\n{rest}\n".encode())]
    if npm:
        materials.append(Material(Ecosystem.NPM, "top.txt", b"lodash\nreact\n"))
    return files([make(material, None, lambda _: None) for material in materials], CREATED)


def archive(names: int = 10, *, npm: bool = False) -> bytes:
    """Such a bundle as an archive."""
    return pack(bundle_files(names, npm=npm), CREATED)


def http(status: str, body: bytes = b"", **headers: str) -> bytes:
    """An answer in bytes, of honest length unless `headers` say otherwise."""
    given = {"Content-Length": str(len(body)), "Connection": "close"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def says(*pieces: bytes) -> Answer:
    """Sends these bytes and closes."""

    async def answer(writer: asyncio.StreamWriter, _headers: Headers) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return answer


def stalls(*pieces: bytes) -> Answer:
    """Sends these bytes and then nothing more, without closing."""

    async def answer(writer: asyncio.StreamWriter, headers: Headers) -> None:
        await says(*pieces)(writer, headers)
        await asyncio.Event().wait()

    return answer


@dataclass
class Origin:
    """Answers by path, and what was asked for.

    Attributes:
        port: where it listens.
        answers: by path; anything else is 404.
        asked: paths in order, with the request's headers in lower case.
        bodies: of the requests that had one, in order.
        was_asked: set from the first request on.
    """

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Headers]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def publish(self, path: str, content: bytes, etag: str | None = None, *, digest: str | None = None) -> None:
        """Puts a file there with its checksum beside it, or with another one."""

        async def answer(writer: asyncio.StreamWriter, headers: Headers) -> None:
            if etag is not None and headers.get("if-none-match") == etag:
                writer.write(http("304 Not Modified"))
            else:
                writer.write(http("200 OK", content, **({"ETag": etag} if etag else {})))

        self.answers[path] = answer
        said = digest or hashlib.sha256(content).hexdigest()
        self.answers[path + ".sha256"] = says(http("200 OK", f"{said}  lists.tar\n".encode()))


@asynccontextmanager
async def opened() -> AsyncIterator[Origin]:
    """A origin that listens."""
    origin = Origin()
    tasks: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = head[0].split()[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            if "content-length" in headers:
                origin.bodies.append(await reader.readexactly(int(headers["content-length"])))
            origin.asked.append((path, headers))
            origin.was_asked.set()
            await origin.answers.get(path, says(http("404 Not Found")))(writer, headers)
            await writer.drain()
        tasks.discard(task)
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    origin.port = server.sockets[0].getsockname()[1]
    try:
        yield origin
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
