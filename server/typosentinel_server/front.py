"""What stands between strangers' bytes and the application: counts requests and connections, and bounds both."""

import os
import socket
from collections.abc import Iterator
from typing import Final

from aiohttp import hdrs, web

from typosentinel_server.edge import objections
from typosentinel_server.edge.connection import Connection
from typosentinel_server.edge.door import Door, quiet, until
from typosentinel_server.edge.gathering import AtOnce, Gathering
from typosentinel_server.edge.watched import Place, Refusal, Watched
from typosentinel_server.errors import DomainError
from typosentinel_server.fastlane import LANE
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.logs import logger_for_http
from typosentinel_server.middleware import AROUND
from typosentinel_server.sections.server import ServerSettings
from typosentinel_server.shortcuts import Answerer, Shortcuts

# By then the requests in flight have been waited for; this is for the last bytes of their answers.
LAST_BYTES_SECONDS = 1.0
# A connection that is just there gets this long to say what it wants, while the server is on its way out.
FIRST_WORD_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 1.0
ENDS_AT_ONCE: Final = 20
BREATH_SECONDS: Final = 0.01
# The system doubles it. Large answers are sent in several steps; without a bound it holds megabytes.
SEND_BUFFER_BYTES: Final = 128 * 1024
# Places on top of `maxConnections`: there probes are answered, and others told that there is no place.
SPARE_PLACES: Final = 256
PROBES: Final = frozenset({"/live", "/ready", "/health", "/metrics"})


class Runner(web.AppRunner):
    """Runs an application behind a front.

    Args:
        app: the application; its parts are under SERVER.
    """

    def __init__(self, app: web.Application) -> None:
        super().__init__(app, handle_signals=False, shutdown_timeout=LAST_BYTES_SECONDS)

    @property
    def front(self) -> "Front":
        """The front, once the runner is set up."""
        assert isinstance(self.server, Front)  # noqa: S101 - made below
        return self.server

    def bound_buffers(self) -> None:
        """Bounds what the system holds for each client that does not read its answers."""
        for number in self._listening():
            with socket.socket(fileno=os.dup(number)) as listening:
                # Those that are accepted inherit it.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    async def close_door(self, *, patience: float) -> None:
        """Stops accepting; whoever has connected by then is answered.

        Args:
            patience: seconds to wait for new connections to stay away before.
        """
        front = self.front
        await quiet(lambda: front.counts.opened, patience)
        door = Door(self._listening())
        for site in list(self.sites):
            await site.stop()
        await door.close(front)
        await until(lambda: not any(connection.fresh for connection in front.open), FIRST_WORD_SECONDS)

    def _listening(self) -> list[int]:
        # The library has no public way to a site's sockets, and each kind of event loop its own class for a server.
        servers = [site._server for site in self.sites]  # noqa: SLF001
        return [listening.fileno() for server in servers for listening in getattr(server, "sockets", ())]

    async def part(self) -> None:
        """Closes connections that wait for another request; one that is on its way already is answered first."""

        def parted() -> bool:
            for connection in self.front.open:
                connection.part()
            return not self.front.open

        await until(parted, LAST_BYTES_SECONDS)

    async def _make_server(self) -> web.Server:
        inner = await super()._make_server()
        around = self.app[AROUND]
        answer = Shortcuts(self.app, around, inner.request_handler).answer
        lane = self.app.get(LANE)
        return Front(self.app[SERVER], inner, answer, around.refusal, lane.answer if lane else None)


class Front(web.Server):
    """Hands requests to the application, counts those that it is at, and ends connections that are too slow.

    Args:
        parts: of the server.
        inner: the library's own server for the application.
        answer: hands requests to their handlers.
        refuse: makes the answer to a request that is refused before it gets there.
        at_once: answers some requests without the application.
    """

    def __init__(
        self, parts: Server, inner: web.Server, answer: Answerer, refuse: Refusal, at_once: AtOnce | None = None
    ) -> None:
        super().__init__(self._answer, request_factory=inner.request_factory)
        self._lifecycle = parts.lifecycle
        self._inner = answer
        self._refuse = refuse
        self._gathering = None if at_once is None else Gathering(at_once, self._loop)
        self._reloader = parts.reloader
        self._logger = logger_for_http(parts.log)
        self._open: set[Watched] = set()
        self._sweeping = False
        self.counts = parts.metrics.connections

    @property
    def open(self) -> frozenset[Watched]:
        """The connections that are open."""
        return frozenset(self._open)

    @property
    def bounds(self) -> ServerSettings:
        """What is allowed, as configured now."""
        return self._reloader.current.settings.server

    def __call__(self) -> web.RequestHandler:
        """A new connection."""
        return Connection(self, self, self._refuse, self._logger, self._gathering)

    def opened(self, connection: Watched) -> Place:
        """Notes a new connection; returns what place it gets."""
        self._open.add(connection)
        self.counts.open += 1
        self.counts.opened += 1
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep)
        above = len(self._open) - self.bounds.max_connections
        return Place.OWN if above <= 0 else Place.SPARE if above <= SPARE_PLACES else Place.NONE

    def closed(self, connection: Watched) -> None:
        """Notes that a connection is gone."""
        if connection in self._open:
            self._open.remove(connection)
            self.counts.open -= 1

    async def answer_spare(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request on one of the spare places: a probe's own, or that there is no place."""
        if request.path in PROBES:
            response = await self._answer(request)
            response.force_close()
            return response
        self.counts.refused["answered"] += 1
        return self._left(request, self._refuse(request, objections.too_many_connections()))

    def _sweep(self) -> None:
        # One timer for all: a timer for each request would cost more than what is watched.
        self._sweeping = bool(self._open)
        if self._sweeping:
            self._look(iter(tuple(self._open)))

    def _look(self, connections: Iterator[Watched]) -> None:
        now, bounds = self._loop.time(), self.bounds
        left = ENDS_AT_ONCE
        for connection in connections:
            left -= connection.look(now, bounds)
            if not left:
                # A crowd that came together is sent away in groups: each takes time that others wait.
                self._loop.call_later(BREATH_SECONDS, self._look, connections)
                return
        self._loop.call_later(SWEEP_SECONDS, self._sweep)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        lifecycle = self._lifecycle
        lifecycle.begin()
        try:
            message = request._message  # noqa: SLF001 - the head as it was parsed, without the request's wrapping
            if message.chunked or hdrs.CONTENT_ENCODING in message.headers or message.path[:1] != "/":
                found = objections.objection(message.method, message)
                if found is not None:
                    return self._left(request, self._refuse(request, found))
            response = await self._inner(request)
        except web.HTTPExpectationFailed:
            # The library looks at this header before it calls any middleware.
            unmet = DomainError(
                "EXPECTATION_FAILED",
                "the header Expect asks for what is not offered",
                "Send Expect: 100-continue, or leave the header out.",
                http_hint=417,
            )
            response = self._refuse(request, unmet)
        finally:
            lifecycle.end()
        return self._left(request, response)

    def _left(self, request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
        if not request.content.is_eof():
            connection = request.protocol
            if isinstance(connection, Watched):
                connection.leave(request, response)
        return response
