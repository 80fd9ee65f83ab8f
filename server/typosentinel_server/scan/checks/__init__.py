"""One technique of confusion a file, all of one signature: a query in, matches out."""

from collections.abc import Callable, Iterator

from typosentinel_server.scan.checks import (
    affix,
    bitflip,
    combosquat,
    compound,
    delimiter,
    homoglyph,
    insertion,
    lettercase,
    omission,
    plural,
    repetition,
    scope,
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
# Those that probe for themselves.
PROBING: tuple[Check, ...] = (
    scope.check,
    wordorder.check,
    version.check,
    affix.check,
    combosquat.check,
)


def matches(query: Query) -> Iterator[Match]:
    """All that any technique finds, the most telling first; a check without a neighbour to explain is not asked."""
    yield from homoglyph.check(query)
    if query.same:
        for check in SAME_LETTERS:
            yield from check(query)
    if query.one:
        for check in ONE_SLIP:
            yield from check(query)
    if query.two:
        yield from compound.check(query)
    for check in PROBING:
        yield from check(query)
