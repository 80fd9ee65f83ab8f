"""Answers whose body is there as a whole."""

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion10, HttpVersion11

JSON = "application/json"
# By HTTP no body comes with these.
BODILESS_STATUS = frozenset({204, 304})


class Answer(web.StreamResponse):
    """An answer that leaves in one write, head and body together.

    The library's own Response takes every kind of body, cookies and signals, for which it needs as long as all the
    rest of a scan from the cache does; this one takes bytes.

    Args:
        body: all of it.
        status: of HTTP.
        content_type: of the body.
    """

    def __init__(self, body: bytes, status: int = 200, content_type: str = JSON) -> None:
        super().__init__(status=status)
        self.body = body
        self.headers[hdrs.CONTENT_TYPE] = content_type

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends everything, once."""
        if self._eof_sent:
            return None
        writer = request.writer
        headers = self.headers
        body = self.body
        if self.status not in BODILESS_STATUS:
            headers[hdrs.CONTENT_LENGTH] = str(len(body))
        if request.method == hdrs.METH_HEAD or self.status in BODILESS_STATUS:
            body = b""
        headers[hdrs.DATE] = rfc822_formatted_time()
        self._settle_keep_alive(request)
        version = request.version
        await writer.write_headers(f"HTTP/{version[0]}.{version[1]} {self.status} {self.reason}", headers)
        await writer.write_eof(body)
        self._eof_sent = True
        self._body_length = writer.output_size
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to send. Raises RuntimeError where there is."""
        if data:
            raise RuntimeError("an answer's body is given when it is made")

    def _settle_keep_alive(self, request: web.BaseRequest) -> None:
        keep_alive = self._keep_alive
        if keep_alive is None:
            keep_alive = self._keep_alive = request.keep_alive
        if keep_alive:
            if request.version == HttpVersion10:
                self.headers[hdrs.CONNECTION] = "keep-alive"
        elif request.version >= HttpVersion11:
            self.headers[hdrs.CONNECTION] = "close"
