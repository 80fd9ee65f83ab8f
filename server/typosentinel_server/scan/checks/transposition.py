"""Two neighbouring letters swapped: `reqeusts`. Bound: one comparison a neighbour, at most 64."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query


def check(query: Query) -> Iterator[Match]:
    """Names one swap away from the query."""
    for near in query.near:
        # A swap with a delimiter is the delimiter check's business.
        if len(near.mine) == len(near.theirs) == 2 and near.mine.isalnum():  # noqa: PLR2004 - a swap is of two
            yield Match(
                Technique.TRANSPOSITION,
                near.entry,
                "two neighbouring letters of {target} are swapped",
                (Contribution("two neighbouring letters are swapped", 2.2),),
            )
