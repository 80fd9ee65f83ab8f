"""A word beside a name dropped or exchanged: `discord-fix` for `discord.js`. Bound: 20 probes.

Only words that say little count: marks of a language or a registry, and lures.
"""

from collections.abc import Iterable, Iterator

from typosentinel_server.scan import forms
from typosentinel_server.scan.index import Target
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters

SHORTEST = 4


def check(query: Query) -> Iterator[Match]:
    """Names that share their core with the query and differ in what stands beside it."""
    index = query.index
    if len(query.flat) >= SHORTEST:
        for target in index.same_core(query.flat):
            theirs = _affix(target.text, query.flat)
            evidence = f"{letters(theirs)} of {{target}} is left out"
            yield Match(Technique.AFFIX, target, evidence, {"affix_dropped": 1.0})
    for core, affix in _beside(query):
        if len(core) >= SHORTEST and (targets := index.same_core(core)):
            yield from _exchanged(query, core, affix, targets)


def _beside(query: Query) -> Iterable[tuple[str, str]]:
    """What is left of the query without a word, and that word, each once."""
    found = {(core, affix): None for core, affix, _ in query.cores}
    # Any word may stand behind; those that say little are among the cores.
    if len(query.tokens) > 1 and query.tokens[-1] not in forms.AFFIXES:
        found["".join(query.tokens[:-1]), query.tokens[-1]] = None
    return found


def _exchanged(query: Query, core: str, affix: str, targets: Iterable[Target]) -> Iterator[Match]:
    for target in targets:
        theirs = _affix(target.text, core)
        if theirs != affix or target.flat != query.flat:
            how = "stands elsewhere" if theirs == affix else f"is exchanged for {letters(affix)}"
            evidence = f"{letters(theirs)} of {{target}} {how}"
            yield Match(Technique.AFFIX, target, evidence, {"affix_exchanged": 1.0, **_kind(affix)})


def _kind(affix: str) -> dict[str, float]:
    if affix in forms.LURES:
        return {"affix_lure": 1.0}
    return {} if affix in forms.LANGUAGE_MARKS else {"affix_other": 1.0}


def _affix(text: str, core: str) -> str:
    return next(affix for found, affix, _ in forms.cores(forms.tokens(text)) if found == core)
