"""Closing a listening socket behind the last one in its queue, on real sockets."""

import asyncio
import socket
from pathlib import Path

from aiohttp import web

from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.edge.door import Door, quiet, until
from typosentinel_server.engines import Library
from typosentinel_server.front import Runner
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel

PROBE = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"


class Echo(asyncio.Protocol):
    """Says back what it hears."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Says it back and hangs up."""
        self._transport.write(data)
        self._transport.close()


async def test_those_in_the_queue_are_answered() -> None:
    """They connected before the socket was closed, and nobody had taken them over."""
    standing = socket.create_server(("127.0.0.1", 0), backlog=64)
    door = Door([standing.fileno()])
    address = standing.getsockname()
    clients = [socket.create_connection(address) for _ in range(40)]
    for client in clients:
        client.sendall(b"hello")
        client.settimeout(0)
    standing.close()

    assert await door.close(Echo) == 40
    loop = asyncio.get_running_loop()
    heard = await asyncio.gather(*(loop.sock_recv(client, 100) for client in clients))
    assert set(heard) == {b"hello"}
    for client in clients:
        client.close()
    with socket.socket() as late:
        assert late.connect_ex(address) != 0


async def test_runner_answers_whoever_connected_before_its_door_closed(lists: Path, real_clock: Clock) -> None:
    """Those in the queue, one who says later what he wants, and one who has been idle; then nobody is there."""
    setup = Setup(name="pod-1", library=Library(lists))
    runner = Runner(make_app(setup, real_clock, Log("json", LogLevel.ERROR)))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0][:2]
    idle_reader, idle = await asyncio.open_connection(*address)
    idle.write(PROBE)
    assert (await idle_reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
    # The loop does not turn between these and the closing of the door.
    clients = [socket.create_connection(address) for _ in range(10)]
    closing = asyncio.create_task(runner.close_door(patience=0))
    await asyncio.sleep(0.1)
    answers = []
    for client in clients:
        client.settimeout(0)
        reader, writer = await asyncio.open_connection(sock=client)
        writer.write(PROBE)
        answers.append(await reader.readuntil(b"}"))
        writer.close()
    await closing
    await runner.part()

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert await idle_reader.read() == b""
    with socket.socket() as late:
        assert late.connect_ex(address) != 0
    idle.close()
    await runner.cleanup()


async def test_waiting_has_an_end() -> None:
    """Neither a crowd that keeps coming nor what is never done holds anyone up."""
    count = iter(range(1_000_000))
    async with asyncio.timeout(3):
        await quiet(lambda: next(count), 0.1)
        await quiet(lambda: 0, 60)
        await until(lambda: False, 0.1)
        await until(lambda: True, 60)
