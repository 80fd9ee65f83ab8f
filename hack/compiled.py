"""Puts the project's own wheel, as images get it, into build/compiled: `make compiled`.

Whoever has that folder on PYTHONPATH runs what pods run, the engine compiled, and not the sources of the checkout.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from hack.cluster.failures import ClusterError
from hack.cluster.progress import Steps
from hack.cluster.state import cache_directory
from hack.images import wheels

PLACE = Path("build/compiled")
MARK = ".wheel"


def main() -> int:
    """Install what is not there yet; the exit code."""
    steps = Steps(1)
    try:
        with steps.step("the wheel that images get", "40 s after a change of the sources"):
            _install(wheels.project(cache_directory()))
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _install(folder: Path) -> None:
    mark = PLACE / MARK
    if mark.exists() and mark.read_text(encoding="utf-8") == folder.name:
        return
    shutil.rmtree(PLACE, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-compile", f"--target={PLACE}", *map(str, folder.glob("*.whl"))],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClusterError(f"pip ended with {done.returncode}\n    {done.stderr.strip()}")
    mark.write_text(folder.name, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
