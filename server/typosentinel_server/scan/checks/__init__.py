"""One technique of confusion a file, all of one signature: a query in, matches out."""

from collections.abc import Callable, Iterator

from typosentinel_server.scan.checks import (
    bitflip,
    delimiter,
    homoglyph,
    insertion,
    lettercase,
    omission,
    repetition,
    substitution,
    transposition,
)
from typosentinel_server.scan.query import Match, Query

Check = Callable[[Query], Iterator[Match]]

CHECKS: tuple[Check, ...] = (
    transposition.check,
    omission.check,
    insertion.check,
    repetition.check,
    substitution.check,
    delimiter.check,
    bitflip.check,
    homoglyph.check,
    lettercase.check,
)
