"""Gathers wheels outside the work tree: the locked dependencies for the image's Python, pip's own and the project's."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hack.cluster.failures import ClusterError
from hack.cluster.progress import say
from hack.cluster.state import give_to, person
from hack.images.recipe import IMAGES_REQUIREMENTS, REPOSITORY, Recipe, digest, sources

PYTHON = "3.11"
# The base's glibc is 2.36; a wheel for an older one runs there too.
GLIBC = ("2_34", "2_28", "2_27", "2_24", "2_17")
TIMEOUT_SECONDS = 900
WHEELS_KEPT = 3


def gathered(recipe: Recipe, cache: Path) -> dict[str, Path]:
    """Return the folders with an image's wheels: locked requirements and pip, downloaded when missing, and our own."""
    return {
        "locked": _downloaded(REPOSITORY / recipe.requirements, cache),
        "pip": _downloaded(REPOSITORY / IMAGES_REQUIREMENTS, cache),
        "project": project(cache),
    }


def project(cache: Path) -> Path:
    """Return the folder with the project's own wheel; built from a copy, as building writes into the sources.

    Its engine is compiled where this Python is of the images' version and has all that it takes.
    """
    fits = _virtual_environment().exists() and sys.version_info[:2] == tuple(map(int, PYTHON.split(".")))
    files = sources()
    target = _project_folder(cache, files, compiled=fits)
    if target.is_dir():
        return target
    with tempfile.TemporaryDirectory(prefix="typosentinel-wheel-") as folder:
        for file in files:
            copy = Path(folder, "source", file.relative_to(REPOSITORY))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        arguments = ["wheel", "--no-deps", "--wheel-dir", f"{folder}/wheel"]
        if _virtual_environment().exists():
            # The build's own requirements are locked ones there: nothing is fetched.
            arguments.append("--no-build-isolation")
        arguments.append(f"{folder}/source")
        what = "building the project's wheel"
        try:
            _pip(arguments, what, {"TYPOSENTINEL_COMPILE": "1" if fits else "0"})
        except ClusterError as error:
            if not fits:
                raise
            say(f"{error}\n    The engine stays as it is written: scans take a third longer. Is there a C compiler?")
            # Kept as what it is, so that the next build tries again.
            target = _project_folder(cache, files, compiled=False)
            if target.is_dir():
                return target
            _pip(arguments, what, {"TYPOSENTINEL_COMPILE": "0"})
        _settle(Path(folder, "wheel"), target)
    old = sorted(target.parent.glob("project-*"), key=lambda path: -path.stat().st_mtime)
    for superseded in old[WHEELS_KEPT:]:
        shutil.rmtree(superseded)
    return target


def _project_folder(cache: Path, files: Sequence[Path], *, compiled: bool) -> Path:
    return cache / "wheels" / f"project-{digest(REPOSITORY, files, 'compiled' if compiled else 'plain')}"


def _downloaded(requirements: Path, cache: Path) -> Path:
    target = cache / "wheels" / f"{requirements.stem}-{digest(requirements.parent, [requirements], PYTHON, _machine())}"
    if target.is_dir():
        return target
    with tempfile.TemporaryDirectory(prefix="typosentinel-wheels-") as folder:
        _pip(
            [
                "download",
                "--require-hashes",
                "--no-deps",
                "--only-binary=:all:",
                f"--python-version={PYTHON}",
                "--implementation=cp",
                *(f"--platform=manylinux_{glibc}_{_machine()}" for glibc in GLIBC),
                f"--platform=manylinux2014_{_machine()}",
                f"--dest={folder}",
                f"--requirement={requirements}",
            ],
            f"downloading the wheels of {requirements.relative_to(REPOSITORY)}",
        )
        _settle(Path(folder), target)
    return target


def _settle(folder: Path, target: Path) -> None:
    """Put wheels in their place in one step, owned by whom the cache is for."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    for wheel in sorted(folder.glob("*.whl")):
        shutil.copy2(wheel, temporary / wheel.name)
    give_to(person(), target.parent, temporary, *temporary.iterdir())
    temporary.replace(target)


def _virtual_environment() -> Path:
    return REPOSITORY / ".venv" / "bin" / "python"


def _machine() -> str:
    return platform.machine()


def _pip(arguments: Sequence[str], what: str, environment: Mapping[str, str] | None = None) -> None:
    """Run pip: the project's environment's where there is one, else the one of the running Python."""
    own = _virtual_environment()
    command = [str(own) if own.exists() else sys.executable, "-m", "pip", *arguments]
    command += ["--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env=os.environ | dict(environment or {}),
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{what}: pip did not end within {TIMEOUT_SECONDS // 60} minutes") from None
    if done.returncode:
        raise ClusterError(f"{what}: pip ended with {done.returncode}\n    {done.stderr.strip()[-1500:]}")
