"""Names and namespaces as lists write them: `acme-auth`, `@acme/*`, `com.acme:*`, `acme-*`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from typosentinel_server.errors import NameRefused, shown
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import parse_name

SEPARATORS = frozenset("/:-._")
SHORTEST_PREFIX = 3
# A namespace becomes a name that its registry knows how to normalise by adding one of these.
ENDINGS = ("x", "x:x")

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One package, or all that begin alike.

    Attributes:
        ecosystem: where.
        text: as it was written.
        key: the identity, or the part of it that all have in common.
        whole: whether it is one package.
    """

    ecosystem: Ecosystem
    text: str
    key: str
    whole: bool


def parse_pattern(ecosystem: Ecosystem, text: str) -> Pattern:
    """The pattern behind a text.

    Raises:
        NameRefused: it is no name of that registry, nor the beginning of one up to a separator and a star.
    """
    if not text.isascii():
        raise NameRefused(
            "NAME_INVALID",
            f"{shown(text)} has letters that no registry allows",
            "Write the name in ASCII; look where these letters came from.",
        )
    if not text.endswith("*"):
        return Pattern(ecosystem, text, parse_name(ecosystem, text).identity, whole=True)
    prefix = text[:-1]
    if len(prefix) < SHORTEST_PREFIX or prefix[-1] not in SEPARATORS or "*" in prefix:
        raise _no_pattern(text)
    for ending in ENDINGS:
        try:
            key = parse_name(ecosystem, prefix + ending).identity.removesuffix(ending)
        except NameRefused:
            continue
        return Pattern(ecosystem, text, key, whole=False)
    raise _no_pattern(text)


def same_package(ecosystem: Ecosystem, one: str, other: str) -> bool:
    """Whether a registry holds two texts to be one package; texts that are no names are so where they are equal."""
    try:
        return parse_name(ecosystem, one).identity == parse_name(ecosystem, other).identity
    except NameRefused:
        return one == other


class Matcher(Generic[V]):
    """Values filed under patterns.

    Args:
        pairs: patterns with their values; several may share a pattern.
    """

    def __init__(self, pairs: Iterable[tuple[Pattern, V]]) -> None:
        self._whole: dict[tuple[Ecosystem, str], list[V]] = {}
        self._prefixes: dict[tuple[Ecosystem, str], list[V]] = {}
        self._count = 0
        for pattern, value in pairs:
            self._count += 1
            filed = self._whole if pattern.whole else self._prefixes
            filed.setdefault((pattern.ecosystem, pattern.key), []).append(value)

    def __len__(self) -> int:
        return self._count

    def get(self, ecosystem: Ecosystem, identity: str) -> list[V]:
        """The values that apply to a package: its own first, then the narrowest namespace's. A probe a separator."""
        found = list(self._whole.get((ecosystem, identity), ()))
        if self._prefixes:
            for end in range(len(identity) - 1, 0, -1):
                if identity[end - 1] in SEPARATORS:
                    found += self._prefixes.get((ecosystem, identity[:end]), ())
        return found


def _no_pattern(text: str) -> NameRefused:
    return NameRefused(
        "PATTERN_INVALID",
        f"{shown(text)} is neither a name nor a namespace",
        "A namespace is the beginning of names up to a separator, then one star: @acme/*, com.acme:*, acme-*.",
    )
