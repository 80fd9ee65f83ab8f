"""Punctuation added, dropped or changed: `pythondateutil`. Bound: one probe, at most 64 comparisons."""

from collections.abc import Iterator

from typosentinel_server.scan.index import PUNCTUATION
from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query


def check(query: Query) -> Iterator[Match]:
    """Names that equal the query once `-`, `_`, `.` and `~` are taken out of both."""
    text = query.name.text
    mine = len(PUNCTUATION.findall(text))
    for entry in query.index.same_letters(text):
        other = entry.name.text
        if other == text:
            continue
        theirs = len(PUNCTUATION.findall(other))
        if mine < theirs:
            how = "the punctuation of {target} is left out"
        elif mine > theirs:
            how = "punctuation is added to {target}"
        else:
            how = "{target} has other punctuation"
        yield Match(Technique.DELIMITER, entry, how, (Contribution("the names differ in punctuation only", 1.6),))
