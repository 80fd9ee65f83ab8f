"""What stands between strangers' bytes and the application: counts requests, refuses broken HTTP in our form."""

import asyncio

from aiohttp import web
from aiohttp.http import RawRequestMessage

from typosentinel_server.errors import DomainError, InvalidRequest, printable
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.logs import logger_for_http
from typosentinel_server.middleware import AROUND, Around
from typosentinel_server.problems import internal
from typosentinel_server.shortcuts import Answerer, Shortcuts

REASON = 160
# By then the requests in flight have been waited for; this is for the last bytes of their answers.
LAST_BYTES_SECONDS = 1.0


class Runner(web.AppRunner):
    """Runs an application behind a front.

    Args:
        app: the application; its parts are under SERVER.
    """

    def __init__(self, app: web.Application) -> None:
        super().__init__(app, handle_signals=False, shutdown_timeout=LAST_BYTES_SECONDS)

    async def _make_server(self) -> web.Server:
        inner = await super()._make_server()
        around = self.app[AROUND]
        return Front(self.app[SERVER], around, inner, Shortcuts(self.app, around, inner.request_handler).answer)


class Front(web.Server):
    """Hands requests to the application and counts those that it is at.

    Args:
        parts: of the server.
        around: renders what is refused here.
        inner: the library's own server for the application.
        answer: hands requests to their handlers.
    """

    def __init__(self, parts: Server, around: Around, inner: web.Server, answer: Answerer) -> None:
        super().__init__(self._answer, request_factory=inner.request_factory)
        self._parts = parts
        self._around = around
        self._inner = answer

    def __call__(self) -> web.RequestHandler:
        """A new connection."""
        return Connection(self, self._parts, self._around)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        lifecycle = self._parts.lifecycle
        lifecycle.begin()
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
            return self._around.refusal(request, unmet)
        finally:
            lifecycle.end()


class Connection(web.RequestHandler):
    """One connection; what is no HTTP gets an answer in the one form of errors.

    Args:
        front: whose connection it is.
        parts: of the server.
        around: renders what is refused here.
    """

    __slots__ = ("_around",)

    def __init__(self, front: Front, parts: Server, around: Around) -> None:
        loop, logger = asyncio.get_running_loop(), logger_for_http(parts.log)
        # The library takes None for a log that is not wanted, though its hints do not say so.
        super().__init__(front, loop=loop, access_log=None, logger=logger)  # type: ignore[arg-type]
        self._around = around

    def data_received(self, data: bytes) -> None:
        """Takes bytes in. Whoever reads a body that they break is told so; the library leaves him waiting for ever."""
        super().data_received(data)
        request = self._current_request
        broken = self._messages and not isinstance(self._messages[-1][0], RawRequestMessage)
        if broken and request is not None and not request.content.is_eof():
            request.content.set_exception(web.RequestPayloadError("the body is broken"))

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - as the library has it
        """Reads on. The library does so after every body, paused or not, which costs as much as reading the body."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

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
            error = internal(status)
        else:
            reason = printable(" ".join((message or "unreadable").split()), REASON)
            error = InvalidRequest(
                "MALFORMED_HTTP",
                f"this is not HTTP that is understood here: {reason}",
                "Check the request line, the headers and how the body is encoded.",
                http_hint=status,
            )
        return self._around.refusal(request, error)
