"""A letter typed twice: `reqquests`. Bound: one comparison a neighbour, at most 64."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query, is_digits, letters


def check(query: Query) -> Iterator[Match]:
    """Names in which a letter stands once that stands twice in the query."""
    text = query.name.text
    for near in query.near:
        if near.theirs or len(near.mine) != 1 or not near.mine.isalnum():
            continue
        before, after = text[near.at - 1 : near.at] if near.at else "", text[near.at + 1 : near.at + 2]
        if near.mine not in (before, after):
            continue
        reasons = [Contribution("a letter is typed twice", 1.6)]
        if is_digits(near.mine):
            reasons.append(Contribution("it is a digit: often another version", -1.5))
        evidence = f"{letters(near.mine)} of {{target}} is typed twice"
        yield Match(Technique.REPETITION, near.entry, evidence, tuple(reasons))
