"""A server process that another one looks after: when it listens, when it ends, what it tells of itself."""

import asyncio
import os
import signal
import socket
from contextlib import suppress

from aiohttp import web

from typosentinel_server.errors import DomainError
from typosentinel_server.metrics import Metrics
from typosentinel_server.processes.channel import Channel
from typosentinel_server.processes.exposition import told
from typosentinel_server.processes.ports import shared_socket

GATHER_SECONDS = 5.0


class Supervised:
    """The process' end of the channel.

    Args:
        channel: to the supervisor.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._metrics: Metrics | None = None
        self._listen = asyncio.Event()
        self._bind = asyncio.Event()
        self._asked: list[asyncio.Future[str]] = []
        self._task = asyncio.create_task(self._hear(), name="supervisor")

    @classmethod
    async def over(cls, descriptor: int) -> "Supervised":
        """The one whose end of the socket pair is open under this number."""
        return cls(await Channel.over(socket.socket(fileno=descriptor)))

    async def listen(self, host: str, port: int, metrics: Metrics) -> socket.socket:
        """A socket for the port that all processes share, once all of them are bound to it.

        Raises:
            OSError: it cannot be bound to.
        """
        self._metrics = metrics
        self._channel.send("built")
        await self._bind.wait()
        bound = shared_socket(host, port)
        self._channel.send("bound")
        await self._listen.wait()
        return bound

    def listening(self) -> None:
        """Says that requests are taken."""
        self._channel.send("listening")

    async def exposition(self) -> bytes:
        """The metrics of all processes in Prometheus' text format.

        Raises:
            DomainError: the supervisor does not say them.
        """
        asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._channel.send("gather")
        try:
            async with asyncio.timeout(GATHER_SECONDS):
                return (await asked).encode()
        except TimeoutError as error:
            raise DomainError(
                "METRICS_UNAVAILABLE",
                "the process that gathers the metrics does not answer",
                "Try again; if it stays, restart the server.",
                http_hint=503,
            ) from error

    async def close(self) -> None:
        """Ends the conversation."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._channel.close()

    async def _hear(self) -> None:
        while (message := await self._channel.receive()) is not None:
            word = message["word"]
            if word == "bind":
                self._bind.set()
            elif word == "listen":
                self._listen.set()
            elif word == "tell" and self._metrics is not None:
                self._channel.send("told", families=told(self._metrics.registry))
            elif word == "gathered":
                asked, self._asked = self._asked, []
                for one in asked:
                    if not one.done():
                        one.set_result(message["text"])
        # Without a supervisor nobody would ever end this process.
        os.kill(os.getpid(), signal.SIGTERM)


# Under this key where a server has siblings.
SUPERVISED = web.AppKey("SUPERVISED", Supervised)
