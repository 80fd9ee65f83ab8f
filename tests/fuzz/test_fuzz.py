"""A few seconds of fuzzing by coverage for each target; `make fuzz` goes on for longer."""

import subprocess
import sys
from pathlib import Path

import pytest
from hack.fuzz.__main__ import TARGETS
from hack.fuzz.running import ROOT, run_target

SECONDS = 7
pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("module", TARGETS)
def test_nothing_is_found(module: str, tmp_path: Path) -> None:
    """Whatever goes in, every claim holds; and the inputs reached the scanner's code."""
    outcome = run_target(module, SECONDS, tmp_path)

    assert outcome.told == ""
    assert outcome.findings == ()
    assert outcome.well


def test_what_is_wrong_is_found_and_its_input_kept(tmp_path: Path) -> None:
    """A fuzzer that finds nothing proves something only if it can find. What it found is tried again."""
    for _ in range(2):
        outcome = run_target("tests.fuzz.planted", 5, tmp_path)
        assert "RuntimeError: planted: npm" in outcome.told
        assert [path.read_bytes().strip() for path in outcome.findings] == [b"npm"]
        assert not outcome.well


def test_fuzzing_that_cannot_run_is_no_success() -> None:
    """Without the fuzzer it says so loudly."""
    script = (
        "import sys; sys.modules['atheris'] = None; import runpy; runpy.run_module('hack.fuzz', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert "NOT RUN" in done.stderr
