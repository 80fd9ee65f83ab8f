"""The README's first command, as a new user runs it on a cluster that is up."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack import manifests
from kube import Kubectl

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = "typosentinel-demo"


@pytest.fixture(scope="module")
def screen(release: Kubectl) -> Iterator[str]:
    """What the quickstart prints; its namespace goes again unless it was there before."""
    was_there = release.get_json("namespace", DEMO) is not None
    done = subprocess.run(
        [sys.executable, "-m", "hack.quickstart"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield done.stdout
    if not was_there:
        release.run("delete", "namespace", DEMO, "--wait=true", "--timeout=120s", seconds=130)


def test_the_quickstart_ends_with_real_verdicts(screen: str) -> None:
    """Squats are suspicious, their targets are clean, and a pod says that it was the one to answer."""
    lines = {line.split()[0]: line for line in screen.splitlines() if line.strip()}

    assert lines["reqeusts"].split()[1] == "suspicious"
    assert "requests" in lines["reqeusts"]
    assert lines["requests"].split()[1] == "clean"
    assert lines["lodahs"].split()[1] == "suspicious"
    assert lines["lodash"].split()[1] == "clean"
    assert "demo-scanner-" in screen


def test_the_quickstart_ends_with_what_to_try_and_how_to_remove_it(screen: str) -> None:
    """The last line is the command that takes all of it away."""
    assert screen.rstrip().splitlines()[-1].strip() == "make cluster-down"


def test_names_of_ones_own_can_be_scanned_afterwards(screen: str) -> None:
    """`make scan NAMES=…` sends them through the same Service."""
    assert "make scan" in screen
    done = subprocess.run(
        [sys.executable, "-m", "hack.quickstart", "scan", "beatifulsoup4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert '"beautifulsoup4"' in done.stdout


def test_the_plain_manifests_are_accepted_by_the_api_server(release: Kubectl) -> None:
    """`kubectl apply` of what the chart renders works without Helm; asked with a dry run."""
    answer = release.attempt(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", stdin=manifests.render()
    )

    assert answer.code == 0, answer.err
