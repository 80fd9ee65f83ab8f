"""A word exchanged for one of kin meaning or another form of it: `web3-tools` for `web3-utils`.

Bound: one probe, at most 64 comparisons.
"""

from collections.abc import Iterator, Sequence

from typosentinel_server.scan import forms
from typosentinel_server.scan.kin import KIN
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters

SHORTEST_REST = 3


def check(query: Query) -> Iterator[Match]:
    """Popular names that differ from the query in one of its words, by a word that means nearly the same.

    A slip that leads to the same name says it better, and an owner's own packages may be called alike.
    """
    held = forms.owner(query.ecosystem, query.text)
    for target in query.index.same_meaning(query.tokens):
        exchanged = _exchanged(query.tokens, forms.tokens(target.text))
        if exchanged is None or _slipped(query, target.number):
            continue
        mine, theirs = exchanged
        rest = len(query.flat) - len(mine)
        if rest < SHORTEST_REST or (held and held == forms.owner(query.ecosystem, target.text)):
            continue
        same_word = KIN[mine][theirs]
        how = "another form of" if same_word else "akin to"
        evidence = f"{letters(mine)} is {how} {letters(theirs)} in {{target}}"
        signs = {"kin_form" if same_word else "kin_meaning": 1.0, "kin_rest": float(rest)}
        yield Match(Technique.SEMANTIC, target, evidence, signs)


def _exchanged(parts: Sequence[str], others: Sequence[str]) -> tuple[str, str] | None:
    """The only word that differs, and theirs, where the two are kin."""
    found = None
    for part, other in zip(parts, others, strict=False):
        if part != other:
            if found is not None or other not in KIN.get(part, ()):
                return None
            found = part, other
    return found if len(parts) == len(others) else None


def _slipped(query: Query, number: int) -> bool:
    """Whether a single slip, or none, leads to a name."""
    near = query.neighbour(number)
    return near is not None and len(near.edits) == 1
