"""The words of a name in another order: `nmap-python`. Bound: one probe, at most 64 comparisons."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query


def check(query: Query) -> Iterator[Match]:
    """Names of the same words in another order. The words are sorted, not permuted."""
    for target in query.index.same_words(query.tokens):
        if target.flat != query.flat:
            yield Match(Technique.WORD_ORDER, target, "the words of {target} are in another order", {"word_order": 1.0})
