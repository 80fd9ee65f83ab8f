"""The engine: scores, order, bounds."""

import time
from contextlib import suppress

import pytest

from judging import corpus_of, judged
from typosentinel_server.errors import NameRefused
from typosentinel_server.scan.corpus import read_builtin
from typosentinel_server.scan.engine import Engine, verdict_of
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Package, Verdict


@pytest.fixture(scope="module")
def builtin() -> dict[Ecosystem, Engine]:
    """Engines over the lists that the package carries."""
    return {e: Engine(Index(read_builtin(e))) for e in (Ecosystem.PYPI, Ecosystem.NPM)}


def test_score_is_the_logistic_of_its_contributions() -> None:
    """Whoever adds up the contributions arrives at the score."""
    finding = judged("reqeusts", "requests").findings[0]

    total = sum(c.weight for c in finding.contributions)
    assert finding.score == pytest.approx(1 / (1 + 2.718281828459045**-total), abs=1e-4)
    assert {c.reason for c in finding.contributions} == {
        "two neighbouring letters are swapped",
        "the shorter name has 8 characters",
        "the target has rank 1",
    }


def test_more_popular_target_comes_first() -> None:
    """Of two targets equally near, the more popular is the likelier victim."""
    assert judged("requestm", "requestw", "requestb").targets == ("requestw", "requestb")


def test_popularity_of_the_target_raises_the_score() -> None:
    """The same slip weighs more next to a more popular name."""
    filler = tuple(f"filler-number-{n}" for n in range(200))

    assert judged("reqeusts", "requests", *filler).score > judged("reqeusts", *filler, "requests").score


def test_listed_name_never_alerts() -> None:
    """Two popular names may be as near to each other as they like."""
    for name in ("preact-router", "preact-routes"):
        assert judged(name, "preact-router", "preact-routes").verdict is Verdict.CLEAN


def test_judgement_does_not_depend_on_the_order_of_asking() -> None:
    """An engine keeps nothing of what it was asked before."""
    engine = Engine(Index(corpus_of("requests", "urllib3")))
    first = engine.scan(Package(Ecosystem.PYPI, "reqeusts"))
    engine.scan(Package(Ecosystem.PYPI, "urlib3"))

    assert engine.scan(Package(Ecosystem.PYPI, "reqeusts")) == first


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (0.0, "clean"),
        (0.399, "clean"),
        (0.4, "advisory"),
        (0.599, "advisory"),
        (0.6, "suspicious"),
        (1.0, "suspicious"),
    ],
)
def test_a_name_alone_is_never_malicious(score: float, verdict: str) -> None:
    """Thresholds, and the certainty that takes more than a name."""
    assert verdict_of(score) == verdict


@pytest.mark.parametrize(
    ("ecosystem", "name", "target"),
    [
        (Ecosystem.PYPI, "reqeusts", "requests"),
        (Ecosystem.PYPI, "urlib3", "urllib3"),
        (Ecosystem.PYPI, "pythondateutil", "python-dateutil"),
        (Ecosystem.PYPI, "djnago", "django"),
        (Ecosystem.NPM, "crossenv", "cross-env"),
        (Ecosystem.NPM, "lodahs", "lodash"),
        (Ecosystem.NPM, "expresss", "express"),
    ],
)
def test_well_known_slips_are_caught_with_the_built_in_lists(
    builtin: dict[Ecosystem, Engine], ecosystem: Ecosystem, name: str, target: str
) -> None:
    """The lists on board are enough for the slips that everybody knows."""
    result = builtin[ecosystem].scan(Package(ecosystem, name))

    assert (result.verdict, result.targets[0]) == (Verdict.SUSPICIOUS, target)


@pytest.mark.parametrize(
    ("ecosystem", "names"),
    [
        (Ecosystem.NPM, ("react", "preact", "next", "nuxt", "redis", "redux", "clsx", "tsx", "tsup", "asap")),
        (Ecosystem.PYPI, ("pip", "six", "flask", "requests", "urllib3", "numpy", "torch", "ruff")),
    ],
)
def test_popular_names_are_clean_with_the_built_in_lists(
    builtin: dict[Ecosystem, Engine], ecosystem: Ecosystem, names: tuple[str, ...]
) -> None:
    """Neighbours among the popular, which other tools report as squats of each other."""
    for name in names:
        assert builtin[ecosystem].scan(Package(ecosystem, name)).verdict is Verdict.CLEAN


NASTY = [
    "", " ", "\x00", "a\x00b", "a" * 10_000, "\u202eabc", "a\u200bb", "\ud800", "a\udfffb", "-", "--", "../etc",
    "a b", "\n", "\U0001f600", "a" * 300, "\u0301" * 200, "@", "@/", "@a/", "é", "Ⅷ", "a\u0345", "ﬁle", "%s%n", "{}",
]  # fmt: skip


@pytest.mark.parametrize("ecosystem", list(Ecosystem))
def test_any_text_is_judged_or_refused_in_bounded_time(ecosystem: Ecosystem) -> None:
    """No text breaks the engine, however strange or long."""
    popular = "org.slf4j:slf4j-api" if ecosystem is Ecosystem.MAVEN else "requests"
    engine = Engine(Index(corpus_of(popular, ecosystem=ecosystem)))
    started = time.monotonic()
    for name in NASTY:
        with suppress(NameRefused):
            engine.scan(Package(ecosystem, name))

    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", ["\ud800", "a" * 10_000, "\x1b[31m", "\u202eabc", "\u0436"])
def test_refusals_repeat_nothing_dangerous(name: str) -> None:
    """What a stranger wrote comes back short and in ASCII."""
    with pytest.raises(NameRefused) as refused:
        judged(name, "requests")

    assert refused.value.message.isascii()
    assert len(refused.value.message) < 200


def test_foreign_letters_that_look_like_nothing_are_refused() -> None:
    """Letters beyond ASCII are let in for look-alikes only: no registry holds them."""
    with pytest.raises(NameRefused, match="cannot be a package in PyPI"):
        judged("\u0436\u0436\u0436", "requests")


def test_longest_names_stay_cheap(builtin: dict[Ecosystem, Engine]) -> None:
    """A name of the greatest length costs milliseconds at most, whatever its letters."""
    started = time.monotonic()
    for letter in ("a", "-", "l", "rn"):
        builtin[Ecosystem.NPM].scan(Package(Ecosystem.NPM, (letter * 214)[:214]))

    assert time.monotonic() - started < 1
