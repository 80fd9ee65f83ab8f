"""Letters that look alike: `1odash`, `rnatplotlib`, a Cyrillic letter. Bound: one probe, 64 comparisons."""

from collections.abc import Iterator

from typosentinel_server.scan.confusables import describe, fold
from typosentinel_server.scan.index import difference
from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.query import Match, Query, letters


def check(query: Query) -> Iterator[Match]:
    """Names that a hasty reader takes for the query."""
    text = query.name.text
    foreign = [c for c in query.name.raw if not c.isascii()]
    for entry in query.index.same_look(text):
        if foreign:
            evidence = f"{describe(foreign[0])} makes it look like {{target}}"
            reason = Contribution("a letter of another script or with an accent", 5.0)
            yield Match(Technique.HOMOGLYPH, entry, evidence, (reason,))
            continue
        if entry.name.text == text:
            continue
        place = difference(fold(text), entry)
        evidence = f"{letters(place.mine)} looks like {letters(place.theirs)} of {{target}}"
        reasons = [Contribution("look-alike letters", 1.4)]
        if {place.mine, place.theirs} == {"i", "l"}:
            reasons.append(Contribution("i and l look alike in capitals only", -0.7))
        yield Match(Technique.HOMOGLYPH, entry, evidence, tuple(reasons))
