"""Capitals where the registry tells them apart: `Lodash`. Bound: one comparison for each name of the same letters."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query


def check(query: Query) -> Iterator[Match]:
    """Names that equal the query but for capitals; never in a registry that ignores them."""
    if query.foreign:
        return
    for target in query.same:
        if target.text == query.text:
            evidence = "{target} is written with other capitals"
            yield Match(Technique.LETTER_CASE, target, evidence, {"other_capitals": 1.0})
