"""The configuration in effect, and putting a new one into effect while the server runs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from typosentinel_server.clock import Clock
from typosentinel_server.document import digest_of
from typosentinel_server.errors import ConfigurationInvalid, DomainError
from typosentinel_server.knowledge import Lists
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.settings import Settings, parse_settings


@dataclass(frozen=True, slots=True)
class InEffect:
    """A configuration that the server obeys.

    Attributes:
        settings: what it says.
        digest: "sha256:" and the hex hash of the file's bytes; None for the defaults.
        since: when it took effect, on the monotonic clock.
    """

    settings: Settings
    digest: str | None
    since: float


def read_document(path: Path) -> bytes:
    """The bytes of a document. Raises ConfigurationInvalid where the file cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationInvalid(
            "CONFIGURATION_UNREADABLE",
            f"{path}:1: document: {error.strerror or error}",
            "Check the path and who may read it.",
        ) from error


def first_configuration(path: Path | None, clock: Clock, available: tuple[Ecosystem, ...] | None = None) -> InEffect:
    """The configuration to start with. Raises ConfigurationInvalid."""
    if path is None:
        return InEffect(Settings(), None, clock.monotonic())
    content = read_document(path)
    settings = parse_settings(content, str(path), available)
    return InEffect(settings, digest_of(content), clock.monotonic())


def lists_of(settings: Settings, path: Path | None) -> Lists:
    """Where the lists are that a document names, as seen from its directory."""
    folder = path.parent if path else Path()
    named = settings.detection
    return Lists(
        allow_list=folder / named.allow_list if named.allow_list else None,
        private_names=folder / named.private_names if named.private_names else None,
        malware=folder / named.malware if named.malware else None,
        registry_index={ecosystem: folder / given for ecosystem, given in named.registry_index.items()},
    )


class Reloader:
    """Watches the document by its content, so that a swapped symbolic link counts as a change.

    A wrong document is refused whole: all that was in effect stays, and the refusal is counted, logged and kept in
    `last_error` until a right one comes. The lists that it names are not its business, but the keeper's.

    Args:
        path: the document; None where there is none, and then nothing ever changes.
        current: the configuration to start with.
        apply: puts settings into effect; what it refuses is not put into effect at all.
        available: the ecosystems that there are lists for.
        clock: for the age of what is in effect.
        metrics: counts reloads.
        log: says what happened.
    """

    def __init__(
        self,
        path: Path | None,
        current: InEffect,
        apply: Callable[[Settings], Awaitable[None]],
        available: tuple[Ecosystem, ...],
        clock: Clock,
        metrics: Metrics,
        log: Log,
    ) -> None:
        self._path = path
        self._apply = apply
        self._available = available
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._last_seen = current.digest
        self._looking = asyncio.Lock()
        self.current = current
        self.last_error: str | None = None
        self._expose()

    @property
    def age(self) -> float:
        """Seconds since the configuration in effect took effect."""
        return self._clock.monotonic() - self.current.since

    async def run(self, interval: float) -> None:
        """Looks for a change every `interval` seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            await self.look()

    async def look(self) -> None:
        """Looks once; a change is in effect, or refused, when this returns. One look at a time."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        if self._path is None:
            return
        try:
            content = await asyncio.to_thread(read_document, self._path)
        except DomainError as error:
            self._refuse(error.message, error.message)
            return
        digest = digest_of(content)
        if digest == self._last_seen:
            return
        try:
            if digest != self.current.digest:
                await self._take(content, digest)
            self._last_seen, self.last_error = digest, None
        except DomainError as error:
            self._refuse(digest, error.message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with this document, the next is looked at
            self._refuse(digest, f"{self._path}:1: document: {type(error).__name__}: {error}")

    async def _take(self, content: bytes, digest: str) -> None:
        settings = await asyncio.to_thread(parse_settings, content, str(self._path), self._available)
        await self._apply(settings)
        self.current = InEffect(settings, digest, self._clock.monotonic())
        self._metrics.configuration_reloads.labels("applied").inc()
        self._log.write.info("configuration applied", file=str(self._path), hash=digest)
        self._expose()

    def _refuse(self, seen: str, reason: str) -> None:
        if seen == self._last_seen:
            return
        self._last_seen = seen
        self.last_error = reason
        self._metrics.configuration_reloads.labels("refused").inc()
        self._log.write.error("configuration refused, the old one stays", file=str(self._path), reason=reason)

    def _expose(self) -> None:
        self._metrics.configuration(self.current.digest, lambda: self.age)
