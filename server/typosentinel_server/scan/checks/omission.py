"""A letter left out: `requsts`. Bound: one comparison a neighbour, at most 64."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query, is_digits, letters


def check(query: Query) -> Iterator[Match]:
    """Names that have one letter more than the query; punctuation is the delimiter check's business."""
    for near in query.near:
        if near.mine or len(near.theirs) != 1 or not near.theirs.isalnum():
            continue
        reasons = [Contribution("a letter is left out", 0.8)]
        target = near.entry.name.text
        if target[near.at - 1 : near.at] == near.theirs:
            reasons.append(Contribution("it is one of two equal letters", 0.6))
        if is_digits(near.theirs):
            reasons.append(Contribution("it is a digit: often another version", -1.5))
        elif near.at == len(query.name.text) and near.theirs == "s":
            reasons.append(Contribution("singular and plural: often both honest", -0.6))
        elif near.at == len(query.name.text):
            reasons.append(Contribution("it is the last letter: often another word", -0.8))
        if near.at == 0:
            reasons.append(Contribution("it is the first letter: seldom mistyped", -1.0))
        evidence = f"{letters(near.theirs)} is left out of {{target}}"
        yield Match(Technique.OMISSION, near.entry, evidence, tuple(reasons))
