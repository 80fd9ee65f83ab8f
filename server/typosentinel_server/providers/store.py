"""Where evidence is kept between questions: the form that a cache has to have, and a small one in the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

KEPT_SECONDS: Final = 300.0
MAX_ENTRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a store gives.

    Attributes:
        value: what was made.
        age: seconds since it was.
        stale: whether it is older than it should be, and being made anew.
    """

    value: bytes
    age: float
    stale: bool


class Store(Protocol):
    """Keeps what is dear to make."""

    async def fetch(
        self, key: str, make: Callable[[], Awaitable[bytes]], *, tags: frozenset[str] = frozenset()
    ) -> Fetched:
        """What is kept under a key, or what `make` gives; only one makes it at a time. What `make` raises is raised."""


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

    async def fetch(
        self,
        key: str,
        make: Callable[[], Awaitable[bytes]],
        *,
        tags: frozenset[str] = frozenset(),  # noqa: ARG002 - nobody invalidates by tag here
    ) -> Fetched:
        """As the protocol says; never stale."""
        kept = self._kept.get(key)
        if kept is not None and self._monotonic() - kept[1] < self._ttl:
            return Fetched(kept[0], self._monotonic() - kept[1], stale=False)
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(key, make), name=f"evidence {key}")
            task.add_done_callback(_looked_at)
        # Others may wait for the same: one that gives up does not end it.
        return Fetched(await asyncio.shield(task), 0.0, stale=False)

    async def _make(self, key: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            value = await make()
            self._kept.pop(key, None)
            self._kept[key] = (value, self._monotonic())
            if len(self._kept) > self._max_entries:
                del self._kept[next(iter(self._kept))]
            return value
        finally:
            del self._making[key]


def _looked_at(task: asyncio.Task[bytes]) -> None:
    # Where all who waited have gone, nobody else reads what became of it.
    if not task.cancelled():
        task.exception()
