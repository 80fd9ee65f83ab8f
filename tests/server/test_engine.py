"""The engine: scores, order, bounds."""

import time
from contextlib import suppress

import pytest

from judging import builtin, engine_of, judged
from typosentinel_server.engines import Engines
from typosentinel_server.errors import EcosystemUnknown, NameRefused
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Verdict
from typosentinel_server.scan.scorecard import fitted

# Compiling all lists on board takes a while on a busy machine.
pytestmark = pytest.mark.timeout(20)


def test_score_is_the_logistic_of_its_contributions() -> None:
    """Whoever adds up the contributions arrives at the score."""
    finding = judged("reqeusts", "requests").findings[0]

    total = sum(c.weight for c in finding.contributions)
    assert finding.score == pytest.approx(1 / (1 + 2.718281828459045**-total), abs=1e-4)
    assert "two neighbouring letters are swapped" in {c.reason for c in finding.contributions}
    assert "the shorter name has 8 letters and digits" in {c.reason for c in finding.contributions}


def test_more_popular_target_comes_first() -> None:
    """Of two targets equally near, the more popular is the likelier victim."""
    assert judged("reqwests", "requests", "reqvests").targets == ("requests", "reqvests")


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
    engine = engine_of("requests", "urllib3")
    first = engine.scan(Package(Ecosystem.PYPI, "reqeusts"))
    engine.scan(Package(Ecosystem.PYPI, "urlib3"))

    assert engine.scan(Package(Ecosystem.PYPI, "reqeusts")) == first


@pytest.mark.parametrize("step", range(101))
def test_a_name_alone_is_never_malicious(step: int) -> None:
    """Verdicts grow with the score, and the last one takes more than a name."""
    card = fitted()
    score = step / 100
    wanted = "suspicious" if score >= card.suspicious_from else "advisory" if score >= card.advisory_from else "clean"

    assert card.verdict_of(score) == wanted
    assert 0.02 < card.advisory_from < card.suspicious_from <= 0.5


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
def test_well_known_slips_are_caught_with_the_built_in_lists(ecosystem: Ecosystem, name: str, target: str) -> None:
    """The lists on board are enough for the slips that everybody knows."""
    result = builtin().engine(ecosystem).scan(Package(ecosystem, name))

    assert (result.verdict, result.targets[0]) == (Verdict.SUSPICIOUS, target)


@pytest.mark.parametrize(
    ("ecosystem", "names"),
    [
        (Ecosystem.NPM, ("react", "preact", "next", "nuxt", "redis", "redux", "clsx", "tsx", "tsup", "asap")),
        (Ecosystem.PYPI, ("pip", "six", "flask", "requests", "urllib3", "numpy", "torch", "ruff")),
    ],
)
def test_popular_names_are_clean_with_the_built_in_lists(ecosystem: Ecosystem, names: tuple[str, ...]) -> None:
    """Neighbours among the popular, which other tools report as squats of each other."""
    for name in names:
        assert builtin().engine(ecosystem).scan(Package(ecosystem, name)).verdict is Verdict.CLEAN


NASTY = [
    "", " ", "\x00", "a\x00b", "a" * 10_000, "\u202eabc", "a\u200bb", "\ud800", "a\udfffb", "-", "--", "../etc",
    "a b", "\n", "\U0001f600", "a" * 300, "\u0301" * 200, "@", "@/", "@a/", "é", "Ⅷ", "a\u0345", "ﬁle", "%s%n", "{}",
]  # fmt: skip


@pytest.mark.parametrize("ecosystem", list(Ecosystem))
def test_any_text_is_judged_or_refused_in_bounded_time(ecosystem: Ecosystem) -> None:
    """No text breaks the engine, however strange or long."""
    popular = "org.slf4j:slf4j-api" if ecosystem is Ecosystem.MAVEN else "requests"
    engine = engine_of(popular, ecosystem=ecosystem)
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


def test_longest_names_stay_cheap() -> None:
    """A name of the greatest length costs milliseconds at most, whatever its letters."""
    started = time.monotonic()
    for letter in ("a", "-", "l", "rn"):
        builtin().engine(Ecosystem.NPM).scan(Package(Ecosystem.NPM, (letter * 214)[:214]))

    assert time.monotonic() - started < 1


def test_many_are_answered_in_their_order() -> None:
    """Whatever the order in which they are judged; what cannot be judged has its reason in its place."""
    asked = [("npm", "lodahs"), ("PyPI", "reqeusts"), ("NuGet", "a"), ("npm", "a b"), ("PyPI", "requests"), ("npm", "")]
    packages = [Package(Ecosystem(ecosystem), name) for ecosystem, name in asked]
    served = builtin()
    few = Engines({e: served.engine(e) for e in (Ecosystem.NPM, Ecosystem.PYPI)})
    found = few.scan_many(packages)

    assert [type(one) for one in found] == [
        ScanResult,
        ScanResult,
        EcosystemUnknown,
        NameRefused,
        ScanResult,
        NameRefused,
    ]
    judged_alone = {place: builtin().scan(packages[place]) for place in (0, 1, 4)}
    assert {place: found[place] for place in judged_alone} == judged_alone
    assert builtin().scan_many([]) == []
