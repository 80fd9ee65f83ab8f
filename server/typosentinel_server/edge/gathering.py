"""Requests that come in one turn of the event loop, answered together.

Reading a request, judging a name and writing an answer each fill the processor's caches with code and data of their
own. Done for many requests kind by kind, they take three quarters of the time that they take request by request. When
little is asked a turn brings one request, and that waits for nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from typosentinel_server.edge.heads import Head, Heads

# Answered in one go. More gain nothing, and everybody else would wait for them.
MOST: Final = 32


class Asked(NamedTuple):
    """A request that is there as a whole.

    Attributes:
        head: as the library parsed it.
        body: all of it.
        peer: the address of whoever sent it.
    """

    head: Head
    body: bytes
    peer: str | None


# Gives all bytes of each answer, None where a request is for others to answer.
AtOnce = Callable[[Sequence[Asked]], Sequence[bytes | None]]


class Asking(Protocol):
    """A connection that a request has come over."""

    def take(self, answer: bytes | None) -> None:
        """Sends the answer to its request; None where there is none yet."""

    def abort(self) -> None:
        """Ends the connection now."""


class Gathering:
    """Holds requests until the end of the turn in which they came.

    Args:
        answers: answers some.
        loop: whose turns count.

    Attributes:
        heads: those of earlier requests.
    """

    def __init__(self, answers: AtOnce, loop: asyncio.AbstractEventLoop) -> None:
        self.heads = Heads()
        self._answers = answers
        self._loop = loop
        self._held: list[tuple[Asking, Asked]] = []

    def hold(self, connection: Asking, asked: Asked) -> None:
        """Takes a request; its connection gets the answer in the next turn."""
        if not self._held:
            self._loop.call_soon(self._answer_held)
        self._held.append((connection, asked))

    def _answer_held(self) -> None:
        some, self._held = self._held[:MOST], self._held[MOST:]
        if self._held:
            # Others have their turn in between.
            self._loop.call_soon(self._answer_held)
        answers = self._answered([asked for _, asked in some])
        for (connection, _), answer in zip(some, answers, strict=True):
            try:
                connection.take(answer)
            except Exception as error:  # noqa: BLE001 - the others have no part in it
                self._complain("a connection could not go on", error)
                connection.abort()

    def _answered(self, asked: Sequence[Asked]) -> Sequence[bytes | None]:
        try:
            return self._answers(asked)
        except Exception as error:  # noqa: BLE001 - nobody else would answer these requests
            self._complain("requests could not be answered at once", error)
            return [None] * len(asked)

    def _complain(self, message: str, error: Exception) -> None:
        self._loop.call_exception_handler({"message": message, "exception": error})
