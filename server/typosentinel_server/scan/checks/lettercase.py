"""Capitals where the registry tells them apart: `Lodash`. Bound: one probe, at most 64 comparisons."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query


def check(query: Query) -> Iterator[Match]:
    """Names that equal the query but for capitals; never in a registry that ignores them."""
    if not query.name.raw.isascii():
        return
    for entry in query.index.same_text(query.name.text):
        reasons = (Contribution("the names differ in capitals only", 0.0),)
        yield Match(Technique.LETTER_CASE, entry, "{target} is written with other capitals", reasons)
