"""Punctuation added, dropped or changed: `pythondateutil`. Bound: one comparison for each name of the same letters."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query


def check(query: Query) -> Iterator[Match]:
    """Names that equal the query once punctuation is taken out of both."""
    text = query.text
    mine = len(text) - len(query.flat)
    for target in query.same:
        if target.text == text or "@" in target.text[0] + text[0]:
            continue
        theirs = len(target.text) - len(target.flat)
        if mine < theirs:
            how = "the punctuation of {target} is left out"
        elif mine > theirs:
            how = "punctuation is added to {target}"
        else:
            how = "{target} has other punctuation"
        yield Match(Technique.DELIMITER, target, how)
