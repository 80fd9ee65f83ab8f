"""A letter replaced by another: `requezts`. Bound: one comparison a neighbour, at most 32."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters
from typosentinel_server.scan.spelling import Slip

REPLACED = frozenset(
    (Slip.REPLACED, Slip.REPLACED_KEY, Slip.REPLACED_VOWEL, Slip.REPLACED_BIT, Slip.REPLACED_LOOK)
    + (Slip.DIGIT_IN, Slip.DIGIT_OUT, Slip.OTHER_DIGIT)
)


def check(query: Query) -> Iterator[Match]:
    """Names of the same length that differ in one letter or digit."""
    for near in query.one:
        kind = near.slips[0]
        if kind in REPLACED:
            edit = near.edits[0]
            evidence = f"{letters(edit.theirs)} of {{target}} is replaced by {letters(edit.mine)}"
            if kind is Slip.REPLACED_KEY:
                evidence += ", its neighbour on the keyboard"
            yield Match(Technique.SUBSTITUTION, near.target, evidence)
