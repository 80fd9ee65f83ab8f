"""What the pages say of detection and of errors, tried on the built-in lists and read off the code."""

import re
from pathlib import Path

import pytest

from judging import builtin

from typosentinel_server.scan.model import FROM_CONTEXT, Ecosystem, Package, Technique, Verdict

# Reading and indexing a whole list takes a while on a busy machine.
pytestmark = pytest.mark.timeout(20)

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([a-z-]+) \| `(\S+)` → `(\S+)` \| (\S+) \|", re.MULTILINE)
EXAMPLES = ROW.findall((ROOT / "docs" / "detection.md").read_text(encoding="utf-8"))


def test_every_technique_has_an_example() -> None:
    """The table is complete."""
    assert {technique for technique, *_ in EXAMPLES} == set(Technique) - FROM_CONTEXT


@pytest.mark.parametrize(("technique", "name", "target", "ecosystem"), EXAMPLES)
def test_examples_alert_as_the_page_says(technique: str, name: str, target: str, ecosystem: str) -> None:
    """Whoever tries an example sees what the page promises: technique and target of the strongest finding."""
    found = builtin().engine(ecosystem).scan(Package(Ecosystem(ecosystem), name))

    assert found.verdict is Verdict.SUSPICIOUS
    assert (found.findings[0].technique, found.findings[0].target) == (technique, target)


def test_every_code_of_an_http_error_is_on_its_page() -> None:
    """Clients branch on codes."""
    page = (ROOT / "docs" / "reference" / "http-api.md").read_text(encoding="utf-8")
    package = ROOT / "server" / "typosentinel_server"
    rooms = [
        package / f"{room}.py"
        for room in (
            "front",
            "middleware",
            "jsonhttp",
            "views",
            "benchmarkviews",
            "benchmarks",
            "wirejson",
            "scan/naming",
            "scan/methods",
        )
    ]
    raised = {code for room in rooms for code in re.findall(r'^\s+"([A-Z]+_[A-Z_]+)",', room.read_text(), re.MULTILINE)}
    raised |= {code for room in rooms for code in re.findall(r'\("([A-Z]+_[A-Z_]+)", ', room.read_text())}

    assert len(raised) > 15
    assert {code for code in raised - {"CLIENT_GONE"} if f"`{code}`" not in page} == set()
