"""Singular for plural: `request`, `lodashs`. Bound: one comparison a neighbour, at most 32."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query
from typosentinel_server.scan.spelling import Slip


def check(query: Query) -> Iterator[Match]:
    """Names that differ in an "s" at the end."""
    for near in query.one:
        if near.slips[0] is Slip.ADDED_PLURAL:
            yield Match(Technique.PLURAL, near.target, 'the plural "s" is added to {target}')
        elif near.slips[0] is Slip.DROPPED_PLURAL:
            yield Match(Technique.PLURAL, near.target, 'the plural "s" is left out of {target}')
