"""One bit of a letter turned over in memory: `rdquests`. Bound: one comparison a neighbour, at most 64."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query, is_digits, letters


def check(query: Query) -> Iterator[Match]:
    """Names of the same length that differ in a single bit of a single letter."""
    for near in query.near:
        if len(near.mine) != 1 or len(near.theirs) != 1 or not (near.mine + near.theirs).isascii():
            continue
        if (ord(near.mine) ^ ord(near.theirs)).bit_count() != 1 or is_digits(near.mine, near.theirs):
            continue
        reasons = [Contribution("a single bit is turned over", -0.8)]
        if near.at == 0:
            reasons.append(Contribution("it is the first letter: seldom mistyped", -1.2))
        evidence = f"{letters(near.mine)} for {letters(near.theirs)} in {{target}} is a single bit turned over"
        yield Match(Technique.BIT_FLIP, near.entry, evidence, tuple(reasons))
