"""A letter left out: `requsts`. Bound: one comparison a neighbour, at most 32."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters
from typosentinel_server.scan.spelling import Slip

LEFT_OUT = frozenset((Slip.DROPPED, Slip.DROPPED_DOUBLE, Slip.DROPPED_DIGIT))


def check(query: Query) -> Iterator[Match]:
    """Names that have one letter or digit more than the query; punctuation is the delimiter check's business."""
    for near in query.one:
        if near.slips[0] in LEFT_OUT:
            yield Match(Technique.OMISSION, near.target, f"{letters(near.edits[0].theirs)} is left out of {{target}}")
