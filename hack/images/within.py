"""Runs within a finished image, by itself: prints what keeps its program from starting, nothing where all is there.

Wheels are picked by the Python of the machine that builds. The image's may judge their markers otherwise, so that a
dependency is left out which only it needs; that has to end the build, not the first pod.
"""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

START_SECONDS = 60


def unimportable(package: str) -> dict[str, str]:
    """Import every module of a package; return each reason why one could not be, with the first that has it."""
    found: dict[str, str] = {}

    def attempt(module: str) -> None:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - whatever it is, a pod would end with it
            found.setdefault(reason(error), module)

    attempt(package)
    path = getattr(sys.modules.get(package), "__path__", [])
    for module in pkgutil.walk_packages(path, f"{package}.", onerror=lambda _: None):
        attempt(module.name)
    return found


def reason(error: Exception) -> str:
    """Say in words what kept a module from being imported."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"module {error.name} is missing"
    return f"{type(error).__name__}: {error}"


def unstartable(program: Path) -> str | None:
    """Ask a program for its version; return its last words where it gives none."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return f"ended with {done.returncode}: {done.stderr.strip()[-300:]}" if done.returncode else None


def main(package: str, program: str) -> None:
    """Print a line for everything that is wrong."""
    for why, module in unimportable(package).items():
        print(f"{why} (importing {module})")
    why_not = unstartable(Path(program))
    if why_not is not None:
        print(f"{program} does not start: {why_not}")


if __name__ == "__main__":
    main(*sys.argv[1:])
