"""The way out: no request is lost."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from running import Start, StillClock
from typosentinel_server.lifecycle import STALLED_AFTER_SECONDS, Lifecycle, Timing
from typosentinel_server.metrics import Metrics

QUESTION = {"ecosystem": "PyPI", "name": "reqeusts"}


async def test_drain_turns_readiness_off_while_requests_are_answered(start: Start) -> None:
    """Balancers look elsewhere and clients open their next connection elsewhere; nobody is turned away."""
    server = await start(timing=Timing(drain=0.8))
    async with server.http.get("/ready") as response:
        assert response.status == 200
        assert "Connection" not in response.headers
    drain = asyncio.create_task(server.parts.lifecycle.drain())
    await asyncio.sleep(0.1)

    async with server.http.get("/ready") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (503, "DRAINING")
    async with server.http.post("/api/v1/scan", json=QUESTION) as response:
        assert (response.status, response.headers["Connection"]) == (200, "close")
    async with server.http.get("/live") as response:
        assert response.status == 200
    async with server.http.get("/health") as response:
        assert (await response.json())["draining"]
    assert not drain.done()
    await drain


async def test_nobody_can_drain_a_server_over_the_network(start: Start) -> None:
    """Only the signal does it: whoever may scan must not be able to switch scanners off."""
    server = await start()
    async with server.http.get("/drain") as response:
        assert response.status == 404
    async with server.http.get("/ready") as response:
        assert response.status == 200


async def test_stalled_loop_is_not_alive(still: StillClock) -> None:
    """Liveness is progress: without a heartbeat it ends."""
    lifecycle = Lifecycle(still.clock, Metrics("1"), Timing())
    assert lifecycle.alive
    still.seconds += STALLED_AFTER_SECONDS

    assert not lifecycle.alive


async def test_heartbeat_goes_on(start: Start) -> None:
    """A running server's heart beats."""
    server = await start()
    await asyncio.sleep(1.2)

    assert server.parts.lifecycle.heartbeat_age < 1


class Process:
    """A server in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "typosentinel_server", "serve", "--port", "0", *arguments]
        self.popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"})
        assert self.popen.stderr is not None
        self.stderr = self.popen.stderr
        self.first = json.loads(self.stderr.readline())

    def end(self) -> list[dict[str, object]]:
        """Waits for the end; returns the remaining log lines."""
        rest = self.stderr.read()
        self.popen.wait()
        self.stderr.close()
        return [json.loads(line) for line in rest.splitlines()]


async def slow_scan(url: str, begin: float, rest: float) -> str:
    """The status line for a scan whose body starts to come `begin` seconds from now and ends `rest` later."""
    address = urlsplit(url)
    body = json.dumps(QUESTION).encode()
    await asyncio.sleep(begin)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST /api/v1/scan HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    writer.write(head.encode() + b"\r\n\r\n" + body[:1])
    try:
        await asyncio.sleep(rest)
        writer.write(body[1:])
        return (await reader.readline()).decode("ascii").strip()
    finally:
        writer.close()


@pytest.mark.timeout(20)
async def test_wait_for_requests_has_an_end(start: Start) -> None:
    """A client that never ends its request holds the server up for no longer than it is given."""
    server = await start(timing=Timing(drain=0, shutdown=0.5))
    slow = asyncio.create_task(slow_scan(server.url, begin=0, rest=60))
    await asyncio.sleep(0.2)
    async with asyncio.timeout(2):
        await server.parts.lifecycle.finish()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)

    assert server.parts.lifecycle.draining


@pytest.mark.timeout(20)
async def test_sigterm_loses_no_request(lists: Path) -> None:
    """Those are answered that keep coming though readiness is off, and those that outlast the drain."""
    process = Process("--corpus", str(lists), "--drain-seconds", "1")
    url = str(process.first["address"])
    statuses: list[int] = []
    unready: list[int] = []
    async with ClientSession(url) as http:
        loop = asyncio.get_running_loop()
        until = loop.time() + 0.3 + 0.8

        async def ask_and_ask() -> None:
            while loop.time() < until:
                async with http.post("/api/v1/scan", json=QUESTION) as response:
                    statuses.append(response.status)
                async with http.get("/ready") as response:
                    unready.append(response.status == 503)

        clients = [asyncio.create_task(ask_and_ask()) for _ in range(8)]
        slow = [asyncio.create_task(slow_scan(url, begin=0.25, rest=1.8)) for _ in range(4)]
        await asyncio.sleep(0.3)
        process.popen.send_signal(signal.SIGTERM)
        await asyncio.gather(*clients)
        answers = await asyncio.gather(*slow)
    answered = loop.time()
    log = await asyncio.to_thread(process.end)

    assert set(statuses) == {200}
    assert len(statuses) > 50
    assert any(unready)
    assert answers == ["HTTP/1.1 200 OK"] * 4
    assert loop.time() - answered < 2
    assert process.popen.returncode == 0
    assert [line["event"] for line in log if line["event"] != "request"] == ["stopping", "stopped"]


@pytest.mark.timeout(20)
def test_second_signal_skips_the_wait(lists: Path) -> None:
    """Whoever is in a hurry says it twice."""
    process = Process("--corpus", str(lists), "--drain-seconds", "60")
    process.popen.send_signal(signal.SIGTERM)
    assert json.loads(process.stderr.readline())["event"] == "stopping"
    process.popen.send_signal(signal.SIGTERM)
    process.end()

    assert process.popen.returncode == 0


@pytest.mark.timeout(20)
def test_one_line_says_where_it_listens(lists: Path) -> None:
    """Address, version, ecosystems and configuration."""
    process = Process("--corpus", str(lists), "--host", "127.0.0.1")
    process.popen.send_signal(signal.SIGINT)
    process.end()

    assert str(process.first["address"]).startswith("http://127.0.0.1:")
    assert (process.first["event"], process.first["level"]) == ("listening", "info")
    assert (process.first["ecosystems"], process.first["configuration"]) == (["PyPI", "npm"], "defaults")
