"""One bit of a letter turned over in memory: `rdquests`. Bound: one comparison a neighbour, at most 32."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters


def check(query: Query) -> Iterator[Match]:
    """Names of the same length that differ in a single bit of a single letter; two digits are two versions."""
    for near in query.one:
        mine, theirs = near.edits[0].mine, near.edits[0].theirs
        if len(mine) != 1 or len(theirs) != 1 or (mine + theirs).isdigit():
            continue
        if (ord(mine) ^ ord(theirs)).bit_count() == 1:
            evidence = f"{letters(mine)} for {letters(theirs)} in {{target}} is a single bit turned over"
            yield Match(Technique.BIT_FLIP, near.target, evidence)
