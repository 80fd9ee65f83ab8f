"""Lock dependencies with hashes: `python hack/lock.py [--check]`.

The lock files carry no registry's address, so they work behind any mirror. `--check` resolves nothing: it proves
that each file still satisfies pyproject.toml, without a network.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"server": [], "operator": ["operator"], "dev": ["operator", "dev"]}
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def main() -> int:
    """Lock or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a lock is not current")
    if parser.parse_args().check:
        problems = [problem for name in LOCKS for problem in check(name)]
        print("\n".join(problems) or "locks: current")
        return 1 if problems else 0
    for name, extras in LOCKS.items():
        print(f"[lock] requirements/{name}.txt …", flush=True)
        subprocess.run(command(name, extras), cwd=ROOT, check=True)
    return 0


def command(name: str, extras: list[str]) -> list[str]:
    """The resolver's command line for one lock file."""
    uv = str(Path(sys.executable).parent / "uv")
    chosen = [part for extra in extras for part in ("--extra", extra)]
    switches = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--quiet"]
    return [uv, "pip", "compile", "pyproject.toml", *chosen, *switches, "-o", f"requirements/{name}.txt"]


def check(name: str) -> list[str]:
    """What is wrong with one lock file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pins = {canonicalize_name(match[1]): match[2] for match in PIN.finditer(text)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in LOCKS[name]:
        wanted += project["optional-dependencies"][extra]
    problems = []
    for requirement in map(Requirement, wanted):
        pinned = pins.get(canonicalize_name(requirement.name))
        if pinned is None or not requirement.specifier.contains(pinned, prereleases=True):
            problems.append(
                f"requirements/{name}.txt has {requirement.name} {pinned}, wanted {requirement} (make lock)"
            )
    if "://" in text:
        problems.append(f"requirements/{name}.txt holds an address")
    return problems


if __name__ == "__main__":
    sys.exit(main())
