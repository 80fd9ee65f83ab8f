"""One connection: who answers the requests that come over it, in the order in which they came."""

import asyncio
import logging
from typing import Final

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader

from typosentinel_server.edge.gathering import Asked, Gathering
from typosentinel_server.edge.heads import END, LOST, Head, measured
from typosentinel_server.edge.pace import Phase
from typosentinel_server.edge.watched import STEP_BYTES, House, Refusal, Watched

NO_BODY: Final = (b"",)


class Connection(Watched):
    """A connection of which some requests are answered without waking the library's task.

    Args:
        house: whose connection it is.
        server: the library's side of it.
        refusal: makes the answer to a request that is refused.
        logger: where the library's own messages go.
        gathering: answers some requests; None: all are the library's.
    """

    __slots__ = ("_behind", "_ended", "_gathering", "_held", "_parsed", "_to_come")

    def __init__(
        self,
        house: House,
        server: web.Server,
        refusal: Refusal,
        logger: logging.Logger,
        gathering: Gathering | None = None,
    ) -> None:
        super().__init__(house, server, refusal, logger)
        self._gathering = gathering
        # Whether the gathering has a request of this connection. It is the first of the messages, or was never
        # parsed, and these are its bytes; and what came behind it.
        self._held = False
        self._parsed = b""
        self._behind = b""
        self._ended = False
        # Bytes until the next head starts.
        self._to_come = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; on one of the spare places he is the library's."""
        super().connection_made(transport)
        if self._pace is None or self._pace.spare:
            self._gathering = None

    def data_received(self, data: bytes) -> None:
        """Takes bytes in, and starts on the requests that are in them."""
        gathering = self._gathering
        if gathering is None or self._deaf:
            super().data_received(data)
            return
        if self._held:
            # One more piece than that is not taken in: many may be held, and each waits for those before it.
            self._behind += data
            self._pause_transport_reading()
            return
        if self._to_come or self._owed or not self._is_open():
            self._parse(gathering, data)
            return
        head = data[: data.find(END) + len(END)]
        known = gathering.heads.find(head)
        if known is None or len(data) - len(head) != known.length:
            self._parse(gathering, data)
            return
        self._parsed = data
        self._hold(gathering, Asked(known, data[len(head) :], self._peer))

    def take(self, answer: bytes | None) -> None:
        """Sends the answer to the request that is held; None leaves it to the library."""
        self._held = False
        parsed, self._parsed = self._parsed, b""
        behind, self._behind = self._behind, b""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if behind and not (self._reading_paused or self._buffer_paused):
            self._resume_transport_reading()
        if answer is not None:
            if parsed:
                self._request_count += 1
            else:
                self._messages.popleft()
                if self._parser is not None:
                    self._parser.message_consumed()
            if self._manager is not None:
                self._manager.requests_count += 1
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            transport.write(answer)
        elif parsed:
            self._owe(self._feed(parsed))
        else:
            self._owe(1)
        if behind:
            self.data_received(behind)
        if self._ended and not self._held:
            transport.close()

    def abort(self) -> None:
        """Ends the connection now."""
        if self.transport is not None:
            self.transport.abort()

    # The loop closes the transport unless it is told not to; the library's hint does not know of that.
    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more; he gets the answer to the request that is held."""
        super().eof_received()
        self._ended = True
        return self._held

    def _phase(self) -> Phase:
        return Phase.BUSY if self._held else super()._phase()

    def _parse(self, gathering: Gathering, data: bytes) -> None:
        # Until the library's task is back at its waiter, it takes what it finds among the messages.
        waits = self._waiter is not None
        came = self._feed(data)
        self._keep_count(gathering, data, came)
        asked = self._plain() if waits and came == 1 and not self._owed else None
        if asked is None:
            self._owe(came)
        else:
            self._hold(gathering, asked)

    def _hold(self, gathering: Gathering, asked: Asked) -> None:
        self._held = True
        # The library closes a connection whose time is over by this, and knows nothing of what is held.
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        gathering.hold(self, asked)

    def _keep_count(self, gathering: Gathering, data: bytes, came: int) -> None:
        # Of the bytes until the next head starts. Once that is not known it never is again.
        if self._to_come > 0:
            self._to_come = max(LOST, self._to_come - len(data))
        elif self._to_come == 0 and data:
            found = measured(data, self._messages[0][0]) if came == 1 and len(self._messages) == 1 else None
            self._to_come = LOST
            if found is not None:
                head, known = found
                self._to_come = max(LOST, len(head) + known.length - len(data))
                if known.length <= STEP_BYTES:
                    gathering.heads.keep(head, known)

    def _plain(self) -> Asked | None:
        # The one request that came, where it came whole and into an idle connection.
        message, payload = self._messages[0]
        if (
            len(self._messages) != 1
            or not payload.is_eof()
            or not isinstance(message, RawRequestMessage)
            # Looked at and left alone, in case the answer is for others to give. What has no body has no buffer.
            or len(chunks := payload._buffer if type(payload) is StreamReader else NO_BODY) != 1  # noqa: SLF001
            or not self._is_open()
            or len(data := chunks[0]) > STEP_BYTES
        ):
            return None
        return Asked(Head(message, len(data)), data, self._peer)
