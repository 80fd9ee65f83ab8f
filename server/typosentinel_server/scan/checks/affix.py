"""A word beside a name dropped or exchanged: `discord-fix` for `discord.js`. Bound: 20 probes.

Only words that say little count: marks of a language or a registry, and lures.
"""

from collections.abc import Iterator

from typosentinel_server.scan import forms
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
    if query.cores:
        for core, affix in dict.fromkeys((core, affix) for core, affix, _ in query.cores):
            if len(core) >= SHORTEST:
                yield from _exchanged(query, core, affix)
    # Any word may stand behind; those that say little have just been looked at.
    if len(query.tokens) > 1 and query.tokens[-1] not in forms.AFFIXES:
        core = "".join(query.tokens[:-1])
        if len(core) >= SHORTEST:
            yield from _exchanged(query, core, query.tokens[-1])


def _exchanged(query: Query, core: str, affix: str) -> Iterator[Match]:
    for target in query.index.same_core(core):
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
