"""Another log level for a while: it ends by itself, and with the next configuration."""

from collections.abc import Callable

from typosentinel_server.configuration import InEffect
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel


class LevelOverride:
    """Sets the log's level aside from the configuration.

    Args:
        log: whose level it is.
        current: the configuration in effect.
        monotonic: the clock, in seconds.
    """

    def __init__(self, log: Log, current: Callable[[], InEffect], monotonic: Callable[[], float]) -> None:
        self._log = log
        self._current = current
        self._monotonic = monotonic
        self._level: LogLevel | None = None
        self._until = 0.0
        self._configuration = current()

    def set(self, level: LogLevel, seconds: float) -> None:
        """Logs at this level from now on, for so long."""
        self._level, self._until = level, self._monotonic() + seconds
        self._configuration = self._current()
        self._log.set_level(level)

    def look(self) -> None:
        """Ends what is over. To be called now and then."""
        if self._level is None:
            return
        if self._current() is not self._configuration:
            # The new configuration has set its own level already.
            self._level = None
        elif self._monotonic() >= self._until:
            self._level = None
            self._log.set_level(self.configured)
            self._log.write.info("log level is the configured one again", level=self.configured.value)

    @property
    def configured(self) -> LogLevel:
        """The level that the configuration says."""
        return self._current().settings.log_level

    @property
    def level(self) -> LogLevel:
        """The level in effect."""
        self.look()
        return self._level or self.configured

    @property
    def expires_in(self) -> float | None:
        """Seconds until the configured level counts again; None where it does."""
        self.look()
        return None if self._level is None else max(0.0, self._until - self._monotonic())
