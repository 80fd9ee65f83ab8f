"""Where evidence is kept between questions: the form that a cache has to have. Providers know none themselves."""

from collections.abc import Awaitable, Callable
from typing import Protocol


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
