"""The engine as mypyc makes it, which is what pods run, beside its sources."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILED = ROOT / "build" / "compiled"


def judgements(place: Path) -> tuple[Path, list[str]]:
    """Where an engine was loaded from, and what it says of many names."""
    path = os.pathsep.join(map(str, (place, ROOT / "tests")))
    program = [sys.executable, str(ROOT / "tests" / "judgements.py")]
    done = subprocess.run(program, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    first, *lines = done.stdout.splitlines()
    return Path(first), lines


@pytest.mark.timeout(60)
def test_what_is_compiled_judges_as_its_sources_do() -> None:
    """Verdicts, scores, findings, their order, every weight, and every refusal."""
    shipped, said = judgements(COMPILED)
    written, wanted = judgements(ROOT / "server")
    assert shipped.suffix == ".so"
    assert shipped.is_relative_to(COMPILED)
    assert written.suffix == ".py"
    assert len(wanted) > 2_000
    assert sum("findings=()" not in line for line in wanted) > len(wanted) / 4
    assert said == wanted
