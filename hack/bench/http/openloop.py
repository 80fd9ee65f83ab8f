"""Requests at their own times, whatever the server does: latencies count from when a request was due.

A client that waits for answers before it sends on never sees a queue; this one does. One process, one core.
"""

import asyncio
import statistics
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

import uvloop

CONNECTIONS = 128
TICK_SECONDS = 0.0005
# What has not been answered by then has failed.
GRACE_SECONDS = 5.0
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(slots=True)
class Latencies:
    """What came of it: seconds by request, those of a probe beside, and requests that failed."""

    seconds: list[float] = field(default_factory=list)
    probe: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def p99_ms(self) -> float:
        """Milliseconds within which 99 in 100 requests were answered."""
        return statistics.quantiles(self.seconds, n=100)[98] * 1000

    @property
    def probe_ms(self) -> float:
        """Milliseconds that the probe took, the median."""
        return statistics.median(self.probe) * 1000


class _Client(asyncio.Protocol):
    """One connection that stays; one request at a time."""

    def __init__(self, idle: "deque[_Client]", latencies: Latencies) -> None:
        self._idle = idle
        self._latencies = latencies
        self._got = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._idle.append(self)

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, ended, body = self._got.partition(END_OF_HEAD)
        if not ended:
            return
        at = head.lower().index(LENGTH) + len(LENGTH)
        if len(body) < int(head[at : at + 12].split(b"\r")[0]):
            return
        self._got = b""
        if head.startswith(b"HTTP/1.1 200"):
            self._latencies.seconds.append(perf_counter() - self._due)
        else:
            self._latencies.failed += 1
        self._idle.append(self)


async def _probe(url: str, latencies: Latencies, every: float) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        while True:
            started = perf_counter()
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = await reader.readuntil(END_OF_HEAD)
            at = head.lower().index(LENGTH) + len(LENGTH)
            await reader.readexactly(int(head[at : at + 12].split(b"\r")[0]))
            latencies.probe.append(perf_counter() - started)
            await asyncio.sleep(every)
    finally:
        writer.close()


async def _load(url: str, body: bytes, rate: float, seconds: float, probe: str) -> Latencies:
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or 80
    loop = asyncio.get_running_loop()
    latencies = Latencies()
    idle: deque[_Client] = deque()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Client(idle, latencies), host, port)
    request = (
        f"POST {parts.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    probing = loop.create_task(_probe(probe, latencies, 0.005))
    begun = perf_counter()
    sent, wanted = 0, int(rate * seconds)
    while sent < wanted and perf_counter() < begun + seconds + GRACE_SECONDS:
        due_by_now = min(wanted, int((perf_counter() - begun) * rate))
        while sent < due_by_now and idle:
            idle.popleft().send(request, begun + sent / rate)
            sent += 1
        await asyncio.sleep(TICK_SECONDS)
    until = perf_counter() + GRACE_SECONDS
    while len(idle) < CONNECTIONS and perf_counter() < until:  # noqa: ASYNC110 - nothing tells when all are idle
        await asyncio.sleep(TICK_SECONDS)
    latencies.failed += wanted - sent + CONNECTIONS - len(idle)
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    return latencies


def load(url: str, body: bytes, rate: float, seconds: float, probe: str) -> Latencies:
    """Load a server at a rate.

    Args:
        url: what to post to.
        body: what to post.
        rate: requests per second.
        seconds: for how long.
        probe: an address that is asked every 5 ms beside, over a connection of its own.
    """
    return uvloop.run(_load(url, body, rate, seconds, probe))
