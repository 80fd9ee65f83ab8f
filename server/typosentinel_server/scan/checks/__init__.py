"""One technique of confusion a file, all of one signature: a query in, matches out."""

from collections.abc import Callable, Iterator

from typosentinel_server.scan import forms
from typosentinel_server.scan.checks import (
    affix,
    bitflip,
    combosquat,
    compound,
    crossecosystem,
    delimiter,
    homoglyph,
    insertion,
    lettercase,
    misspelt,
    omission,
    plural,
    repetition,
    scope,
    semantic,
    substitution,
    transposition,
    version,
    wordorder,
)
from typosentinel_server.scan.query import Match, Query

Check = Callable[[Query], Iterator[Match]]

# Those that explain a neighbour one slip away.
ONE_SLIP: tuple[Check, ...] = (
    transposition.check,
    omission.check,
    insertion.check,
    repetition.check,
    substitution.check,
    plural.check,
    bitflip.check,
)
# Those that look at names of the same letters.
SAME_LETTERS: tuple[Check, ...] = (delimiter.check, lettercase.check)


def matches(query: Query) -> list[Match]:
    """All that any technique finds, the most telling first; one that can find nothing is not asked."""
    found = list(homoglyph.check(query))
    if query.same:
        for check in SAME_LETTERS:
            found += check(query)
    if query.one:
        for check in ONE_SLIP:
            found += check(query)
    if query.two:
        found += compound.check(query)
    if query.ecosystem in forms.OWNING:
        found += scope.check(query)
    found += _of_words(query)
    if query.namesake is not None:
        found += crossecosystem.check(query)
    return found


def _of_words(query: Query) -> list[Match]:
    found: list[Match] = []
    if len(query.tokens) > 1:
        found += wordorder.check(query)
        found += semantic.check(query)
    if query.flat[-1:].isdigit():
        found += version.check(query)
    found += affix.check(query)
    found += combosquat.check(query)
    if query.cores:
        found += misspelt.check(query)
    return found
