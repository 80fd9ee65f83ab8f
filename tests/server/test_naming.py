"""What registries take for a name."""

import pytest

from typosentinel_server.errors import EcosystemUnknown, NameRefused
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem
from typosentinel_server.scan.naming import parse_name

E = Ecosystem


@pytest.mark.parametrize(
    ("ecosystem", "raw", "identity"),
    [
        (E.PYPI, "Zope.Interface__x", "zope-interface-x"),
        (E.NPM, "@Babel/Core", "@Babel/Core"),
        (E.CRATES, "Serde_JSON", "serde-json"),
        (E.RUBYGEMS, "RedCloth", "RedCloth"),
        (E.NUGET, "Newtonsoft.Json", "newtonsoft.json"),
        (E.GO, "github.com/foo/Bar/v12", "github.com/foo/Bar"),
        (E.MAVEN, "org.slf4j:slf4j-api", "org.slf4j:slf4j-api"),
    ],
)
def test_identity_follows_the_registry(ecosystem: Ecosystem, raw: str, identity: str) -> None:
    """Names are one exactly where their registry says so."""
    assert parse_name(ecosystem, raw).identity == identity


@pytest.mark.parametrize(
    ("ecosystem", "raw", "code"),
    [
        (E.PYPI, "", "NAME_EMPTY"),
        (E.PYPI, "a" * 256, "NAME_TOO_LONG"),
        (E.NPM, "a" * 215, "NAME_TOO_LONG"),
        (E.CRATES, "a" * 65, "NAME_TOO_LONG"),
        (E.NUGET, "a" * 101, "NAME_TOO_LONG"),
        (E.PYPI, "-a", "NAME_INVALID"),
        (E.PYPI, "a/b", "NAME_INVALID"),
        (E.NPM, "@a", "NAME_INVALID"),
        (E.NPM, "a/b", "NAME_INVALID"),
        (E.CRATES, "1a", "NAME_INVALID"),
        (E.RUBYGEMS, "1.2", "NAME_INVALID"),
        (E.NUGET, "a..b", "NAME_INVALID"),
        (E.GO, "a//b", "NAME_INVALID"),
        (E.MAVEN, "commons-io", "NAME_INVALID"),
        (E.PYPI, "a b", "NAME_HAS_INVISIBLE_CHARACTER"),
        (E.PYPI, "a\u202eb", "NAME_HAS_INVISIBLE_CHARACTER"),
        (E.PYPI, "a\x00", "NAME_HAS_INVISIBLE_CHARACTER"),
        (E.PYPI, "a\ud800", "NAME_HAS_INVISIBLE_CHARACTER"),
    ],
)
def test_impossible_names_are_refused_with_a_reason(ecosystem: Ecosystem, raw: str, code: str) -> None:
    """A refusal says what is wrong and what names look like."""
    with pytest.raises(NameRefused) as refused:
        parse_name(ecosystem, raw)

    assert refused.value.code == code
    assert refused.value.suggestion


def test_trailing_line_feed_is_no_part_of_a_name() -> None:
    """The pattern must match to the very end."""
    with pytest.raises(NameRefused):
        parse_name(E.PYPI, "requests\n")


@pytest.mark.parametrize(
    ("text", "ecosystem"),
    [("PyPI", E.PYPI), ("pypi", E.PYPI), ("NPM", E.NPM), ("crates", E.CRATES), ("crates.io", E.CRATES), (" go ", E.GO)],
)
def test_ecosystems_are_known_by_osv_name_and_alias(text: str, ecosystem: Ecosystem) -> None:
    """OSV's spelling, in any letter case, and the usual short forms."""
    assert parse_ecosystem(text) is ecosystem


def test_unknown_ecosystem_suggests_the_closest() -> None:
    """A slip in the ecosystem is answered with the right one."""
    with pytest.raises(EcosystemUnknown) as unknown:
        parse_ecosystem("pypy")

    assert unknown.value.suggestion.lower().startswith("did you mean pypi?")
