"""The clocks that a program reads; only the composition root binds them to the real ones."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks, both in seconds.

    Attributes:
        wall: seconds since 1970, UTC; may jump.
        monotonic: seconds from an arbitrary start; never goes back. Ages and durations come from it.
    """

    wall: Callable[[], float]
    monotonic: Callable[[], float]
