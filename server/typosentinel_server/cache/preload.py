"""Judging names before anybody asks."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from typosentinel_server.errors import DomainError
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.sections.cache import PreloadSettings

# So many names between two looks at the clock and at what else is to be done.
AT_A_TIME: Final = 32
MAX_SECONDS: Final = 10.0


class Listing(Protocol):
    """Whose names are popular."""

    @property
    def ecosystem(self) -> Ecosystem: ...  # noqa: D102 - as the engine says
    @property
    def names(self) -> list[str]: ...  # noqa: D102 - as the engine says


@dataclass(frozen=True, slots=True)
class Preloaded:
    """What a preload came to.

    Attributes:
        judged: names judged.
        refused: names that could not be.
        complete: whether there was time for all.
        seconds: how long it took.
    """

    judged: int
    refused: int
    complete: bool
    seconds: float


def wanted(settings: PreloadSettings, lists: Iterable[Listing]) -> Iterator[tuple[str, str]]:
    """Ecosystem and name of what is to be preloaded: named ones first, then the most popular of all lists in turns."""
    for named in settings.names:
        yield named.ecosystem, named.name
    held = [(listing.ecosystem, listing.names) for listing in lists]
    for place in range(settings.popular):
        for ecosystem, names in held:
            if place < len(names):
                yield ecosystem, names[place]


async def preload(
    names: Iterable[tuple[str, str]],
    judge: Callable[[str, str], object],
    monotonic: Callable[[], float],
    seconds: float = MAX_SECONDS,
) -> Preloaded:
    """Judges names, and lets others work in between.

    Args:
        names: ecosystem and name.
        judge: judges one and keeps the verdict; raises DomainError.
        monotonic: the clock, in seconds.
        seconds: it stops after this time, whatever is left.
    """
    started = monotonic()
    judged = refused = 0
    for number, (ecosystem, name) in enumerate(names):
        if number % AT_A_TIME == 0:
            if monotonic() - started >= seconds:
                return Preloaded(judged, refused, complete=False, seconds=monotonic() - started)
            await asyncio.sleep(0)
        try:
            judge(ecosystem, name)
            judged += 1
        except DomainError:
            refused += 1
    return Preloaded(judged, refused, complete=True, seconds=monotonic() - started)


class Preloader:
    """Preloads before the server is ready, and again whenever other lists have made the verdicts worthless.

    Args:
        names: ecosystem and name of what is wanted now.
        judge: judges one name and keeps the verdict; raises DomainError.
        monotonic: the clock, in seconds.
        done: is told what each preload came to that had something to do.
    """

    def __init__(
        self,
        names: Callable[[], Iterable[tuple[str, str]]],
        judge: Callable[[str, str], object],
        monotonic: Callable[[], float],
        done: Callable[[Preloaded], None],
    ) -> None:
        self._names = names
        self._judge = judge
        self._monotonic = monotonic
        self._done = done
        self._outdated = asyncio.Event()

    def outdated(self) -> None:
        """Says that the verdicts in memory are worthless."""
        self._outdated.set()

    async def once(self) -> Preloaded:
        """Preloads now; returns after MAX_SECONDS at the latest."""
        self._outdated.clear()
        found = await preload(self._names(), self._judge, self._monotonic)
        if found.judged or found.refused:
            self._done(found)
        return found

    async def run(self) -> None:
        """Preloads again whenever it is needed, for ever."""
        while True:
            await self._outdated.wait()
            await self.once()
