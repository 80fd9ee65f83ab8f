"""What stands between strangers' bytes and the application: counts requests, refuses broken HTTP in our form."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http import RawRequestMessage

from typosentinel_server.errors import DomainError, InvalidRequest, printable
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.logs import logger_for_http
from typosentinel_server.middleware import refusal

REASON = 160
# By then the requests in flight have been waited for; this is for the last bytes of their answers.
LAST_BYTES_SECONDS = 1.0

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Runner(web.AppRunner):
    """Runs an application behind a front.

    Args:
        app: the application; its parts are under SERVER.
    """

    def __init__(self, app: web.Application) -> None:
        super().__init__(app, handle_signals=False, shutdown_timeout=LAST_BYTES_SECONDS)

    async def _make_server(self) -> web.Server:
        inner = await super()._make_server()
        return Front(self.app[SERVER], inner)


class Front(web.Server):
    """Hands requests to the application and counts those that it is at.

    Args:
        parts: of the server.
        inner: the library's own server for the application.
    """

    def __init__(self, parts: Server, inner: web.Server) -> None:
        super().__init__(self._answer, request_factory=inner.request_factory)
        self._parts = parts
        self._inner: Answer = inner.request_handler

    def __call__(self) -> web.RequestHandler:
        """A new connection."""
        return Connection(self, self._parts)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        with self._parts.lifecycle.in_flight():
            try:
                return await self._inner(request)
            except web.HTTPExpectationFailed:
                # The library looks at this header before it calls any middleware.
                unmet = DomainError(
                    "EXPECTATION_FAILED",
                    "the header Expect asks for what is not offered",
                    "Send Expect: 100-continue, or leave the header out.",
                    http_hint=417,
                )
                return refusal(self._parts, request, unmet)


class Connection(web.RequestHandler):
    """One connection; what is no HTTP gets an answer in the one form of errors.

    Args:
        front: whose connection it is.
        parts: of the server.
    """

    __slots__ = ("_parts",)

    def __init__(self, front: Front, parts: Server) -> None:
        loop, logger = asyncio.get_running_loop(), logger_for_http(parts.log)
        # The library takes None for a log that is not wanted, though its hints do not say so.
        super().__init__(front, loop=loop, access_log=None, logger=logger)  # type: ignore[arg-type]
        self._parts = parts

    def data_received(self, data: bytes) -> None:
        """Takes bytes in. Whoever reads a body that they break is told so; the library leaves him waiting for ever."""
        super().data_received(data)
        request = self._current_request
        broken = self._messages and not isinstance(self._messages[-1][0], RawRequestMessage)
        if broken and request is not None and not request.content.is_eof():
            request.content.set_exception(web.RequestPayloadError("the body is broken"))

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
        if status >= 500:  # noqa: PLR2004 - the server's own faults
            self.log_exception("request failed outside the application", exc_info=exc)
            error = DomainError(
                "INTERNAL_ERROR",
                "the server failed to answer this request",
                "Try again; if it stays, report it with the request id.",
                http_hint=status,
            )
        else:
            reason = printable(" ".join((message or "unreadable").split()), REASON)
            error = InvalidRequest(
                "MALFORMED_HTTP",
                f"this is not HTTP that is understood here: {reason}",
                "Check the request line, the headers and how the body is encoded.",
                http_hint=status,
            )
        return refusal(self._parts, request, error)
