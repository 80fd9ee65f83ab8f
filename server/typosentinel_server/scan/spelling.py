"""What turns one flat name into another: at most two slips of the hand, and what kind of slips they are."""

from enum import StrEnum
from string import ascii_lowercase, digits
from typing import NamedTuple

from typosentinel_server.scan.keyboard import adjacent

VOWELS = frozenset("aeiouy")
LOOK_ALIKE = frozenset(
    frozenset(pair)
    for pair in ("0o", "1l", "1i", "il", "5s", "3e", "4a", "8b", "2z", "6g", "9g", "7t", "uv", "vw", "ce")
)
SWAP = 2


class Slip(StrEnum):
    """One slip of the hand, told from the popular name to the one asked about."""

    SWAPPED = "swapped"
    ADDED = "added"
    ADDED_KEY = "added_key"
    ADDED_DIGIT = "added_digit"
    ADDED_PLURAL = "added_plural"
    REPEATED = "repeated"
    DROPPED = "dropped"
    DROPPED_DOUBLE = "dropped_double"
    DROPPED_DIGIT = "dropped_digit"
    DROPPED_PLURAL = "dropped_plural"
    REPLACED = "replaced"
    REPLACED_KEY = "replaced_key"
    REPLACED_VOWEL = "replaced_vowel"
    REPLACED_LOOK = "replaced_look"
    REPLACED_BIT = "replaced_bit"
    DIGIT_IN = "digit_in"
    DIGIT_OUT = "digit_out"
    OTHER_DIGIT = "other_digit"


ADDITIONS = frozenset((Slip.ADDED, Slip.ADDED_KEY, Slip.ADDED_DIGIT, Slip.ADDED_PLURAL, Slip.REPEATED))
OMISSIONS = frozenset((Slip.DROPPED, Slip.DROPPED_DOUBLE, Slip.DROPPED_DIGIT, Slip.DROPPED_PLURAL))


class Edit(NamedTuple):
    """One slip and where it is.

    Attributes:
        at: place in the name asked about, in characters from the front.
        their_at: place in the popular name.
        mine: what the name asked about has there; empty for a dropped letter.
        theirs: what the popular name has there; empty for an added letter.
    """

    at: int
    their_at: int
    mine: str
    theirs: str


def edits(mine: str, theirs: str) -> tuple[Edit, ...] | None:
    """The one or two slips that lead from `theirs` to `mine`, none for equal texts; None where it takes more.

    A swap of two neighbours is one slip (optimal string alignment). Linear in the length.
    """
    stop, their_stop = len(mine), len(theirs)
    if not -SWAP <= stop - their_stop <= SWAP:
        return None
    while stop and their_stop and mine[stop - 1] == theirs[their_stop - 1]:
        stop -= 1
        their_stop -= 1
    front = 0
    least = min(stop, their_stop)
    while front < least and mine[front] == theirs[front]:
        front += 1
    if front == stop == their_stop:
        return ()
    one = _single(mine, theirs, (front, stop), (front, their_stop))
    return (one,) if one else _double(mine, theirs, front, (stop, their_stop))


def _single(mine: str, theirs: str, span: tuple[int, int], their_span: tuple[int, int]) -> Edit | None:
    length, their_length = span[1] - span[0], their_span[1] - their_span[0]
    if length > SWAP or their_length > SWAP:
        return None
    here, there = mine[span[0] : span[1]], theirs[their_span[0] : their_span[1]]
    if length <= 1 and their_length <= 1:
        return Edit(span[0], their_span[0], here, there) if length or their_length else None
    return Edit(span[0], their_span[0], here, there) if here == there[::-1] else None


def _double(mine: str, theirs: str, front: int, stops: tuple[int, int]) -> tuple[Edit, Edit] | None:
    """Tries each first slip in turn; what follows must be a single one."""
    here, there = mine[front : front + SWAP], theirs[front : front + SWAP]
    steps = [(1, 1), (1, 0), (0, 1)]
    if len(here) == SWAP and here == there[::-1]:
        steps.insert(0, (SWAP, SWAP))
    for step, their_step in steps:
        i, j = front + step, front + their_step
        if i > stops[0] or j > stops[1]:
            continue
        first = Edit(front, front, mine[front:i], theirs[front:j])
        while i < stops[0] and j < stops[1] and mine[i] == theirs[j]:
            i += 1
            j += 1
        second = _single(mine, theirs, (i, stops[0]), (j, stops[1]))
        if second:
            return first, second
    return None


def slip(edit: Edit, mine: str, theirs: str) -> Slip:
    """What kind of slip an edit is, in its surroundings."""
    if len(edit.mine) == SWAP:
        return Slip.SWAPPED
    if not edit.theirs:
        return _addition(edit.mine, mine, edit.at)
    if not edit.mine:
        return _omission(edit.theirs, theirs, edit.their_at)
    return REPLACEMENTS.get(edit.mine + edit.theirs, Slip.REPLACED)


def _addition(letter: str, text: str, at: int) -> Slip:
    beside = _beside(text, at)
    if letter.isdigit():
        return Slip.ADDED_DIGIT
    if letter in beside:
        return Slip.REPEATED
    if letter == "s" and at == len(text) - 1:
        return Slip.ADDED_PLURAL
    return Slip.ADDED_KEY if any(adjacent(letter, other) for other in beside) else Slip.ADDED


def _omission(letter: str, text: str, at: int) -> Slip:
    if letter.isdigit():
        return Slip.DROPPED_DIGIT
    if letter in _beside(text, at):
        return Slip.DROPPED_DOUBLE
    return Slip.DROPPED_PLURAL if letter == "s" and at == len(text) - 1 else Slip.DROPPED


def _replacement(mine: str, theirs: str) -> Slip:  # noqa: PLR0911 - one line a kind
    if mine.isdigit() and theirs.isdigit():
        return Slip.OTHER_DIGIT
    if frozenset((mine, theirs)) in LOOK_ALIKE:
        return Slip.REPLACED_LOOK
    if mine.isdigit():
        return Slip.DIGIT_IN
    if theirs.isdigit():
        return Slip.DIGIT_OUT
    if adjacent(mine, theirs):
        return Slip.REPLACED_KEY
    if mine in VOWELS and theirs in VOWELS:
        return Slip.REPLACED_VOWEL
    return Slip.REPLACED_BIT if (ord(mine) ^ ord(theirs)).bit_count() == 1 else Slip.REPLACED


def _beside(text: str, at: int) -> str:
    return text[at - 1 : at] + text[at + 1 : at + 2] if at else text[1:2]


LETTERS = ascii_lowercase + digits
REPLACEMENTS = {mine + theirs: _replacement(mine, theirs) for mine in LETTERS for theirs in LETTERS if mine != theirs}
