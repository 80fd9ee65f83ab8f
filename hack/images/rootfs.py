"""The base image where there is no Docker to pull one: made by debootstrap from the machine's own Debian mirror."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from hack.cluster import archive
from hack.cluster.failures import ClusterError, last_lines
from hack.images.recipe import digest

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3")
# What packages bring that no program reads.
STRIPPED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/zoneinfo/right",
)
EMPTIED = ("var/cache/apt", "var/lib/apt/lists", "var/log", "var/cache/debconf", "dev", "proc", "sys", "run", "tmp")
TIMEOUT_SECONDS = 1200


def name() -> str:
    """Return the base image's name; its tag changes with the recipe, not with Debian's updates."""
    recipe = json.dumps([SUITE, PACKAGES, STRIPPED, EMPTIED])
    return f"localhost/typosentinel-base:{digest(Path(), [], recipe, archive.architecture())}"


def mirror() -> str:
    """Return the Debian mirror that this machine itself installs from."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(COMPONENT) $(SITE)"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    found = parse_mirror(listed)
    if found is None:
        raise ClusterError(
            f"this machine's package sources name no Debian mirror from which to make a {SUITE} base image",
            advice="Run `apt-get update`, or use a machine with Docker, where the base image is pulled.",
        )
    return found


def parse_mirror(listed: str) -> str | None:
    """Pick the mirror: the one of the wanted release if there is one, else any of Debian's own."""
    rows = [line.split() for line in listed.splitlines()]
    debian = [row for row in rows if len(row) == 4 and row[0] == "Debian" and row[2] == "main"]  # noqa: PLR2004
    debian.sort(key=lambda row: (row[1] != SUITE, "-" in row[1]))
    return debian[0][3] if debian else None


def make(target: Path) -> None:
    """Write the base image as an OCI archive."""
    with tempfile.TemporaryDirectory(prefix="typosentinel-base-") as folder:
        root = Path(folder, "root")
        log = target.with_name("debootstrap.log")
        include = f"--include={','.join(PACKAGES)}"
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                ["debootstrap", "--variant=minbase", include, SUITE, str(root), mirror()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        if done.returncode:
            own = root / "debootstrap" / "debootstrap.log"
            raise ClusterError(f"debootstrap ended with {done.returncode}: {last_lines(own, 3)}", log=log)
        strip(root)
        archive.folder(name(), root, target)


def strip(root: Path) -> None:
    """Remove what no program in a container needs."""
    for path in STRIPPED:
        shutil.rmtree(root / path, ignore_errors=True)
    for path in EMPTIED:
        for entry in (root / path).iterdir() if (root / path).is_dir() else ():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    for leftover in ("etc/hostname", "etc/resolv.conf", "etc/machine-id"):
        (root / leftover).unlink(missing_ok=True)
