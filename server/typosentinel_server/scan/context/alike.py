"""Names of one ecosystem that differ little, found among hundreds of thousands by probes alone."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from string import digits
from typing import NamedTuple

from typosentinel_server.scan import deletions, forms, multimap
from typosentinel_server.scan.deletions import LONGEST, Deletions
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.multimap import Multimap
from typosentinel_server.scan.spelling import edits

# Shorter names are near to everything.
SHORTEST = 5
MAX_FOUND = 64
MAX_ALIKE = 16


class Likeness(StrEnum):
    """How two names are alike, nearest first."""

    LETTERS = "letters"
    NUMBER = "number"
    SLIP = "slip"

    @property
    def slips(self) -> int:
        """How far apart that is: other punctuation is no slip, another number is one."""
        return 0 if self is Likeness.LETTERS else 1


NEAREST_FIRST = list(Likeness)


def likeness(one: str, other: str, shortest: int = SHORTEST) -> Likeness | None:
    """How two names are alike, given as letters and digits; None where they are not, or have fewer than `shortest`.

    Alike are the same letters, the same letters but for a number at the end, and texts one slip apart: a letter more,
    less or other, or two neighbours swapped. Linear in the length.
    """
    if min(len(one), len(other)) < shortest:
        return None
    if one == other:
        return Likeness.LETTERS
    stem = one.rstrip(digits)
    if len(stem) >= shortest and stem == other.rstrip(digits):
        return Likeness.NUMBER
    found = edits(one, other)
    return Likeness.SLIP if found is not None and len(found) == 1 else None


class Near(NamedTuple):
    """A name that is like another.

    Attributes:
        name: as it was filed.
        flat: its letters and digits.
        how: in what they are alike.
    """

    name: str
    flat: str
    how: Likeness


class Alike:
    """Names that are found by those that are like them.

    What one owner holds is told apart from what anybody may publish: a name without an owner that is like one with an
    owner imitates that one, and not the other way round.

    Args:
        ecosystem: of all names.
        names: at most 2^20. Left out are those of more than 64 letters and digits, and of fewer than 5, their owner
            not counted. 200,000 take 0.8 s and 40 MB.
    """

    def __init__(self, ecosystem: Ecosystem, names: Sequence[str]) -> None:
        self._ecosystem = ecosystem
        self._names: list[str] = []
        flats: list[bytes] = []
        for name in names:
            flat = _flat(ecosystem, name.lower())
            if flat:
                self._names.append(name)
                flats.append(flat.encode())
        self._one_slip = Deletions(*deletions.build(flats, twice=False), twice=False)
        starts, hashes, values = multimap.build([flat.rstrip(digits.encode()) for flat in flats], range(len(flats)))
        self._stems = Multimap(starts.data, hashes.data, values.data)

    def get(self, text: str) -> list[Near]:
        """The names like a text in lower case, nearest first, at most 16.

        Bound: 66 probes, and a comparison with each name found, at most 128.
        """
        flat = _flat(self._ecosystem, text)
        if not flat:
            return []
        numbers = dict.fromkeys(self._stems.get(flat.rstrip(digits))[:MAX_FOUND])
        numbers |= dict.fromkeys(islice(self._one_slip.candidates(flat.encode()), MAX_FOUND))
        owned = bool(forms.owner(self._ecosystem, text))
        found = []
        for name in map(self._names.__getitem__, numbers):
            theirs = forms.flat(name.lower())
            how = likeness(flat, theirs)
            if how and (not owned or forms.owner(self._ecosystem, name)):
                found.append(Near(name, theirs, how))
        return sorted(found, key=lambda one: (NEAREST_FIRST.index(one.how), one.name))[:MAX_ALIKE]


def _flat(ecosystem: Ecosystem, text: str) -> str:
    """The letters and digits of a name, empty where they are too few, too many, or not of ASCII."""
    flat = forms.flat(text)
    if not flat.isascii() or len(flat) > LONGEST or len(forms.flat(forms.base(ecosystem, text))) < SHORTEST:
        return ""
    return flat
