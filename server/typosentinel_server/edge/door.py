"""Closing a listening socket without turning away those who already stand in its queue."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

# As long as nobody came for this long, balancers look elsewhere.
QUIET_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 0.01


class Door:
    """The listening sockets of a server on its way out.

    Once a socket is closed, the system resets the connections that it has accepted for the program and the program
    has not taken over yet. A second descriptor keeps the socket open until all of those are taken.

    Args:
        sockets: the listening sockets' descriptors, while they are listened on.
    """

    def __init__(self, sockets: Iterable[int]) -> None:
        self._sockets = [socket.socket(fileno=os.dup(number)) for number in sockets]

    async def close(self, protocol: Callable[[], asyncio.BaseProtocol]) -> int:
        """Takes in those in the queue, hands them to new protocols, and closes; nobody else must listen any more.

        Returns:
            how many there were.
        """
        # The loop may close its own descriptors a turn later than it is told to.
        await asyncio.sleep(LOOK_SECONDS)
        taken: list[socket.socket] = []
        for listening in self._sockets:
            listening.settimeout(0)
            with listening, suppress(OSError):
                while True:
                    taken.append(listening.accept()[0])
        loop = asyncio.get_running_loop()
        for connection in taken:
            connection.settimeout(0)
            with suppress(OSError):
                await loop.connect_accepted_socket(protocol, connection)
        return len(taken)


async def quiet(count: Callable[[], int], seconds: float) -> None:
    """Returns when a count has not changed for a moment, and after so many seconds at the latest."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    before, since = count(), loop.time()
    while loop.time() < min(end, since + QUIET_SECONDS):
        await asyncio.sleep(LOOK_SECONDS)
        if count() != before:
            before, since = count(), loop.time()


async def until(done: Callable[[], bool], seconds: float) -> None:
    """Returns when it is done, and after so many seconds at the latest."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not done() and loop.time() < end:  # noqa: ASYNC110 - what is done is seen by looking alone
        await asyncio.sleep(LOOK_SECONDS)
