"""A word put beside a popular name: `colors-helper`, `python-kafka`. Bound: 3 probes a token, 18 glued marks."""

from collections.abc import Iterator
from math import log1p

from typosentinel_server.scan import forms
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters

SHORTEST = 3
MOST = 8
FAMILY = 10
PREFIX, SUFFIX, INFIX = "combo_prefix", "combo_suffix", "combo_infix"


def check(query: Query) -> Iterator[Match]:
    """Popular names that the query begins with, ends with or holds, word by word; and glued marks of a language.

    A name around which many popular ones are built is left alone, unless the word beside it says nothing itself.
    """
    found = 0
    index = query.index
    for number, words, place, glued in _popular(query):
        if len(index.flats[number]) < SHORTEST:
            continue
        family = (index.front_family if place is SUFFIX else index.back_family)[number]
        if family >= FAMILY and not (len(words) == 1 and words[0] in forms.AFFIXES):
            continue
        evidence = f"{letters('-'.join(words))} is put beside {{target}}"
        yield Match(Technique.COMBOSQUAT, index.target(number), evidence, _signs(words, place, family, glued=glued))
        found += 1
        if found == MOST:
            return


def _popular(query: Query) -> Iterator[tuple[int, list[str], str, bool]]:
    """Numbers of popular names that parts of the query are, the words beside each, where, and whether glued."""
    parts, lettered = query.tokens, query.index.lettered
    for cut in range(len(parts) - 1, 0, -1):
        if (number := lettered("".join(parts[:cut]))) is not None:
            yield number, parts[cut:], SUFFIX, False
        if (number := lettered("".join(parts[cut:]))) is not None:
            yield number, parts[:cut], PREFIX, False
    for at in range(1, len(parts) - 1):
        if (number := lettered(parts[at])) is not None:
            yield number, parts[:at] + parts[at + 1 :], INFIX, False
    for core, affix, in_front in query.cores:
        number = lettered(core) if len(parts) == 1 or affix not in (parts[0], parts[-1]) else None
        if number is not None:
            yield number, [affix], PREFIX if in_front else SUFFIX, True


def _signs(words: list[str], place: str, family: int, *, glued: bool) -> dict[str, float]:
    signs = {place: 1.0, "combo_words": float(len(words)), "family": log1p(family)}
    if glued:
        signs["combo_glued"] = 1.0
    elif len(words) == 1:
        if words[0] in forms.LANGUAGE_MARKS:
            signs["combo_mark"] = 1.0
        elif words[0] in forms.LURES:
            signs["combo_lure"] = 1.0
        elif words[0].isdigit():
            signs["combo_number"] = 1.0
    return signs
