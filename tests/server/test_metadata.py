"""Metadata that comes with a question: what it clears, what it sharpens, and how odd values are refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest

from judging import TODAY, concluded, engine_of, judged
from running import Start, ask
from typosentinel_server.scan.conclusion import Knowledge, conclude
from typosentinel_server.scan.context.evidence import found
from typosentinel_server.scan.context.metadata import Facts, Metadata, repository_owner, weigh
from typosentinel_server.scan.model import Contribution, Ecosystem, ScanResult, Technique, Verdict
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.scan.scorecard import fitted

DAYS = (0, 1, 6, 7, 29, 30, 89, 90, 364, 365, 1094, 1095, 2189, 2190, 5000)
DOWNLOADS = (0, 1, 99, 100, 999, 1_000, 9_999, 10_000, 99_999, 100_000, 999_999, 1_000_000, 10**12)
OLD = TODAY - timedelta(days=3000)
REPOSITORY = "https://github.com/mailgun/mailgun.js"
TARGETS = (
    Facts(),
    Facts(first_release=OLD, downloads=500_000),
    Facts(first_release=TODAY - timedelta(days=200), downloads=20, repository="git@github.com:Mailgun/mailgun-js.git"),
)


def squat(facts: Facts, target: Facts | None = None, target_name: str = "requests", odds: float = 5.0) -> ScanResult:
    """The answer about a slip with these facts, whose letters alone amount to these log-odds."""
    likeness = found(Technique.TRANSPOSITION, "requests", "they are alike", Contribution("alike", odds))
    alone = replace(
        judged("reqeusts", "something-else"),
        score=likeness.score,
        verdict=fitted().verdict_of(likeness.score),
        findings=(likeness,),
    )
    metadata = Metadata(facts, target or Facts(), target_name if target else None)
    engine = engine_of("something-else")
    return conclude(alone, parse_name(Ecosystem.PYPI, "reqeusts"), Knowledge(), metadata, TODAY, engine)


def weight(facts: Facts, target: Facts) -> float:
    """The sum that the facts add to a finding."""
    return sum(c.weight for c in weigh(facts, target, TODAY))


@pytest.mark.parametrize("target", TARGETS)
def test_an_earlier_release_never_adds(target: Facts) -> None:
    """Whatever else is known."""
    for downloads in (None, *DOWNLOADS):
        facts = Facts(downloads=downloads, repository=REPOSITORY)
        weights = [weight(replace(facts, first_release=TODAY - timedelta(days=n)), target) for n in DAYS]
        assert all(older <= younger for younger, older in pairwise(weights))


@pytest.mark.parametrize("target", TARGETS)
def test_more_downloads_never_add(target: Facts) -> None:
    """Whatever else is known."""
    for first in (None, *(TODAY - timedelta(days=n) for n in DAYS)):
        facts = Facts(first_release=first, repository=REPOSITORY)
        weights = [weight(replace(facts, downloads=n), target) for n in DOWNLOADS]
        assert all(more <= fewer for fewer, more in pairwise(weights))


@pytest.mark.parametrize("target", TARGETS)
def test_shared_owners_never_add(target: Facts) -> None:
    """They speak for a name, whatever its age and use."""
    for days, downloads in product(DAYS, DOWNLOADS):
        facts = Facts(TODAY - timedelta(days=days), downloads)
        alone = weight(facts, replace(target, maintainers=frozenset({"ann"}), repository=REPOSITORY))
        for owned in (replace(facts, maintainers=frozenset({"Ann "})), replace(facts, repository=REPOSITORY)):
            assert weight(owned, replace(target, maintainers=frozenset({"ann"}), repository=REPOSITORY)) < alone


def test_old_and_much_used_package_is_cleared() -> None:
    """Years in public with a hundred thousand downloads a month: no slip."""
    cleared = squat(Facts(OLD, 150_000))

    assert cleared.verdict is Verdict.CLEAN
    assert {c.reason for c in cleared.findings[0].contributions} >= {
        "first released 3000 days ago",
        "150000 downloads a month",
    }


@pytest.mark.parametrize("facts", [Facts(OLD), Facts(OLD, 50), Facts(downloads=50_000), Facts(OLD, 999)])
def test_neither_age_nor_use_alone_clears_a_clear_slip(facts: Facts) -> None:
    """Some squats lie around for years, and downloads can be bought."""
    assert squat(facts).verdict is Verdict.SUSPICIOUS


def test_brand_new_package_is_sharpened() -> None:
    """A likeness that would be let pass is not when the package is a day old."""
    alone = squat(Facts(), odds=-1.5)
    young = squat(Facts(TODAY - timedelta(days=1), 3), odds=-1.5)

    assert (alone.verdict, young.verdict) == (Verdict.CLEAN, Verdict.SUSPICIOUS)
    assert young.score > alone.score


@pytest.mark.parametrize(
    ("name", "facts", "target", "verdict"),
    [
        ("requests", Facts(maintainers=frozenset({"Ken"})), Facts(maintainers=frozenset({"ken", "x"})), "clean"),
        ("requests", Facts(maintainers=frozenset({"ken"})), Facts(maintainers=frozenset({"x"})), "suspicious"),
        ("Requests", Facts(maintainers=frozenset({"ken"})), Facts(maintainers=frozenset({"ken"})), "clean"),
        ("urllib3", Facts(maintainers=frozenset({"ken"})), Facts(maintainers=frozenset({"ken"})), "suspicious"),
        ("a b", Facts(maintainers=frozenset({"ken"})), Facts(maintainers=frozenset({"ken"})), "suspicious"),
        ("requests", Facts(OLD, 5_000, repository=REPOSITORY), Facts(repository=REPOSITORY), "clean"),
        ("requests", Facts(repository=REPOSITORY), Facts(repository=REPOSITORY), "suspicious"),
        ("requests", Facts(TODAY, 100_000, repository=REPOSITORY), Facts(repository=REPOSITORY), "suspicious"),
        ("requests", Facts(OLD, 10_000), Facts(OLD + timedelta(days=1), 90_000), "clean"),
    ],
)
def test_whoever_stands_behind_both_may_name_them_as_they_like(
    name: str, facts: Facts, target: Facts, verdict: str
) -> None:
    """A maintainer is one by the registry's word; a repository is the publisher's claim, which squats copy."""
    assert squat(facts, target, name).verdict == verdict


def test_rename_pair_is_cleared() -> None:
    """Names alone cannot tell it from a squat."""
    facts = Facts(OLD, 900_000, frozenset({"mailgun"}), REPOSITORY)
    metadata = Metadata(facts, Facts(OLD, 500_000, frozenset({"mailgun"}), REPOSITORY), "mailgun-js")
    alone = concluded("mailgun.js", "mailgun-js", ecosystem=Ecosystem.NPM)

    assert alone.verdict is Verdict.SUSPICIOUS
    assert concluded("mailgun.js", "mailgun-js", ecosystem=Ecosystem.NPM, metadata=metadata).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("https://github.com/Owner/repo", "github.com/owner"),
        ("git+https://github.com/owner/repo.git", "github.com/owner"),
        ("git+ssh://git@github.com/owner/repo.git#main", "github.com/owner"),
        ("git@github.com:owner/repo.git", "github.com/owner"),
        ("scm:git:git://github.com/owner/repo.git", "github.com/owner"),
        ("https://gitlab.com/owner/group/repo/-/tree/main", "gitlab.com/owner"),
        ("https://git.example.org:8443/owner/repo", "git.example.org/owner"),
        ("github:owner/repo", "github.com/owner"),
        ("owner/repo", "github.com/owner"),
        ("https://github.com/owner", None),
        ("https://example.org/", None),
        ("javascript:alert(1)", None),
        ("https://github.com/owner/repo\n", None),
        ("", None),
        ("words of somebody", None),
        ("a" * 500, None),
        ("a-" * 250, None),
        ("https://" + "a." * 240 + "/", None),
    ],
)
def test_owner_of_a_repository(address: str, owner: str | None) -> None:
    """In the forms that manifests have."""
    assert repository_owner(address) == owner


async def test_metadata_in_a_request_counts_and_does_not_stay(start: Start) -> None:
    """The cache keeps what the name alone says."""
    server = await start()
    question = {"ecosystem": "PyPI", "name": "reqeusts"}
    facts = {"firstRelease": "1990-01-01", "downloads": 1, "maintainers": ["ken"], "repository": "ken/requests"}
    first = await ask(server, **question, metadata=facts | {"target": {"name": "requests", "maintainers": ["ken"]}})
    second = await ask(server, **question)
    third = await ask(server, **question, metadata={"target": {"name": "requests", "maintainers": ["ken"]}})

    assert [(a["verdict"], a["cached"]) for a in (first, second, third)] == [
        ("clean", False),
        ("suspicious", True),
        ("suspicious", True),
    ]
    assert "shares a maintainer with its target" in {c["reason"] for c in first["findings"][0]["contributions"]}


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (5, "metadata: this is no JSON object"),
        ({"firstRelease": "soon"}, "metadata.firstRelease: a day is written 2019-05-31"),
        ({"firstRelease": 5}, "metadata.firstRelease: a day is written 2019-05-31"),
        ({"firstRelease": "1989-12-31"}, "metadata.firstRelease: no package is older than 1990-01-01"),
        ({"firstRelease": "9999-12-31"}, "metadata.firstRelease: 9999-12-31 has not come yet"),
        ({"target": {"name": "a", "firstRelease": "9999-12-31"}}, "metadata.target.firstRelease: 9999-12-31 has not"),
        ({"downloads": -1}, "metadata.downloads: "),
        ({"downloads": 10**13}, "metadata.downloads: "),
        ({"downloads": 1.5}, "metadata.downloads: "),
        ({"downloads": "5"}, "metadata.downloads: "),
        ({"downloads": True}, "metadata.downloads: "),
        ({"maintainers": "ken"}, "metadata.maintainers: "),
        ({"maintainers": [""]}, "metadata.maintainers.0: "),
        ({"maintainers": [" "]}, "metadata.maintainers.0: "),
        ({"maintainers": ["a", "b" * 201]}, "metadata.maintainers.1: "),
        ({"maintainers": ["a"] * 201}, "metadata.maintainers: "),
        ({"maintainers": ["\ud800"]}, "metadata.maintainers.0: "),
        ({"repository": "nowhere"}, "metadata.repository: a repository is an address with an owner, such as https://"),
        ({"repository": "https://github.com/a/" + "b" * 500}, "metadata.repository: "),
        ({"target": {}}, "metadata.target.name: "),
        ({"target": {"name": ""}}, "metadata.target.name: "),
        ({"target": {"name": "a", "downloads": -1}}, "metadata.target.downloads: "),
        ({"target": {"name": "a", "target": {"name": "b"}}}, 'there is no field "target" in metadata.target'),
        ({"downlaods": 5}, 'there is no field "downlaods" in metadata'),
        ({"\ud800": 5}, "the name of a field is no text"),
    ],
)
async def test_odd_values_are_refused_by_field(start: Start, metadata: Any, said: str) -> None:
    """The caller learns which one it was."""
    server = await start()
    body = {"ecosystem": "PyPI", "name": "a", "metadata": metadata}
    async with server.http.post("/api/v1/scan", json=body) as response:
        error = (await response.json())["error"]

    assert (response.status, error["code"]) == (422, "INVALID_REQUEST")
    assert error["message"].startswith(said)
    if "downlaods" in said:
        assert error["suggestion"].startswith("Did you mean downloads? The fields are firstRelease, downloads")


async def test_release_of_today_somewhere_is_none_of_the_future(start: Start) -> None:
    """Clocks and time zones differ by a day."""
    server = await start()
    tomorrow = datetime.fromtimestamp(server.parts.clock.wall() + 86_400, UTC).date().isoformat()

    assert (await ask(server, ecosystem="PyPI", name="a", metadata={"firstRelease": tomorrow}))["verdict"] == "clean"
