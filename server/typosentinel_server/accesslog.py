"""One line for some of the requests, and for all that went wrong by our fault or took long."""

from http import HTTPStatus

from typosentinel_server.logs import Log

SLOW_SECONDS = 1.0


class AccessLog:
    """Notes requests. A line takes as long to write as a scan from the cache, so not every request gets one.

    Args:
        log: where lines go; at level Debug all requests get theirs.
        every: one of so many gets a line; 0: none does by chance.
    """

    def __init__(self, log: Log, every: int) -> None:
        self._log = log
        self.every = every
        self._since = 0

    def note(self, method: str, route: str, status: int, seconds: float, request_id: str) -> None:
        """Notes an answered request."""
        self._since += 1
        sampled = self._since == self.every
        if sampled:
            self._since = 0
        if sampled or status >= HTTPStatus.INTERNAL_SERVER_ERROR or seconds >= SLOW_SECONDS:
            write = self._log.write.info
        elif self._log.verbose:
            write = self._log.write.debug
        else:
            return
        write(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 6),
        )
