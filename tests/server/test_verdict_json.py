from dataclasses import asdict, replace
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import STEADY
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.scan.model import (
    Allowance,
    Contribution,
    Ecosystem,
    Finding,
    Package,
    ScanResult,
    Technique,
    Verdict,
)
from typosentinel_server.schemas import AllowanceBody, ContributionBody, FindingBody, ScanResponse
from typosentinel_server.verdictjson import Rendered, render

# The built-in lists are compiled first.
pytestmark = pytest.mark.timeout(30)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCORE = st.floats(0, 1)
CONTRIBUTION = st.builds(Contribution, TEXT, st.floats(allow_nan=False, allow_infinity=False))
FINDING = st.builds(
    Finding,
    technique=st.sampled_from(Technique),
    target=TEXT,
    rank=st.none() | st.integers(1, 10**9),
    message=TEXT,
    score=SCORE,
    contributions=st.lists(CONTRIBUTION, min_size=1, max_size=3).map(tuple),
    cleared=st.booleans(),
    target_ecosystem=st.none() | st.sampled_from(Ecosystem),
)
ALLOWANCE = st.builds(
    Allowance, entry=TEXT, reason=TEXT, expires=st.none() | st.dates(), target=st.none() | TEXT, expired=st.booleans()
)
RESULT = st.builds(
    ScanResult,
    package=st.builds(Package, st.sampled_from(Ecosystem), TEXT),
    normalized=TEXT,
    known=st.booleans(),
    rank=st.none() | st.integers(1, 10**9),
    verdict=st.sampled_from(Verdict),
    score=SCORE,
    findings=st.lists(FINDING, max_size=3).map(tuple),
    corpus_version=TEXT,
    allowances=st.lists(ALLOWANCE, max_size=2).map(tuple),
)


@pytest.fixture(scope="module")
def engines() -> Engines:
    """Those of the built-in lists."""
    return build_engines(Library())


def _by_model(result: ScanResult, name: str, version: str | None, seconds: float, *, cached: bool) -> bytes:
    answer = ScanResponse(
        id="f00d",
        ecosystem=result.package.ecosystem,
        name=name,
        normalized_name=result.normalized,
        version=version,
        verdict=result.verdict,
        score=result.score,
        known=result.known,
        rank=result.rank,
        targets=list(result.targets),
        findings=[_finding(one) for one in result.findings],
        allowances=[AllowanceBody(**asdict(one)) for one in result.allowances],
        cached=cached,
        duration_ms=round(seconds * 1000, 4),
        corpus_version=result.corpus_version,
    )
    return answer.model_dump_json(by_alias=True).encode()


def _finding(finding: Finding) -> FindingBody:
    return FindingBody(
        technique=finding.technique.value,
        target=finding.target,
        target_rank=finding.rank,
        message=finding.message,
        score=finding.score,
        contributions=[ContributionBody(**asdict(one)) for one in finding.contributions],
        cleared=finding.cleared,
        target_ecosystem=finding.target_ecosystem,
    )


@settings(STEADY, max_examples=200)
@given(result=RESULT, name=TEXT, version=st.none() | TEXT, seconds=st.floats(0, 1e4), cached=st.booleans())
def test_the_model_writes_the_same_bytes(
    result: ScanResult, name: str, version: str | None, seconds: float, *, cached: bool
) -> None:
    """Whatever a judgement and a request hold."""
    fast = render(result, scan_id="f00d", name=name, version=version, cached=cached, seconds=seconds)
    assert fast == _by_model(result, name, version, seconds, cached=cached)


@pytest.mark.parametrize(
    ("ecosystem", "name"),
    [
        (Ecosystem.PYPI, "requests"),
        (Ecosystem.PYPI, "reqeusts"),
        (Ecosystem.PYPI, "r\u0435quests"),
        (Ecosystem.NPM, "@babel/croe"),
        (Ecosystem.NPM, "numpy"),
        (Ecosystem.PYPI, "a-name-like-none-of-them"),
    ],
)
def test_real_judgements_are_rendered_alike(engines: Engines, ecosystem: Ecosystem, name: str) -> None:
    """Known, near a popular one, in foreign letters, popular elsewhere, unlike all others."""
    result = engines.scan(Package(ecosystem, name))
    fast = render(result, scan_id="f00d", name=name, version="1.0", cached=False, seconds=0.00003)
    assert fast == _by_model(result, name, "1.0", 0.00003, cached=False)


def test_pieces_serve_many_requests(engines: Engines) -> None:
    """What is kept holds nothing of the first request."""
    result = engines.scan(Package(Ecosystem.PYPI, "reqeusts"))
    granted = replace(result, allowances=(Allowance("reqeusts", "ours", date(2030, 1, 2), None, expired=False),))
    rendered = Rendered.of(granted)
    first: Any = orjson.loads(rendered.bytes(scan_id="a", name="Reqeusts", version="1", cached=False, seconds=1))
    second: Any = orjson.loads(rendered.bytes(scan_id="b", name="reqeusts", version=None, cached=True, seconds=2))
    own = ("id", "name", "version", "cached", "durationMs")
    assert [first[key] for key in own] == ["a", "Reqeusts", "1", False, 1000.0]
    assert [second[key] for key in own] == ["b", "reqeusts", None, True, 2000.0]
    assert {k: v for k, v in first.items() if k not in own} == {k: v for k, v in second.items() if k not in own}
