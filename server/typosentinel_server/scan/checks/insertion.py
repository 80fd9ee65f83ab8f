"""A letter too many: `requiests`. Bound: one comparison a neighbour, at most 64."""

from collections.abc import Iterator

from typosentinel_server.scan.keyboard import adjacent
from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query, is_digits, letters


def check(query: Query) -> Iterator[Match]:
    """Names that have one letter less than the query, where it is no repetition of its neighbour."""
    text = query.name.text
    for near in query.near:
        if near.theirs or len(near.mine) != 1 or not near.mine.isalnum():
            continue
        before, after = text[near.at - 1 : near.at] if near.at else "", text[near.at + 1 : near.at + 2]
        if near.mine in (before, after):
            continue
        reasons = [Contribution("a letter is added", 0.3)]
        if is_digits(near.mine):
            reasons.append(Contribution("it is a digit: often another version", -2.0))
        elif near.at == 0 or not after:
            reasons.append(Contribution("it is at the end of the name: often another word", -1.2))
        elif adjacent(near.mine, before) or adjacent(near.mine, after):
            reasons.append(Contribution("the keys are neighbours", 0.4))
        evidence = f"{letters(near.mine)} is added to {{target}}"
        yield Match(Technique.INSERTION, near.entry, evidence, tuple(reasons))
