"""Names that somebody decided to leave out of a list, one a line: `name`, or ecosystem, tab and name."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from typosentinel_server.bundles.errors import DAMAGED, refused
from typosentinel_server.bundles.rows import identity_of
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem

COMMENT: Final = "#"


class Unwanted(NamedTuple):
    """One name to leave out.

    Attributes:
        name: as it is written.
        ecosystem: the only list that it is left out of; None for all of them.
    """

    name: str
    ecosystem: Ecosystem | None


def parse(content: bytes, where: str) -> tuple[Unwanted, ...]:
    """The names in a file. Raises CorpusUnreadable where it is not UTF-8, EcosystemUnknown for one there is not."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(DAMAGED, where, "it is not UTF-8", "Save it as UTF-8.") from error
    lines = (line.strip() for line in text.splitlines())
    return tuple(_one(line) for line in lines if line and not line.startswith(COMMENT))


def identities(unwanted: Iterable[Unwanted], ecosystem: Ecosystem) -> dict[str, Unwanted]:
    """Those that concern one list, by the form under which its registry knows them."""
    found = {}
    for one in unwanted:
        identity = identity_of(ecosystem, one.name) if one.ecosystem in (None, ecosystem) else None
        if identity is not None:
            found[identity] = one
    return found


def _one(line: str) -> Unwanted:
    first, tab, second = line.partition("\t")
    return Unwanted(second.strip(), parse_ecosystem(first.strip())) if tab else Unwanted(first, None)
