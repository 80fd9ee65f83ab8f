"""Where evidence is kept between questions: the form that a cache has to have, and a small one in the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

KEPT_SECONDS: Final = 300.0
MAX_ENTRIES: Final = 10_000


class Fetched(Protocol):
    """What a store gives."""

    @property
    def value(self) -> bytes:
        """What was made."""
        ...

    @property
    def stale(self) -> bool:
        """Whether it is older than it should be, and being made anew."""
        ...


class Store(Protocol):
    """Keeps what is dear to make."""

    async def fetch(self, name: str, make: Callable[[], Awaitable[bytes]], tags: tuple[str, ...] = (), /) -> Fetched:
        """What is kept under a name, or what `make` gives; only one makes it at a time. What `make` raises is raised.

        Args:
            name: printable ASCII of at most 512 characters.
            make: gives it within a bounded time.
            tags: by which it can be invalidated, at most 128 characters each.
        """
        ...


@dataclass(frozen=True, slots=True)
class Local:
    """What the small store gives.

    Attributes:
        value: what was made.
        stale: never.
    """

    value: bytes
    stale: bool = False


class LocalStore:
    """Keeps it in the process's own memory. For one thread.

    Args:
        monotonic: the clock, in seconds.
        ttl: seconds that something is kept.
        max_entries: kept at most; what was put first goes first.
    """

    def __init__(
        self, monotonic: Callable[[], float], ttl: float = KEPT_SECONDS, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._monotonic = monotonic
        self._ttl = ttl
        self._max_entries = max_entries
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._making: dict[str, asyncio.Task[bytes]] = {}

    async def fetch(self, name: str, make: Callable[[], Awaitable[bytes]], _tags: tuple[str, ...] = (), /) -> Local:
        """As the protocol says; nobody invalidates here."""
        kept = self._kept.get(name)
        if kept is not None and self._monotonic() - kept[1] < self._ttl:
            return Local(kept[0])
        task = self._making.get(name)
        if task is None:
            task = self._making[name] = asyncio.create_task(self._make(name, make), name=name)
            task.add_done_callback(_looked_at)
        # Others may wait for the same: one that gives up does not end it.
        return Local(await asyncio.shield(task))

    async def _make(self, name: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            value = await make()
            self._kept.pop(name, None)
            self._kept[name] = (value, self._monotonic())
            if len(self._kept) > self._max_entries:
                del self._kept[next(iter(self._kept))]
            return value
        finally:
            del self._making[name]


def _looked_at(task: asyncio.Task[bytes]) -> None:
    # Where all who waited have gone, nobody else reads what became of it.
    if not task.cancelled():
        task.exception()
