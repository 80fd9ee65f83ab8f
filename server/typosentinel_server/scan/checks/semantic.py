"""A word exchanged for one of kin meaning or another form of it: `web3-tools` for `web3-utils`. Bound: 64 probes."""

from collections.abc import Iterator

from typosentinel_server.scan import forms
from typosentinel_server.scan.kin import KIN
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters

MOST = 64
SHORTEST_REST = 3
WORDS = frozenset(KIN)


def check(query: Query) -> Iterator[Match]:
    """Popular names that differ from the query in one of its words, by a word that means nearly the same.

    A slip that leads to the same name says it better, and an owner's own packages may be called alike.
    """
    if WORDS.isdisjoint(query.tokens):
        return
    told = {near.target.number for near in query.one} | {target.number for target in query.same}
    held = forms.owner(query.ecosystem, query.text)
    for number, mine, theirs, rest in _exchanges(query):
        target = query.index.target(number)
        if number in told or (held and held == forms.owner(query.ecosystem, target.text)):
            continue
        told.add(number)
        same_word = KIN[mine][theirs]
        how = "another form of" if same_word else "akin to"
        evidence = f"{letters(mine)} is {how} {letters(theirs)} in {{target}}"
        signs = {"kin_form" if same_word else "kin_meaning": 1.0, "kin_rest": float(rest)}
        yield Match(Technique.SEMANTIC, target, evidence, signs)


def _exchanges(query: Query) -> Iterator[tuple[int, str, str, int]]:
    """Numbers of popular names that another word leads to, the query's word, theirs, and how many letters stay."""
    lettered = query.index.lettered
    parts = query.tokens
    left = MOST
    for at, mine in enumerate(parts):
        kin = KIN.get(mine)
        if kin is None:
            continue
        front, back = "".join(parts[:at]), "".join(parts[at + 1 :])
        rest = len(front) + len(back)
        if rest < SHORTEST_REST:
            continue
        for theirs in kin if len(kin) <= left else list(kin)[:left]:
            number = lettered(front + theirs + back)
            if number is not None:
                yield number, mine, theirs, rest
        left -= min(left, len(kin))
