"""Clients that send, or take, a byte now and then."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from hack.faults.wire import scan_head

AT_ONCE = 100
SMALL_BUFFER = 4096
# Enough answers to fill all buffers of both systems.
PIPELINED = 40


class Kind(StrEnum):
    """What is slow."""

    HEAD = "slow heads"
    BODY = "slow bodies"
    READER = "slow readers"


FIRST = {
    Kind.HEAD: b"GET /live HTTP/1.1\r\nX: ",
    Kind.BODY: scan_head(b"Content-Length: 1000") + b"{",
    Kind.READER: b"GET /api/v1/methods HTTP/1.1\r\nHost: a\r\n\r\n" * PIPELINED,
}


class Slow(asyncio.Protocol):
    """One of them.

    Args:
        kind: what is slow about it.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.opened = time.monotonic()
        self.closed: float | None = None
        self.heard = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Says the first of what it has to say."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            if self.kind is Kind.READER:
                transport.pause_reading()
            transport.write(FIRST[self.kind])

    def data_received(self, data: bytes) -> None:
        """Keeps the beginning of what it hears."""
        self.heard += data[: 4096 - len(self.heard)]

    def connection_lost(self, _: Exception | None) -> None:
        """Notes when it was closed."""
        self.closed = self.closed or time.monotonic()

    def drip(self) -> None:
        """One byte more; who does not read notices here that it was closed."""
        transport = self._transport
        if self.closed is None and transport is not None:
            transport.write(b"E")

    def abort(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.abort()


@dataclass
class Crowd:
    """Many of them.

    Attributes:
        members: all of them.
        refused: how many could not even connect.
    """

    members: list[Slow] = field(default_factory=list)
    refused: int = 0

    @property
    def open(self) -> int:
        """How many are still connected."""
        return sum(member.closed is None for member in self.members)

    @property
    def longest(self) -> float:
        """Seconds that the longest connection has lasted."""
        now = time.monotonic()
        return max(((member.closed or now) - member.opened for member in self.members), default=0.0)

    async def gone(self, seconds: float) -> bool:
        """Whether all are closed within so many seconds."""
        end = time.monotonic() + seconds
        while self.open and time.monotonic() < end:  # noqa: ASYNC110 - a look now and then is enough
            await asyncio.sleep(0.1)
        return not self.open


@asynccontextmanager
async def crowd(kind: Kind, count: int, host: str, port: int, *, every: float = 10.0) -> AsyncIterator[Crowd]:
    """So many connections of a kind, each with a byte every so many seconds, for as long as the block lasts."""
    everyone = Crowd()
    loop = asyncio.get_running_loop()

    async def join() -> None:
        sock = socket.socket()
        sock.settimeout(0)
        if kind is Kind.READER:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        try:
            await loop.sock_connect(sock, (host, port))
            _, member = await loop.create_connection(lambda: Slow(kind), sock=sock)
            everyone.members.append(member)
        except OSError:
            everyone.refused += 1
            sock.close()

    async def drip() -> None:
        while True:
            await asyncio.sleep(every)
            for member in everyone.members:
                member.drip()

    for start in range(0, count, AT_ONCE):
        await asyncio.gather(*(join() for _ in range(min(AT_ONCE, count - start))))
    dripping = asyncio.create_task(drip())
    try:
        yield everyone
    finally:
        dripping.cancel()
        with suppress(asyncio.CancelledError):
            await dripping
        for member in everyone.members:
            member.abort()
