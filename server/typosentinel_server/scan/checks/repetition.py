"""A letter typed twice: `reqquests`. Bound: one comparison a neighbour, at most 32."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters
from typosentinel_server.scan.spelling import Slip


def check(query: Query) -> Iterator[Match]:
    """Names in which a letter stands once that stands twice in the query."""
    for near in query.one:
        if near.slips[0] is Slip.REPEATED:
            yield Match(Technique.REPETITION, near.target, f"{letters(near.edits[0].mine)} of {{target}} is typed twice")
