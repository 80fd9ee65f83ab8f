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
    if len(query.flat) >= SHORTEST:
        for target in query.index.same_core(query.flat):
            theirs = _affix(target.text, query.flat)
            evidence = f"{letters(theirs)} of {{target}} is left out"
            yield Match(Technique.AFFIX, target, evidence, {"affix_dropped": 1.0})
    for core, affix, _ in forms.cores(query.text):
        if len(core) < SHORTEST:
            continue
        for target in query.index.same_core(core):
            theirs = _affix(target.text, core)
            if theirs != affix or target.flat != query.flat:
                evidence = f"{letters(theirs)} of {{target}} is exchanged for {letters(affix)}"
                lure = {"affix_lure": 1.0} if affix in forms.LURES else {}
                yield Match(Technique.AFFIX, target, evidence, {"affix_exchanged": 1.0, **lure})


def _affix(text: str, core: str) -> str:
    return next(affix for found, affix, _ in forms.cores(text) if found == core)
