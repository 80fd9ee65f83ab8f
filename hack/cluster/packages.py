"""The Debian packages that the cluster needs; on other systems only a list of what to install."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hack.cluster import nodeconfig
from hack.cluster.failures import ClusterError

COMMANDS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "openssl": "openssl",
}
CNI_PACKAGE = "containernetworking-plugins"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_NOTHING = Path("/usr/sbin/policy-rc.d")
START_NOTHING_TEXT = (
    "#!/bin/sh\n# Made by Typosentinel's hack/cluster while it installs packages; safe to delete.\nexit 101\n"
)
INSTALL_TIMEOUT_SECONDS = 900


def find(command: str) -> str | None:
    """Find a command, in the administrator's folders too, which are not on everybody's path."""
    return shutil.which(command) or shutil.which(command, path=SYSTEM_PATH)


def missing(commands: Mapping[str, str] = COMMANDS, *, with_cni: bool = True) -> list[str]:
    """Return the packages to install."""
    wanted = [package for command, package in commands.items() if find(command) is None]
    if with_cni and nodeconfig.cni_binaries() is None:
        wanted.append(CNI_PACKAGE)
    return sorted(set(wanted))


def check_installable(wanted: list[str]) -> None:
    """Say what is missing where there is no apt-get, before anything has been changed."""
    if wanted and find("apt-get") is None:
        raise ClusterError(
            "programs are missing, and this is no Debian, where they would be installed now",
            advice=f"Install what your system calls these Debian packages: {', '.join(wanted)}",
        )


def install(wanted: list[str]) -> None:
    """Install packages without starting any service that they bring: this cluster starts its own."""
    if not wanted:
        return
    check_installable(wanted)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
    with _starting_nothing():
        if _apt(command).returncode:
            # The package lists may be old, or missing altogether.
            _apt(["apt-get", "update"])
            done = _apt(command)
            if done.returncode:
                raise ClusterError(f"`{' '.join(command)}` failed:\n    {(done.stderr or done.stdout)[-1200:].strip()}")


def _apt(command: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_SECONDS,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(
            f"`{' '.join(command)}` did not end within {INSTALL_TIMEOUT_SECONDS // 60} minutes"
        ) from None


@contextmanager
def _starting_nothing() -> Iterator[None]:
    """Tell Debian's packages to start no services, for as long as the installation takes."""
    ours = not START_NOTHING.exists() or START_NOTHING.read_text(encoding="utf-8") == START_NOTHING_TEXT
    if ours:
        START_NOTHING.write_text(START_NOTHING_TEXT, encoding="utf-8")
        START_NOTHING.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            START_NOTHING.unlink(missing_ok=True)
