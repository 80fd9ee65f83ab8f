"""A TCP proxy in front of a real server that swallows, cuts off and lets through as it is told."""

import asyncio
from types import TracebackType
from typing import Self

CHUNK = 65_536


class Proxy:
    """Passes bytes between clients and a port of the loopback.

    Attributes:
        cut_after: bytes of answers after which the connection is reset, in the midst of a reply; None: never.
    """

    def __init__(self, port: int) -> None:
        self.cut_after: int | None = None
        self._swallowing = False
        self._refused = False
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its own address."""
        assert self._server is not None
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    async def __aenter__(self) -> Self:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Ends all connections."""
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def swallow(self) -> None:
        """Bytes of both sides go nowhere from now on, while connections stay open and new ones are taken."""
        self._swallowing = True

    def refuse(self) -> None:
        """Ends every connection and closes new ones at once."""
        self._refused = True
        self.reset()

    def pass_on(self) -> None:
        """Passes bytes on again, over new connections: what was swallowed would be missing in the old ones."""
        self._swallowing = self._refused = False
        self.reset()

    def reset(self) -> None:
        """Resets every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._refused:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            try:
                await asyncio.gather(self._pass(reader, back, answers=False), self._pass(there, writer, answers=True))
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        passed = 0
        while content := await reader.read(CHUNK):
            if self._swallowing:
                continue
            if answers and self.cut_after is not None and passed + len(content) > self.cut_after:
                writer.write(content[: self.cut_after - passed])
                await asyncio.sleep(0)
                raise ConnectionResetError
            passed += len(content)
            writer.write(content)
            await writer.drain()
        raise ConnectionResetError
