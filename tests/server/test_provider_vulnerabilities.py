"""What sources of vulnerabilities answer, written down from their documentation, and answers that cannot be right."""

from typing import Any

import orjson
import pytest

from typosentinel_server.providers.asking import subject
from typosentinel_server.providers.gleaned import Failure, Gleaned, State
from typosentinel_server.providers.shapes import osv
from typosentinel_server.scan.context.malware import Record
from typosentinel_server.scan.model import Ecosystem

ASKED = subject(Ecosystem.PYPI, "Some_Thing")


def advisory(name: str, **affected: Any) -> dict[str, Any]:
    """A record about the package."""
    return {"id": name, "affected": [{"package": {"ecosystem": "PyPI", "name": "some-thing"}, **affected}]}


ENDLESS = [{"type": "SEMVER", "events": [{"introduced": "0"}]}]
FIXED = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2"}]}]


@pytest.mark.parametrize(
    ("vulns", "ids", "malware"),
    [
        (None, (), None),
        ([], (), None),
        ([advisory("CVE-2024-1", ranges=ENDLESS)], ("CVE-2024-1",), None),
        ([advisory("MAL-2024-1", ranges=ENDLESS)], ("MAL-2024-1",), Record(None, "MAL-2024-1")),
        (
            [advisory("MAL-2024-1", ranges=FIXED, versions=["v1.0"])],
            ("MAL-2024-1",),
            Record(frozenset({"1"}), "MAL-2024-1"),
        ),
        (
            [advisory("MAL-1", versions=["1.0"]), advisory("MAL-2", versions=["1.1"])],
            ("MAL-1", "MAL-2"),
            Record(frozenset({"1", "1.1"}), "MAL-1"),
        ),
        ([advisory("MAL-1", ranges=ENDLESS) | {"withdrawn": "2024-01-01T00:00:00Z"}], (), None),
        ([{"id": "MAL-1", "affected": [{"package": {"ecosystem": "npm", "name": "some-thing"}}]}], (), None),
        ([{"id": "MAL-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "other"}}]}], (), None),
        ([{"id": "MAL-1"}], (), None),
    ],
)
def test_what_is_known_against_a_package(vulns: Any, ids: tuple[str, ...], malware: Record | None) -> None:
    """Ids of what is about this package and stands; those of malware with the versions that are meant."""
    page = osv.page(orjson.dumps({"vulns": vulns}), ASKED)
    assert page.gleaned == Gleaned(vulnerabilities=ids, malware=malware)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"vulns": {}},
        {"vulns": [7]},
        {"vulns": [{"id": 7}]},
        {"vulns": [{"id": "a\nb"}]},
        {"vulns": [{"id": "x" * 101}]},
        {"vulns": [advisory("MAL-1", ranges=[7])]},
        {"vulns": [advisory("MAL-1", ranges=[{"events": [7]}])]},
        {"vulns": [advisory("MAL-1", versions=[7])]},
        {"vulns": [], "next_page_token": 7},
        {"vulns": [], "next_page_token": "x" * 5000},
    ],
)
def test_what_no_source_of_vulnerabilities_answers(answer: Any) -> None:
    """Wrong types are no evidence of anything."""
    with pytest.raises(Failure) as failure:
        osv.page(orjson.dumps(answer), ASKED)
    assert failure.value.state is State.BROKEN
