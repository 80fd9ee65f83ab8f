"""What an invalidation is about."""

import pytest

from typosentinel_server.cache.invalidation import MAX_EACH, Invalidation, InvalidationLog
from typosentinel_server.cache.names import Glob, Kind, check, corpus_tag, evidence_name, hashed_name, verdict_name
from typosentinel_server.errors import InvalidRequest

NAME = "evidence/registry/PyPI/requests"


def log(*made: tuple[int, Kind, str]) -> InvalidationLog:
    """A log with some invalidations."""
    found = InvalidationLog()
    for number, kind, text in made:
        found.add(Invalidation(number, kind, text))
    return found


def test_only_what_was_made_before_is_invalidated() -> None:
    """What was made by somebody who knew of the invalidation is good."""
    for kind, text in [(Kind.KEY, NAME), (Kind.PATTERN, "evidence/*"), (Kind.TAG, "x"), (Kind.ALL, "")]:
        found = log((5, kind, text))
        assert found.covers(NAME, ("x",), 4)
        assert not found.covers(NAME, ("x",), 5)


def test_others_are_left_alone() -> None:
    """Another key, pattern or tag."""
    found = log((5, Kind.KEY, NAME + "x"), (6, Kind.PATTERN, "batch/*"), (7, Kind.TAG, "y"))

    assert not found.covers(NAME, ("x",), 0)
    assert found.covers("batch/1", (), 5)


def test_the_later_of_two_counts() -> None:
    """Whatever order they are heard in."""
    found = log((9, Kind.KEY, NAME), (5, Kind.KEY, NAME))
    assert found.covers(NAME, (), 8)
    assert (found.latest, found.floor) == (9, 0)


@pytest.mark.parametrize("kind", [Kind.KEY, Kind.PATTERN, Kind.TAG])
def test_the_log_is_bounded_and_forgets_on_the_safe_side(kind: Kind) -> None:
    """What it cannot remember one by one, it takes for everything before."""
    found = log(*((n, kind, f"k{n}") for n in range(1, 3 * MAX_EACH)))

    assert len(found._keys) + len(found._patterns) + len(found._tags) <= MAX_EACH
    assert found.covers("k1", ("k1",), 0)
    assert not found.covers("other", (), found.latest)


def test_a_raised_floor_ends_everything_before() -> None:
    """And never sinks."""
    found = log((3, Kind.KEY, NAME))
    found.raise_floor(10)
    found.raise_floor(4)
    found.add(Invalidation(6, Kind.ALL, ""))

    assert found.covers("anything", (), 9)
    assert not found.covers(NAME, (), 10)
    assert found.floor == 10


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("abc", ["abc"], ["abcd", "ab", ""]),
        ("*", ["", "a", "abc"], []),
        ("a*", ["a", "abc"], ["", "ba"]),
        ("*c", ["c", "abc"], ["", "ca"]),
        ("a*c", ["ac", "abc", "abcac"], ["a", "c", "acb"]),
        ("a*b*c", ["abc", "axbxc", "abbc"], ["acb", "ac"]),
        ("ab*ba", ["abba", "abxba"], ["aba"]),
        ("*/PyPI/*", [NAME], ["evidence/registry/npm/x"]),
        ("a?[b]", ["a?[b]"], ["axb"]),
    ],
)
def test_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    """A star is any text; nothing else means anything but itself."""
    glob = Glob(pattern)
    assert all(glob.matches(text) for text in matching)
    assert not any(glob.matches(text) for text in others)


def test_a_pattern_says_what_it_can_begin_with() -> None:
    """So that caches that it cannot be about need not be searched."""
    assert all(Glob(text).begins_like("verdict/") for text in ("*", "ver*", "verdict/PyPI/x", "verdict/*", "*x"))
    assert not any(Glob(text).begins_like("verdict/") for text in ("evidence/*", "ver", "x*"))


def test_hard_patterns_take_no_time() -> None:
    """The number of stars does not multiply the work."""
    glob = Glob("*a" * 120 + "*b")
    assert not any(glob.matches("a" * 511) for _ in range(100))


def test_names() -> None:
    """What things are called."""
    assert evidence_name("registry", "PyPI", "requests") == NAME
    assert verdict_name("npm", "lodash") == "verdict/npm/lodash"
    assert corpus_tag("PyPI", "1") == "corpus/PyPI/1"
    assert hashed_name("batch", b"x") == "batch/" + "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


@pytest.mark.parametrize(
    "package", ["requests", "@babel/core", "org.apache:commons", "r\u0435quests", "50%", "a b*", "x" * 600]
)
def test_every_package_has_a_name(package: str) -> None:
    """Of its own, whatever its letters are, and one that is taken."""
    found = evidence_name("registry", "PyPI", package)
    check(Kind.KEY, found)
    assert found.startswith("evidence/registry/PyPI/")
    assert found not in {evidence_name("registry", "PyPI", other) for other in ("requests%", "a", "50", package + "x")}


@pytest.mark.parametrize("text", ["", "a\nb", "a\x00", "ä", "x" * 513, " a", "a  b"])
def test_texts_that_are_no_names(text: str) -> None:
    """Refused, with what is allowed."""
    with pytest.raises(InvalidRequest) as error:
        check(Kind.KEY, text)
    assert "printable ASCII" in error.value.suggestion
