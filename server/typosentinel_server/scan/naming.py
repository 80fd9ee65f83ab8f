"""What each registry takes for a name, and which spellings it takes for the same name."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from typosentinel_server.errors import NameRefused, shown
from typosentinel_server.scan.model import Ecosystem


@dataclass(slots=True, unsafe_hash=True)
class Name:
    """A name that passed its registry's rules.

    Attributes:
        raw: as given.
        identity: equal for two spellings exactly when the registry holds them to be one package.
        text: the lower-case identity, on which all comparing is done.
    """

    raw: str
    identity: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One registry's rule for names.

    Attributes:
        max_length: in characters. Where a registry states none, 255 bounds the work.
        pattern: what the ASCII form of a name must match in full.
        says: the pattern in words, ready to follow "names are".
        identity: the registry's own normalisation.
    """

    max_length: int
    pattern: re.Pattern[str]
    says: str
    identity: Callable[[str], str]


def _pep503(name: str) -> str:
    if "_" not in name and "." not in name and "--" not in name:
        return name.lower()
    return re.sub(r"[-_.]+", "-", name).lower()


def _crate(name: str) -> str:
    return name.lower().replace("_", "-")


def _go_module(name: str) -> str:
    # Major versions of a module are one project: /v2 is not a look-alike of /v3.
    return re.sub(r"/v\d+$", "", name)


def _as_is(name: str) -> str:
    return name


RULES = {
    Ecosystem.PYPI: Rule(
        255,
        re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE),
        "letters, digits, '.', '_' and '-', with a letter or digit at both ends",
        _pep503,
    ),
    Ecosystem.NPM: Rule(
        214,
        re.compile(r"(@[A-Z0-9_.~-]+/)?[A-Z0-9_.~!'()*-]+", re.IGNORECASE),
        "letters, digits, '.', '_', '~' and '-', with an optional @scope/ in front",
        _as_is,
    ),
    Ecosystem.CRATES: Rule(
        64,
        re.compile(r"[A-Z][A-Z0-9_-]*", re.IGNORECASE),
        "letters, digits, '_' and '-', with a letter in front",
        _crate,
    ),
    Ecosystem.RUBYGEMS: Rule(
        255,
        re.compile(r"(?=.*[A-Z])[A-Z0-9._-]+", re.IGNORECASE),
        "letters, digits, '.', '_' and '-', with at least one letter",
        _as_is,
    ),
    Ecosystem.NUGET: Rule(
        100,
        re.compile(r"[A-Z0-9_]+([.-][A-Z0-9_]+)*", re.IGNORECASE),
        "letters, digits and '_', in parts joined by single '.' or '-'",
        str.lower,
    ),
    Ecosystem.GO: Rule(
        255,
        re.compile(r"[A-Z0-9._~-]+(/[A-Z0-9._~-]+)*", re.IGNORECASE),
        "path elements of letters, digits, '.', '_', '~' and '-', joined by single '/'",
        _go_module,
    ),
    Ecosystem.MAVEN: Rule(
        255,
        re.compile(r"[A-Z0-9._-]+:[A-Z0-9._-]+", re.IGNORECASE),
        "groupId:artifactId of letters, digits, '.', '_' and '-'",
        _as_is,
    ),
}


def parse_name(ecosystem: Ecosystem, raw: str) -> Name:
    """The name behind a text, normalised by its registry's own rules.

    Letters beyond ASCII pass here, because look-alike letters are an attack worth naming; the engine
    refuses those that turn out to look like nothing. The work is linear in the registry's maximum length.

    Raises:
        NameRefused: the registry could hold no package of that name.
    """
    rule = RULES[ecosystem]
    if not raw:
        raise NameRefused("NAME_EMPTY", "the name is empty", f"Give the name of a package in {ecosystem}.")
    if len(raw) > rule.max_length:
        raise NameRefused(
            "NAME_TOO_LONG",
            f"the name has {len(raw)} characters, {ecosystem} names have at most {rule.max_length}",
            "Check that a single package name was sent.",
        )
    plain = raw.isascii()
    # No pattern has room for anything that cannot be printed, or for a space.
    if not (plain and rule.pattern.fullmatch(raw)):
        for character in raw:
            _refuse_unprintable(character)
        if plain or not rule.pattern.fullmatch(_ascii_stand_in(raw)):
            raise refusal(ecosystem, raw)
    identity = rule.identity(raw)
    # Lower case takes some foreign letters to ASCII ones (the Kelvin sign to k); the identity must not.
    return Name(raw, identity if plain else raw, identity.lower())


def comparable(ecosystem: Ecosystem, raw: str) -> str:
    """The lower-case identity of a name that is known to be one, on which all comparing is done."""
    return RULES[ecosystem].identity(raw).lower()


def identity_of(ecosystem: Ecosystem, raw: str) -> str:
    """The identity of a name that is known to be one."""
    return RULES[ecosystem].identity(raw)


def refusal(ecosystem: Ecosystem, raw: str) -> NameRefused:
    """The refusal of a name for the characters that it is made of."""
    return NameRefused(
        "NAME_INVALID",
        f"{shown(raw)} cannot be a package in {ecosystem}",
        f"{ecosystem} names are {RULES[ecosystem].says}.",
    )


def _refuse_unprintable(character: str) -> None:
    # Control, format (bidi, zero width), surrogate, private, unassigned; and every kind of space.
    if unicodedata.category(character)[0] in "CZ":
        raise NameRefused(
            "NAME_HAS_INVISIBLE_CHARACTER",
            f"the name holds the character U+{ord(character):04X}, which no registry allows",
            "Remove spaces, control, direction and zero-width characters; look where they came from.",
        )


def _ascii_stand_in(raw: str) -> str:
    return "".join("a" if not c.isascii() and unicodedata.category(c)[0] in "LMN" else c for c in raw)
