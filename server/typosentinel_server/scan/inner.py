"""The inner loops in C, where the package was built with a compiler; None where it was not.

What they do is written out in Python too, in the rooms that call them, and a test holds one against the other.
"""

from importlib import import_module
from typing import Protocol, cast

from typosentinel_server.scan.spelling import Edit

# Of each sign its cuts, and its weights behind them: doubles, one more weight than cuts.
Table = dict[str, bytes]


OFFERED = ("find", "letters", "near", "odds", "segments")


class Inner(Protocol):
    """What _native.c offers; see there."""

    def find(self, starts: memoryview, hashes: memoryview, values: memoryview, key: str, /) -> list[int]:
        """What a multimap files under a text."""
        ...

    def letters(self, text: str, codes: bytes, model: memoryview, letters: int, /) -> int:
        """What the letters of a text and its end cost by a letter model."""
        ...

    def near(
        self,
        flat: bytes,
        words: memoryview,
        present: memoryview,
        flats: memoryview,
        ends: memoryview,
        edit: type[Edit],
        /,
    ) -> list[tuple[int, tuple[Edit, ...]]]:
        """Numbers of names at most two slips from a text of 1 to 64 bytes, and the slips."""
        ...

    def odds(self, signs: dict[str, float], table: Table, start: float, /) -> float:
        """The sum of the weights of signs, and a start."""
        ...

    def segments(
        self, flat: bytes, slots: memoryview, costs: memoryview, start: float, letter: float, longest: int, /
    ) -> float:
        """The cost of the cheapest way to cut a text of at most 64 letters into tokens."""
        ...


def _load() -> Inner | None:
    try:
        found = import_module("typosentinel_server.scan._native")
    except ImportError:
        return None
    # What an earlier version left in a checkout is no use.
    return cast("Inner", found) if all(hasattr(found, name) for name in OFFERED) else None


INNER = _load()
