"""From a name to an address: no name can change where a request goes."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from typosentinel_server.errors import DomainError
from typosentinel_server.providers.gleaned import Failure, State
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import RULES, parse_name

# Where the registry's own spelling is one of many, all of which it takes for the same.
NORMALISED: Final = frozenset({Ecosystem.PYPI, Ecosystem.NUGET, Ecosystem.GO})
NO_SUCH_NAME: Final = "no registry holds such a name"
# Where a name has parts that stand as parts of the path.
SLASHED: Final = frozenset({Ecosystem.GO})


@dataclass(frozen=True, slots=True)
class Subject:
    """A package to ask about.

    Attributes:
        ecosystem: its registry.
        name: in the spelling to ask with; passed the registry's rules, all ASCII.
        identity: the same as the registry compares it.
    """

    ecosystem: Ecosystem
    name: str
    identity: str


def subject(ecosystem: Ecosystem, raw: str) -> Subject:
    """A package to ask about.

    Raises:
        Failure: no registry holds such a name, or it could be taken for a way up.
    """
    try:
        parsed = parse_name(ecosystem, raw)
    except DomainError as error:
        raise Failure(State.REFUSED, NO_SUCH_NAME) from error
    name = parsed.identity if ecosystem in NORMALISED else raw
    if not name.isascii() or any(not part.strip("@.") for part in re.split("[/:]", name)):
        raise Failure(State.REFUSED, NO_SUCH_NAME)
    return Subject(ecosystem, name, parsed.identity)


def address(template: str, asked: Subject) -> str:
    """The address of a package: every part of the name is one part of the path, escaped."""
    group, _, artifact = asked.name.partition(":")
    return (
        template.replace("{name}", _escaped(asked))
        .replace("{group}", quote(group, safe=""))
        .replace("{artifact}", quote(artifact, safe=""))
    )


def same(asked: Subject, name: str) -> bool:
    """Whether an answer's name is the one that was asked about, as the registry compares them."""
    return RULES[asked.ecosystem].identity(name).lower() == asked.identity.lower()


def _escaped(asked: Subject) -> str:
    if asked.ecosystem in SLASHED:
        # Go's proxies tell letters apart on file systems that do not: an exclamation mark and the small letter.
        plain = re.sub("[A-Z]", lambda found: f"!{found[0].lower()}", asked.name)
        return "/".join(quote(part, safe="!") for part in plain.split("/"))
    return quote(asked.name, safe="@" if asked.ecosystem is Ecosystem.NPM else "")
