"""Letters that look alike: `1odash`, `rnatplotlib`, a Cyrillic letter. Bound: one probe, at most 64 comparisons."""

from collections.abc import Iterator

from typosentinel_server.scan.confusables import describe, skeleton
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters


def check(query: Query) -> Iterator[Match]:
    """Names that a hasty reader takes for the query."""
    if not query.flat:
        return
    for target in query.index.same_look(skeleton(query.flat)):
        if query.foreign:
            evidence = f"{describe(query.foreign[0])} makes it look like {{target}}"
            yield Match(Technique.HOMOGLYPH, target, evidence, {"foreign_letter": 1.0})
        elif target.flat != query.flat:
            mine, theirs = _difference(query.flat, target.flat)
            evidence = f"{letters(mine)} looks like {letters(theirs)} of {{target}}"
            yield Match(Technique.HOMOGLYPH, target, evidence, {"look_alike": 1.0})


def _difference(mine: str, theirs: str) -> tuple[str, str]:
    """What is left of two texts when their common front and back are cut off."""
    stop, their_stop = len(mine), len(theirs)
    front = 0
    while front < min(stop, their_stop) and mine[front] == theirs[front]:
        front += 1
    while min(stop, their_stop) > front and mine[stop - 1] == theirs[their_stop - 1]:
        stop -= 1
        their_stop -= 1
    return mine[front:stop], theirs[front:their_stop]
