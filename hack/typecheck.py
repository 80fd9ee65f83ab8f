"""mypy, strict, over everything: the two packages, the scripts and the tests."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Check; returns mypy's exit code."""
    return subprocess.run([sys.executable, "-m", "mypy", "operator", "server", "hack", "tests"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
