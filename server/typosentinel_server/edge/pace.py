"""Is a connection too slow? Decided by looking at it once in a while, so that no request pays for a timer."""

from enum import StrEnum
from typing import Final

from typosentinel_server.sections.server import ServerSettings

# Those that only got one of the spare places give it back soon.
SPARE_SECONDS: Final = 3.0


class Phase(StrEnum):
    """What a connection is waiting for."""

    HEAD = "head"  # the rest of a request line and its headers, or the first request at all
    BODY = "body"  # the rest of a body
    IDLE = "idle"  # another request, of which no byte is there yet
    BUSY = "busy"  # the server


class End(StrEnum):
    """Why a connection is ended by the server."""

    HEAD = "slow_head"
    BODY = "slow_body"
    IDLE = "idle"
    WRITE = "slow_reader"


class Pace:
    """What was seen of one connection so far. Times are seconds on one clock; bytes since the connection was opened.

    Args:
        now: when the connection was opened.
        spare: whether it has only one of the spare places.

    Attributes:
        spare: the same.
    """

    __slots__ = ("_phase", "_received", "_requests", "_since", "_taken", "_writing", "spare")

    def __init__(self, now: float, *, spare: bool) -> None:
        self._phase = Phase.HEAD
        self._since = now
        self.spare = spare
        self._requests = 0
        self._received = 0
        self._taken = 0
        self._writing: float | None = None

    def head_or_body(
        self, now: float, phase: Phase, requests: int, received: int, *, held: bool, bounds: ServerSettings
    ) -> End | None:
        """Why to end the connection, seen from what it has sent; None: it may go on.

        Args:
            now: the time of this look.
            phase: what it waits for.
            requests: how many began, so that two of them are not taken for one.
            received: bytes of unfinished requests.
            held: whether it is the server that does not read.
            bounds: what is allowed.
        """
        if phase is not self._phase or requests != self._requests:
            self._phase, self._requests, self._received, self._since = phase, requests, received, now
            return None
        if phase is Phase.BUSY:
            return None
        if held:
            # Whatever time passes now is not the client's.
            self._since = now
            return None
        age = now - self._since
        if phase is Phase.IDLE:
            return End.IDLE if age > bounds.idle_timeout else None
        if phase is Phase.HEAD:
            return End.HEAD if age > (SPARE_SECONDS if self.spare else bounds.head_timeout) else None
        earned = bounds.body_timeout + (received - self._received) / bounds.body_min_rate
        return End.BODY if age > min(earned, bounds.body_max_time) else None

    def reader(self, now: float, waiting: int, taken: int, bounds: ServerSettings) -> End | None:
        """Why to end the connection, seen from what it takes in; None: it may go on.

        Args:
            now: the time of this look.
            waiting: bytes that wait for the client to take them.
            taken: how often it has taken so much that more was sent.
            bounds: what is allowed.
        """
        if not waiting:
            self._writing = None
        elif self._writing is None or taken != self._taken:
            self._writing, self._taken = now, taken
        elif now - self._writing > bounds.write_timeout:
            return End.WRITE
        return None
