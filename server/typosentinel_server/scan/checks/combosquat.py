"""A word put beside a popular name: `colors-helper`, `python-kafka`. Bound: 3 probes a token, 18 glued marks."""

from collections.abc import Iterator
from math import log1p

from typosentinel_server.scan import forms
from typosentinel_server.scan.index import Target
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters

SHORTEST = 3
MOST = 8


def check(query: Query) -> Iterator[Match]:
    """Popular names that the query begins with, ends with or holds, word by word; and glued marks of a language."""
    found = 0
    for core, words, signs in _parts(query):
        if len(core) < SHORTEST:
            continue
        for target in query.index.same_letters(core):
            if found == MOST:
                return
            found += 1
            yield Match(
                Technique.COMBOSQUAT,
                target,
                f"{letters(words)} is put beside {{target}}",
                {**signs, "family": log1p(_family(query, target, signs))},
            )


def _parts(query: Query) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Flat parts of the query, the words beside each, and what kind of words they are."""
    parts = query.tokens
    for cut in range(len(parts) - 1, 0, -1):
        yield "".join(parts[:cut]), "-".join(parts[cut:]), _signs(parts[cut:], "combo_suffix")
        yield "".join(parts[cut:]), "-".join(parts[:cut]), _signs(parts[:cut], "combo_prefix")
    for at in range(1, len(parts) - 1):
        yield parts[at], "-".join(parts[:at] + parts[at + 1 :]), {"combo_infix": 1.0, "combo_words": len(parts) - 1.0}
    for core, affix, in_front in forms.cores(query.text):
        if "".join(parts) != core and (len(parts) == 1 or affix not in (parts[0], parts[-1])):
            kind = "combo_prefix" if in_front else "combo_suffix"
            yield core, affix, {kind: 1.0, "combo_glued": 1.0, "combo_words": 1.0}


def _signs(words: list[str], kind: str) -> dict[str, float]:
    signs = {kind: 1.0, "combo_words": float(len(words))}
    if len(words) == 1:
        if words[0] in forms.LANGUAGE_MARKS:
            signs["combo_mark"] = 1.0
        elif words[0] in forms.LURES:
            signs["combo_lure"] = 1.0
        elif words[0].isdigit():
            signs["combo_number"] = 1.0
    return signs


def _family(query: Query, target: Target, signs: dict[str, float]) -> int:
    if "combo_suffix" in signs:
        return query.index.front_family[target.number]
    return query.index.back_family[target.number]
