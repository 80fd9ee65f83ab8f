"""Log lines: one JSON object each, or coloured text for a terminal, on standard error."""

import logging
import sys
from typing import Literal

import structlog

from typosentinel_server.settings import LogLevel

LEVELS = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}
Logger = structlog.typing.FilteringBoundLogger
# Where the HTTP library's errors about a stranger's bytes are defined; importing them would load it.
BROKEN_HTTP = frozenset({"aiohttp.http_exceptions", "aiohttp.web_protocol"})
# Without local variables: among them are callers' headers, with their secrets.
TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


class Log:
    """The server's log; its level can be changed while it runs.

    Args:
        form: `json` for machines, `console` for people.
        level: the least severe messages that come out.
    """

    def __init__(self, form: Literal["json", "console"], level: LogLevel) -> None:
        # A line leaves in one write, so that those of several processes don't mix.
        self._raw = structlog.WriteLogger(sys.stderr)
        renderer: structlog.typing.Processor = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        )
        self._processors: list[structlog.typing.Processor] = [
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            TRACEBACKS if form == "json" else _unchanged,
            renderer,
        ]
        # Asked where a message would cost something to put together.
        self.verbose = level is LogLevel.DEBUG
        self._bound: Logger = self._at(level)
        self._audit: Logger = self._at(LogLevel.INFO)

    @property
    def write(self) -> Logger:
        """Where messages go, as `log.write.info("event", key=value)`. Ask again after a change of level."""
        return self._bound

    def audit(self, event: str, **values: object) -> None:
        """Logs what somebody did to the server, whatever the level."""
        self._audit.info(event, audit=True, **values)

    def set_level(self, level: LogLevel) -> None:
        """Lets through messages of this level and above from now on."""
        self.verbose = level is LogLevel.DEBUG
        self._bound = self._at(level)

    def _at(self, level: LogLevel) -> Logger:
        bound: Logger = structlog.wrap_logger(
            self._raw,
            processors=self._processors,
            wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
            cache_logger_on_first_use=False,
        ).bind()
        return bound


def _unchanged(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return event


class Forwarded(logging.Handler):
    """Takes what the HTTP library logs into our log.

    Args:
        log: where it goes.
    """

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Logs a record; a stranger's broken HTTP is worth no more than a debug message."""
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__module__ in BROKEN_HTTP:
            self._log.write.debug("broken HTTP", reason=str(error)[:200])
        else:
            self._log.write.error(record.getMessage()[:1000], exc_info=error)


def logger_for_http(log: Log) -> logging.Logger:
    """A logger of its own for the HTTP library, outside the process-wide tree of loggers."""
    logger = logging.Logger("http", logging.WARNING)  # noqa: LOG001 - getLogger would be shared and global
    logger.addHandler(Forwarded(log))
    return logger
