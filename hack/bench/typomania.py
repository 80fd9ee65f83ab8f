"""Build the Rust crate typomania as a contestant, with a small program around it: hack/bench/typomania/.

Cargo.toml there says why there is no Cargo.lock, and what stands in for it.
"""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

from hack.bench.data import OUT, NotRun

SOURCE = Path(__file__).resolve().parent / "typomania"
PROGRAM = "typomania-bench"
NEEDS_CARGO = (
    "cargo, which builds the peer typomania, was not found.\n"
    "Install Rust (with rustup, or apt-get install cargo) and see to it that cargo is on the PATH."
)
TIMEOUT_SECONDS = 600


def build() -> Path:
    """Compile under build/ and return the program; does nothing where it is current.

    Raises:
        NotRun: cargo is missing or fails, or a crate is not the one that crates.sum names.
    """
    place = OUT / "typomania"
    shutil.copytree(SOURCE, place, dirs_exist_ok=True)
    _cargo("fetch", place)
    differing = unexpected((place / "Cargo.lock").read_text(), (SOURCE / "crates.sum").read_text())
    if differing:
        raise NotRun(
            "these crates are not those that hack/bench/typomania/crates.sum names: " + ", ".join(differing) + "."
        )
    _cargo("build", place, "--release", "--locked", "--offline")
    return place / "target" / "release" / PROGRAM


def unexpected(lock: str, sums: str) -> list[str]:
    """The crates, name and version, that either text has and the other has not, or with another checksum.

    Args:
        lock: a Cargo.lock.
        sums: lines of name, version and checksum.
    """
    locked = {
        (package["name"], package["version"], package.get("checksum", ""))
        for package in tomllib.loads(lock)["package"]
        if package["name"] != PROGRAM
    }
    wanted = {(name, version, checksum) for name, version, checksum in map(str.split, sums.splitlines())}
    return sorted({f"{name} {version}" for name, version, _ in locked ^ wanted})


def find_cargo(environment: Mapping[str, str]) -> str:
    """The path of cargo: on the PATH, or where rustup puts it. Raises NotRun."""
    home = Path(environment.get("CARGO_HOME") or Path(environment.get("HOME", "/")) / ".cargo")
    found = shutil.which("cargo", path=environment.get("PATH", "")) or shutil.which("cargo", path=str(home / "bin"))
    if found is None:
        raise NotRun(NEEDS_CARGO)
    return found


def _cargo(verb: str, place: Path, *switches: str) -> None:
    command = [find_cargo(os.environ), verb, "--quiet", *switches]
    environment = os.environ | {"CARGO_TARGET_DIR": str(place / "target")}
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"cargo {verb} did not end within {TIMEOUT_SECONDS} s.") from error
    if done.returncode:
        raise NotRun(f"cargo {verb} of the peer typomania failed:\n{done.stderr.strip()}")
