"""What docs/context.md shows, tried."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from commanding import Run
from judging import concluded
from typosentinel_server.listdocuments import parse_allow_list, parse_private_names
from typosentinel_server.scan.conclusion import Knowledge
from typosentinel_server.scan.context import metadata as weights
from typosentinel_server.scan.context import nearmalware
from typosentinel_server.scan.context.alike import Likeness
from typosentinel_server.scan.context.malwarefiles import parse_csv
from typosentinel_server.scan.model import FROM_CONTEXT, Ecosystem, Verdict
from typosentinel_server.schemas import ScanRequest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "context.md").read_text(encoding="utf-8")


def example(language: str, number: int = 0) -> str:
    """A block of code on the page."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return blocks[number]


def test_lists_on_the_page_are_right() -> None:
    """They do what stands beside them."""
    allow = Knowledge(allow_list=parse_allow_list(example("yaml", 0).encode(), "allow.yaml"))
    private = Knowledge(private_names=parse_private_names(example("yaml", 1).encode(), "private.yaml"))
    malware = Knowledge(malware=parse_csv(example("csv").encode(), "malware.csv"))
    npm: dict[str, Any] = {"ecosystem": Ecosystem.NPM}

    assert concluded("mailgun.js", "mailgun-js", knowledge=allow, **npm).verdict is Verdict.CLEAN
    assert concluded("@acme/x", "lodash", knowledge=private, **npm).verdict is Verdict.SUSPICIOUS
    assert concluded("good-thing", "lodash", knowledge=malware, version="1.2.1", **npm).verdict is Verdict.MALICIOUS
    assert concluded("good-thing", "lodash", knowledge=malware, **npm).verdict is Verdict.ADVISORY


def test_campaign_on_the_page_is_told_as_it_stands_there(run: Run, tmp_path: Path) -> None:
    """List, names and answers."""
    (block,) = re.findall(r"^\$ cat malware\.csv\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    rows, command, answers = re.split(r"^\$ typosentinel scan --malware malware\.csv (.*)\n", block, flags=re.MULTILINE)
    (tmp_path / "malware.csv").write_text(rows, encoding="utf-8")

    assert run.scan("--malware", str(tmp_path / "malware.csv"), *command.split()).stdout == answers


def test_metadata_on_the_page_clears_the_rename() -> None:
    """The request is taken as it stands there."""
    asked = ScanRequest.model_validate(json.loads(example("json")))
    assert asked.metadata is not None
    found = concluded("mailgun.js", "mailgun-js", metadata=asked.metadata.metadata(), ecosystem=Ecosystem.NPM)

    assert found.verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    ("row", "numbers"),
    [
        ("first release less than 7, 30, 90 days ago", [w for _, w in reversed(weights.AGE_WEIGHTS) if w > 0]),
        ("at least 1, 3, 6 years ago", [w for _, w in reversed(weights.AGE_WEIGHTS) if w < 0]),
        ("fewer than 100 downloads a month", [weights.USE_WEIGHTS[-1][1]]),
        ("at least 1,000, 10,000, 100,000, 1,000,000", [w for _, w in reversed(weights.USE_WEIGHTS) if w < 0]),
        ("released before its target", [weights.OLDER_THAN_TARGET_WEIGHT]),
        ("a tenth of its target's downloads or more", [weights.USED_LIKE_TARGET_WEIGHT]),
        ("shares a maintainer with its target", [weights.SAME_MAINTAINER_WEIGHT]),
        ("the same owner of the repository", [weights.SAME_OWNER_WEIGHT, weights.SAME_OWNER_CLAIMED_WEIGHT]),
        ("the same letters as a listed name", [nearmalware.WEIGHTS[Likeness.LETTERS].weight]),
        (
            "a listed name but for the number at its end, or one slip away",
            [*{nearmalware.WEIGHTS[how].weight for how in (Likeness.NUMBER, Likeness.SLIP)}],
        ),
        ("2, 4 or more listed names that are alike", [w for _, w in reversed(nearmalware.GROUP_WEIGHTS)]),
        ("of all of them only some versions are malware", [nearmalware.SOME_VERSIONS_WEIGHT]),
        ("a popular name is as near", [nearmalware.NEAR_POPULAR_WEIGHT]),
    ],
)
def test_weights_are_those_of_the_code(row: str, numbers: list[float]) -> None:
    """Whoever wonders about a score can add it up."""
    (cell,) = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", PAGE, re.MULTILINE)
    told = [float(number.replace("\u2212", "-")) for number in re.findall("[+\u2212][0-9.]+", cell)]

    assert told == numbers


def test_every_technique_that_lists_lead_to_is_told() -> None:
    """The table of the others is on another page."""
    assert all(f"`{technique}`" in PAGE for technique in FROM_CONTEXT)
