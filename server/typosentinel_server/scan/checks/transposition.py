"""Two neighbouring letters swapped: `reqeusts`. Bound: one comparison a neighbour, at most 32."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query
from typosentinel_server.scan.spelling import Slip


def check(query: Query) -> Iterator[Match]:
    """Names one swap away from the query."""
    for near in query.one:
        if near.slips[0] is Slip.SWAPPED:
            yield Match(Technique.TRANSPOSITION, near.target, "two neighbouring letters of {target} are swapped")
