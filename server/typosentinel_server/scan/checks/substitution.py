"""A letter replaced by another: `requezts`. Bound: one comparison a neighbour, at most 64."""

from collections.abc import Iterator

from typosentinel_server.scan.keyboard import adjacent
from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query, is_digits, letters

VOWELS = frozenset("aeiouy")


def check(query: Query) -> Iterator[Match]:
    """Names of the same length that differ in one letter."""
    for near in query.near:
        if len(near.mine) != 1 or len(near.theirs) != 1 or not (near.mine + near.theirs).isalnum():
            continue
        reasons = [Contribution("a letter is replaced", -0.2)]
        evidence = f"{letters(near.theirs)} of {{target}} is replaced by {letters(near.mine)}"
        if is_digits(near.mine, near.theirs):
            reasons.append(Contribution("digits: often another version", -3.0))
        elif adjacent(near.mine, near.theirs):
            reasons.append(Contribution("the keys are neighbours", 0.9))
            evidence += ", its neighbour on the keyboard"
        elif near.mine in VOWELS and near.theirs in VOWELS:
            reasons.append(Contribution("a vowel for a vowel: often misspelt", 0.5))
        if near.at == 0:
            reasons.append(Contribution("it is the first letter: seldom mistyped", -1.2))
        elif near.at == len(query.name.text) - 1:
            reasons.append(Contribution("it is the last letter: often another word", -0.6))
        yield Match(Technique.SUBSTITUTION, near.entry, evidence, tuple(reasons))
