"""A stranger on a connection: what he sends, how fast he sends it, and what becomes of what he never ends."""

import asyncio
import fcntl
import logging
import struct
import termios
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final, Protocol, cast

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import ContentEncodingError
from aiohttp.streams import StreamReader

# Not public, and the only way to have the library answer what it has not parsed.
from aiohttp.web_protocol import _ErrInfo

from typosentinel_server.edge import objections
from typosentinel_server.edge.counts import ConnectionCounts
from typosentinel_server.edge.objections import MAX_HEAD_BYTES, MAX_HEADERS
from typosentinel_server.edge.pace import End, Pace, Phase
from typosentinel_server.errors import DomainError, InvalidRequest, printable
from typosentinel_server.problems import internal
from typosentinel_server.sections.server import ServerSettings

REASON: Final = 160
# What is read or unpacked in one go: others wait that long.
STEP_BYTES: Final = 64 * 1024
# A client that still sends while it is refused gets this long to read why. Its bytes are not looked at.
LINGER_SECONDS: Final = 2.0
# A segment from this size on may hold thousands of chunks.
LARGE_SEGMENT: Final = 4096
NO_BODY: Final = (b"",)

Refusal = Callable[[web.BaseRequest, DomainError], web.StreamResponse]


class Place(Enum):
    """What a new connection gets."""

    OWN = "own"
    SPARE = "spare"  # probes are answered on it, others told that there is no place
    NONE = "none"


