"""Keeping the lists of popular names fresh while the server runs.

A list that is damaged, gone, or has lost too many names is refused; what is in use stays, and the refusal is counted,
logged and told. Where the source has never given anything, the built-in lists serve, and that is told, too.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from typosentinel_server.bundles.errors import DAMAGED_RESULT, RESULTS
from typosentinel_server.clock import Clock
from typosentinel_server.corpusstate import State
from typosentinel_server.engines import Engines, Library, build_engines, refresh_engines
from typosentinel_server.errors import DomainError
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.settings import Settings
from typosentinel_server.sources import Source, source_of

JITTER: Final = 0.1
FIRST_RETRY_SECONDS: Final = 15.0


class _ElsewhereNow(Exception):
    """The configuration has changed while a source was waited for."""


class Librarian:
    """Follows the source that the configuration names, and swaps the engines as a whole.

    Args:
        settings: the configuration to start with.
        pinned: a source that wins over those of every configuration; None: they decide.
        clock: for ages and intervals.
        chance: gives numbers from 0 to 1, to spread the looks of many servers.
        metrics: counts refreshes.
        log: says what happened.

    Attributes:
        engines: what to judge with.
        lock: held by whoever swaps engines.

    Raises:
        DomainError: the pinned or built-in lists cannot be read, or are not those that are to be served.
    """

    def __init__(
        self,
        settings: Settings,
        pinned: Source | None,
        clock: Clock,
        chance: Callable[[], float],
        metrics: Metrics,
        log: Log,
    ) -> None:
        self._pinned = pinned
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._log = log
        self._settings = settings
        self._source = pinned or source_of(settings.corpus)
        self._use: Callable[[Engines], None] = _nobody
        self._changed = asyncio.Event()
        self._failures = 0
        self._last_success: float | None = None
        self._last_error: str | None = None
        self._fallback = False
        self.lock = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._library, self.engines = self._first()
        self._metrics.corpus_max_age.set(settings.corpus.max_age or 0)

    def serve(self, use: Callable[[Engines], None]) -> None:
        """From now on, hands new engines to `use`."""
        self._use = use

    @property
    def news(self) -> tuple[object, ...]:
        """What `state` rests on, apart from the time: where this is the same, only ages have changed."""
        return (self._source, self._settings, self.engines, self._fallback, self._last_success, self._last_error)

    @property
    def state(self) -> State:
        """How it stands."""
        now = self._clock.wall()
        return State(
            kind=self._source.kind,
            location=self._source.location,
            fallback=self._fallback,
            last_success=self._last_success,
            last_error=self._last_error,
            ages={corpus.ecosystem: now - corpus.created.timestamp() for corpus in self.engines.corpora},
            max_age=self._settings.corpus.max_age,
            wanted=self._settings.ecosystems or (),
        )

    async def follow(self, settings: Settings) -> None:
        """Puts a new configuration into effect; the look at a new source follows by itself.

        Raises:
            DomainError: the ecosystems that it names cannot be served; nothing has changed then.
        """
        async with self.lock:
            elsewhere = self._pinned is None and settings.corpus.source != self._settings.corpus.source
            library, engines = self._library, self.engines
            if elsewhere and settings.corpus.source.builtin is not None:
                library = Library()
            wanted = self._served(library, settings)
            if library is not self._library or set(wanted) != set(engines.ecosystems):
                engines = await asyncio.to_thread(build_engines, library, wanted)
            self._swap(library, engines)
            if elsewhere:
                self._last_error, self._last_success, self._failures = None, None, 0
            if self._pinned is None and settings.corpus != self._settings.corpus:
                self._source = source_of(settings.corpus)
                self._changed.set()
            self._settings = settings
            self._metrics.corpus_max_age.set(settings.corpus.max_age or 0)

    async def run(self, poll: float) -> None:
        """Looks at the source for ever: at its interval, and every `poll` seconds where looking is cheap."""
        # What lay on this disk has just been read; what is elsewhere has not been asked for yet.
        due = self._clock.monotonic() if self._source.kind == "url" else self._next_look()
        while True:
            while not self._changed.is_set() and (left := due - self._clock.monotonic()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), min(poll, left) if self._source.watched else left)
                if await self._has_moved():
                    break
            self._changed.clear()
            await self.look()
            due = self._next_look()

    async def look(self) -> None:
        """Looks once; what is new is in use, or refused, when this returns. One look at a time."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        source = self._source
        try:
            library = await self._fetched(source)
            async with self.lock:
                if source is self._source:
                    await self._take(source, library)
        except _ElsewhereNow:
            return
        except DomainError as error:
            # What changed while it was read is torn, not damaged: it is looked at again.
            if source is self._source and not await self._has_moved():
                self._refuse(RESULTS.get(error.code, DAMAGED_RESULT), error.message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with this list, the next is looked at
            if source is self._source:
                self._refuse(DAMAGED_RESULT, f"{source.location}: {type(error).__name__}: {error}")

    async def _fetched(self, source: Source) -> Library | None:
        # A server that answers slowly must not keep us from one that the configuration names now.
        fetch = asyncio.create_task(source.fetch())
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait((fetch, changed), return_when=asyncio.FIRST_COMPLETED)
            if not fetch.done():
                raise _ElsewhereNow
            return fetch.result()
        finally:
            fetch.cancel()
            changed.cancel()
            await asyncio.gather(fetch, changed, return_exceptions=True)

    async def _take(self, source: Source, library: Library | None) -> None:
        engines = self.engines
        if library is not None:
            engines = await asyncio.to_thread(self._prepared, library)
        changed = engines is not self.engines
        self._fallback = False
        self._swap(library or self._library, engines)
        self._succeed()
        self._metrics.corpus_refreshes.labels("updated" if changed else "unchanged").inc()
        if changed:
            self._log.write.info(
                "lists of popular names taken",
                source=source.location or source.kind,
                versions={corpus.ecosystem.value: corpus.version for corpus in engines.corpora},
            )
        await self._accept(source)

    def _prepared(self, library: Library) -> Engines:
        settings = self._settings
        wanted = self._served(library, settings)
        # Against the lists of another source, or of none, there is nothing to compare a loss with.
        held = self.engines if self._last_success is not None else Engines({})
        return refresh_engines(library, wanted, held, settings.corpus.max_loss_percent)

    def _served(self, library: Library, settings: Settings) -> tuple[Ecosystem, ...]:
        wanted = settings.ecosystems or library.ecosystems
        if self._pinned is not None or settings.corpus.source.builtin is not None:
            # Nothing else will bring a list: what is missing is a mistake, and building says so.
            return tuple(wanted)
        return tuple(ecosystem for ecosystem in wanted if ecosystem in library.ecosystems)

    def _first(self) -> tuple[Library, Engines]:
        if self._pinned is not None or self._source.kind == "builtin":
            library = self._source.held() or Library()
            engines = build_engines(library, self._settings.ecosystems)
            self._succeed()
            return library, engines
        try:
            held = self._source.held()
            if held is not None:
                engines = build_engines(held, self._served(held, self._settings))
                with suppress(OSError):
                    self._source.accept()
                self._succeed()
                return held, engines
        except DomainError as error:
            self._refuse(RESULTS.get(error.code, DAMAGED_RESULT), error.message)
        self._fallback = True
        library = Library()
        return library, build_engines(library, self._served(library, self._settings))

    def _swap(self, library: Library, engines: Engines) -> None:
        self._library, self.engines = library, engines
        self._use(engines)

    async def _accept(self, source: Source) -> None:
        try:
            await asyncio.to_thread(source.accept)
        except OSError as error:
            reason = f"{self._settings.corpus.state_dir}: {error.strerror or error}"
            self._log.write.warning("the download cannot be kept for the next start", reason=reason)

    async def _has_moved(self) -> bool:
        return self._source.watched and await asyncio.to_thread(self._source.moved)

    def _succeed(self) -> None:
        self._last_success = self._clock.wall()
        self._last_error = None
        self._failures = 0
        self._metrics.corpus_success.set(self._last_success)

    def _refuse(self, result: str, reason: str) -> None:
        self._last_error = reason
        self._failures += 1
        self._metrics.corpus_refreshes.labels(result).inc()
        self._log.write.error("lists of popular names refused, the old ones stay", result=result, reason=reason)

    def _next_look(self) -> float:
        interval = self._settings.corpus.refresh_interval
        if self._failures:
            interval = min(interval, FIRST_RETRY_SECONDS * 2 ** min(self._failures - 1, 16))
        return self._clock.monotonic() + interval * (1 - JITTER + 2 * JITTER * self._chance())


def _nobody(_engines: Engines) -> None:
    return
