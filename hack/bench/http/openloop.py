"""Requests at their own times, whatever the server does: latencies count from when a request was due.

A client that waits for answers before it sends on never sees a queue; this one does. One process, one core, and little
between it and the sockets, as it has to be several times as fast as what it measures.
"""

import select
import socket
import statistics
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

CONNECTIONS: Final = 128
TICK_SECONDS: Final = 0.0002
PROBE_SECONDS: Final = 0.005
# What has not been answered by then has failed.
GRACE_SECONDS: Final = 5.0
CHUNK_BYTES: Final = 64 * 1024
END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"\r\nContent-Length: "


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


class _Client:
    """One connection that stays; one request at a time."""

    __slots__ = ("due", "got", "socket")

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=GRACE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(0)
        self.got = b""
        self.due = 0.0

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.send(request)

    def answered(self) -> bool | None:
        """Whether the answer that is there now is a good one; None while it is not there as a whole."""
        data = self.got + self.socket.recv(CHUNK_BYTES)
        end = data.find(END_OF_HEAD)
        at = data.find(LENGTH, 0, end) + len(LENGTH)
        if end < 0 or len(data) - end - len(END_OF_HEAD) < int(data[at : data.index(b"\r", at)]):
            self.got = data
            return None
        self.got = b""
        return data.startswith(b"HTTP/1.1 200")


class _Load:
    def __init__(self, url: str, body: bytes, probe: str) -> None:
        parts = urlsplit(url)
        host, port = str(parts.hostname), parts.port or 80
        self._request = (
            f"POST {parts.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self._question = f"GET {urlsplit(probe).path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self._probe = _Client(host, port)
        self._asked = False
        clients = [_Client(host, port) for _ in range(CONNECTIONS)]
        self._idle = deque(clients)
        self._by_number = {client.socket.fileno(): client for client in (*clients, self._probe)}
        self._poll = select.epoll()
        for number in self._by_number:
            self._poll.register(number, select.EPOLLIN)
        self.latencies = Latencies()

    def run(self, rate: float, seconds: float) -> None:
        idle, request = self._idle, self._request
        begun = perf_counter()
        sent, wanted = 0, int(rate * seconds)
        while sent < wanted and perf_counter() < begun + seconds + GRACE_SECONDS:
            due_by_now = min(wanted, int((perf_counter() - begun) * rate))
            while sent < due_by_now and idle:
                idle.popleft().send(request, begun + sent / rate)
                sent += 1
            if not self._asked and perf_counter() > self._probe.due + PROBE_SECONDS:
                self._asked = True
                self._probe.send(self._question, perf_counter())
            self._take(TICK_SECONDS)
        until = perf_counter() + GRACE_SECONDS
        while len(idle) < CONNECTIONS and perf_counter() < until:
            self._take(TICK_SECONDS)
        self.latencies.failed += wanted - sent + CONNECTIONS - len(idle)

    def _take(self, patience: float) -> None:
        found = self.latencies
        for number, _ in self._poll.poll(patience):
            client = self._by_number[number]
            good = client.answered()
            if good is None:
                continue
            taken = perf_counter() - client.due
            if client is self._probe:
                self._asked = False
                found.probe.append(taken)
                continue
            if good:
                found.seconds.append(taken)
            else:
                found.failed += 1
            self._idle.append(client)

    def close(self) -> None:
        self._poll.close()
        for client in self._by_number.values():
            client.socket.close()


def load(url: str, body: bytes, rate: float, seconds: float, probe: str) -> Latencies:
    """Load a server at a rate.

    Args:
        url: what to post to.
        body: what to post.
        rate: requests per second.
        seconds: for how long.
        probe: an address that is asked every 5 ms beside, over a connection of its own.

    Raises:
        OSError: the server closed a connection.
    """
    loaded = _Load(url, body, probe)
    try:
        loaded.run(rate, seconds)
    finally:
        loaded.close()
    return loaded.latencies