class House(Protocol):
    """What a connection knows of the server that it leads to."""

    counts: ConnectionCounts

    def opened(self, connection: "Watched") -> Place:
        """Notes a new connection; returns what place it gets."""

    async def answer_spare(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request on one of the spare places."""

    def closed(self, connection: "Watched") -> None:
        """Notes that a connection is gone."""


class Watched(web.RequestHandler):
    """A connection that ends when its client is too slow; what is no HTTP gets an answer in the one form of errors.

    Args:
        house: whose connection it is.
        server: the library's side of it.
        refusal: makes the answer to a request that is refused.
        logger: where the library's own messages go.
    """

    __slots__ = (
        "_body",
        "_deaf",
        "_head_bytes",
        "_house",
        "_owed",
        "_pace",
        "_peer",
        "_received",
        "_refusal",
        "_taken",
        "_wire",
    )

    def __init__(
        self,
        house: House,
        server: web.Server,
        refusal: Refusal,
        logger: logging.Logger,
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            # The library takes None for a log that is not wanted, though its hints do not say so.
            access_log=None,  # type: ignore[arg-type]
            logger=logger,
            max_headers=MAX_HEADERS,
            read_bufsize=STEP_BYTES,
            lingering_time=LINGER_SECONDS,
        )
        self._house = house
        self._refusal = refusal
        self._peer: str | None = None
        self._pace: Pace | None = None
        # The library forgets its transport before the last bytes are sent.
        self._wire: asyncio.Transport | None = None
        self._body: StreamReader | None = None
        # Requests that the library has to answer yet. Its task may still be on its way back to its waiter when there
        # are none, and must not be given the next one for that alone: it would be late for the one after, too.
        self._owed = 0
        self._deaf = False
        self._head_bytes = 0
        self._received = 0
        self._taken = 0

    @property
    def fresh(self) -> bool:
        """Whether no request has come over it yet."""
        return not self._request_count

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; it gets a place, or hears that there is none."""
        # No check: transports of another event loop are of its own class.
        wire = self._wire = cast("asyncio.Transport", transport)
        if isinstance(getattr(transport, "max_size", None), int):
            # asyncio's own loop would take in more at once than others should have to wait for.
            transport.max_size = STEP_BYTES  # type: ignore[attr-defined]
        place = self._house.opened(self)
        if place is Place.NONE:
            self._house.counts.refused["dropped"] += 1
            wire.abort()
            return
        self._pace = Pace(self._loop.time(), spare=place is Place.SPARE)
        if place is Place.SPARE:
            self._request_handler = self._house.answer_spare
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) and peer else None
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client is gone, and everything of his is sent or dropped."""
        super().connection_lost(exc)
        self._house.closed(self)

    def data_received(self, data: bytes) -> None:
        """Takes bytes in, and starts on the requests that are in them."""
        if not self._deaf:
            self._owe(self._feed(data))

    def _feed(self, data: bytes) -> int:
        # Hands bytes to the library's parser; returns how many requests they began, of which it knows nothing yet.
        before = self._request_count
        waiter, self._waiter = self._waiter, None
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        came = self._request_count - before
        if not came:
            self._went_on(data)
            return 0
        message, payload = self._messages[-1]
        self._head_bytes = self._received = 0
        self._body = None if payload.is_eof() else payload
        if len(data) > MAX_HEAD_BYTES:
            self._weigh()
        request = self._current_request
        if request is not None and not request.content.is_eof() and not isinstance(message, RawRequestMessage):
            # Whoever reads a body that they break is told so; the library leaves him waiting for ever.
            request.content.set_exception(web.RequestPayloadError("the body is broken"))
        return came

    async def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        answer, gone = await super()._handle_request(request, start_time, request_handler)
        if not gone and answer.keep_alive:
            # What the library finds behind an upgrade that it declined, nobody has counted.
            self._owed = max(0, self._owed - 1)
        return answer, gone

    def _is_open(self) -> bool:
        return not (self._paused or self._close or self._force_close or self.transport is None)

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - as the library has it
        """Reads on. The library does so after every body, paused or not, which costs as much as reading the body."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def resume_writing(self) -> None:
        """The client has taken in so much that more can be sent."""
        self._taken += 1
        super().resume_writing()

    def look(self, now: float, bounds: ServerSettings) -> bool:
        """Ends the connection if its client is too slow; says whether. Called for all connections, once in a while."""
        wire, pace = self._wire, self._pace
        if wire is None or pace is None:
            return False
        end = pace.reader(now, wire.get_write_buffer_size(), self._taken, bounds)
        if end is None and not (self._deaf or self._close or self._force_close):
            held = self._reading_paused or self._buffer_paused
            end = pace.head_or_body(now, self._phase(), self._request_count, self._received, held=held, bounds=bounds)
        if end is None:
            return False
        self._end(end, bounds)
        return True

    def _owe(self, count: int) -> None:
        # Leaves so many messages to the library.
        if not count:
            return
        self._owed += count
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def part(self) -> None:
        """Closes the connection if it waits for a request of which nothing is there, not even unread."""
        if self._phase() in (Phase.IDLE, Phase.HEAD) and not self._head_bytes and not self._unread():
            self.force_close()

    def leave(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """The answer is there before the whole request was: what still comes is not worth a look.

        What is short, plain and announced is read to its end by the library, and the connection lives on.
        """
        message, content = request._message, request.content  # noqa: SLF001 - the library has no public way to it
        if content.exception() is None and not (message.compression or message.chunked):
            length = request.content_length or 0
            if length <= STEP_BYTES:
                return
        self._turn_deaf()
        # The library reads on to the end of the body or of its patience, and must not stumble over our own refusal.
        content._exception = None  # noqa: SLF001 - there is no public way to take an exception back
        response.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what cannot be parsed, and to what failed outside every middleware."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer is already sent")
        if isinstance(exc, DomainError):
            error = exc
        elif isinstance(exc, ContentEncodingError):
            error = objections.encoding_unknown("br")
        elif status >= 500:  # noqa: PLR2004 - the server's own faults
            self.log_exception("request failed outside the application", exc_info=exc)
            error = internal(status)
        else:
            reason = printable(" ".join((message or "unreadable").split()), REASON)
            error = InvalidRequest(
                "MALFORMED_HTTP",
                f"this is not HTTP that is understood here: {reason}",
                "Check the request line, the headers and how the body is encoded.",
                http_hint=status,
            )
        return self._refusal(request, error)

    def _phase(self) -> Phase:
        if self._waiter is None or self._waiter.done() or self._messages:
            body = self._body
            waits = body is not None and not body.is_eof() and body.exception() is None
            return Phase.BODY if waits and self._current_request is not None else Phase.BUSY
        return Phase.HEAD if self._head_bytes or self.fresh else Phase.IDLE

    def _went_on(self, data: bytes) -> None:
        self._received += len(data)
        body = self._body
        if body is None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and self._phase() is Phase.HEAD:
                self._answer_early(objections.head_too_large())
        elif body.is_eof():
            self._body = None
        elif len(data) >= LARGE_SEGMENT and body.total_compressed_bytes is None:
            got = body.total_bytes + self._parked()
            if objections.mostly_wrapping(self._received, got):
                body.set_exception(objections.chunks_too_small())

    def _parked(self) -> int:
        # While the parser is held it keeps what it was given, and nobody knows yet what is in it.
        return STEP_BYTES * 4 if self._reading_paused else 0

    def _weigh(self) -> None:
        for at, (message, payload) in enumerate(self._messages):
            if isinstance(message, RawRequestMessage) and objections.weight(message) > MAX_HEAD_BYTES:
                error = objections.head_too_large()
                self._messages[at] = (_ErrInfo(error.http_hint, error, error.message), payload)

    def _end(self, end: End, bounds: ServerSettings) -> None:
        if end is End.IDLE and self._unread():
            return
        self._house.counts.ended[end] += 1
        if end is End.WRITE and self._wire is not None:
            self._wire.abort()
        elif end is End.BODY and self._body is not None:
            self._body.set_exception(objections.body_too_slow())
        elif end is End.HEAD and self._head_bytes:
            self._answer_early(objections.head_too_slow(bounds.head_timeout))
        else:
            # Whoever has said nothing is owed no answer, and would take it for that to his next request.
            self.force_close()

    def _answer_early(self, error: DomainError) -> None:
        # The library answers as if it had failed to parse, and then waits for the end of a body that never comes.
        self._turn_deaf()
        self._request_count += 1
        self._owed += 1
        never = StreamReader(self, STEP_BYTES, loop=self._loop)
        self._messages.append((_ErrInfo(error.http_hint, error, error.message), never))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _turn_deaf(self) -> None:
        self._deaf = True
        self._resume_transport_reading()

    def _unread(self) -> int:
        socket = None if self._wire is None else self._wire.get_extra_info("socket")
        if socket is None:
            return 0
        try:
            answer = fcntl.ioctl(socket.fileno(), termios.FIONREAD, struct.pack("i", 0))
        except (OSError, ValueError):
            # It is closed already.
            return 0
        return int(struct.unpack("i", answer)[0])
