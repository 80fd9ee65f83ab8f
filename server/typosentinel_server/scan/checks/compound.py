"""Two slips of the hand: `dizcord.js` for `discordjs`, `lpodahs`. Bound: one comparison a neighbour, at most 8."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, told


def check(query: Query) -> Iterator[Match]:
    """Names that two slips lead to the query from, both of about six letters and more."""
    for near in query.two:
        first, second = near.edits
        yield Match(Technique.COMPOUND, near.target, f"two slips from {{target}}: {told(first)}, {told(second)}")
