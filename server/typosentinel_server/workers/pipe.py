"""What goes to a worker and comes back: frames in order, each answered in its turn."""

import asyncio
from collections import deque
from typing import Any, cast

from typosentinel_server.errors import DomainError
from typosentinel_server.workers.frames import LENGTH, MAX_BYTES, content_of, frame

INPUT, OUTPUT = 0, 1
NONSENSE = "said what nobody understands"


class WorkerDied(DomainError):
    """A worker ended, or said nothing for too long, before it had answered."""

    http_hint = 500

    def __init__(self, why: str) -> None:
        super().__init__(
            "WORKER_DIED",
            f"the process that judged this name {why}",
            "Ask for this name by itself; if that fails, too, report it.",
        )


class NotReached(Exception):
    """A worker ended while it was at what was asked before this."""

    def __init__(self) -> None:
        super().__init__("the process ended before it came to this")


class Pipe(asyncio.SubprocessProtocol):
    """Both ends of a worker's input and output, as the event loop sees them.

    Attributes:
        exited: done once the process has ended.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._owed: deque[asyncio.Future[Any]] = deque()
        self._sink: asyncio.WriteTransport | None = None
        self._lost = False
        self.exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the process over."""
        sink = cast("asyncio.SubprocessTransport", transport).get_pipe_transport(INPUT)
        self._sink = cast("asyncio.WriteTransport", sink)

    async def ask(self, content: object, seconds: float) -> Any:
        """What the worker answers to this. Others may ask meanwhile.

        Args:
            content: what is sent.
            seconds: how long it may take.

        Raises:
            WorkerDied: it ended, or was silent, while it was at this.
            NotReached: it did so before it came to this.
        """
        if self._lost or self._sink is None:
            raise NotReached
        answer = asyncio.get_running_loop().create_future()
        self._owed.append(answer)
        self._sink.write(frame(content))
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError as error:
            if self._owed and self._owed[0] is not answer:
                raise NotReached from error
            raise WorkerDied(f"said nothing for {seconds:g} s") from error

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - the base class' words
        """Takes a part of an answer, or several answers."""
        if self._lost:
            return
        held = self._held
        held += data
        while len(held) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(held)
            if length > MAX_BYTES:
                self._fail(NONSENSE)
                return
            end = LENGTH.size + length
            if len(held) < end:
                return
            try:
                content = content_of(bytes(held[LENGTH.size : end]))
            except Exception:  # noqa: BLE001 - whatever is wrong with it
                self._fail(NONSENSE)
                return
            del held[:end]
            if self._owed and not (answer := self._owed.popleft()).done():
                answer.set_result(content)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - as above
        """Gives up what will not be answered."""
        if fd == OUTPUT:
            self._fail("ended")

    def process_exited(self) -> None:
        """Notes the end."""
        if not self.exited.done():
            self.exited.set_result(None)

    def _fail(self, why: str) -> None:
        self._lost = True
        reason: Exception = WorkerDied(why)
        while self._owed:
            answer = self._owed.popleft()
            if not answer.done():
                answer.set_exception(reason)
            reason = NotReached()
