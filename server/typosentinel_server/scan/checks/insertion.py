"""A letter too many: `requiests`. Bound: one comparison a neighbour, at most 32."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters
from typosentinel_server.scan.spelling import Slip

ADDED = frozenset((Slip.ADDED, Slip.ADDED_KEY, Slip.ADDED_DIGIT))


def check(query: Query) -> Iterator[Match]:
    """Names that have one letter or digit less than the query, where it is no repetition of its neighbour."""
    for near in query.one:
        if near.slips[0] in ADDED:
            yield Match(Technique.INSERTION, near.target, f"{letters(near.edits[0].mine)} is added to {{target}}")
