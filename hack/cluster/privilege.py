"""Root where it is needed: already there, or by sudo; else a clear refusal before anything has been changed."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from hack.cluster.failures import ClusterError
from hack.cluster.progress import say
from hack.cluster.state import cache_directory

PASSED_ON = ("KUBEBUILDER_ASSETS", "TYPOSENTINEL_PLAN_SHOWN")


def is_root() -> bool:
    """Tell whether the machine may be changed by this very process."""
    return os.geteuid() == 0


def check_reachable() -> None:
    """Fail early when there is no way to become root."""
    if not is_root() and shutil.which("sudo") is None:
        raise ClusterError(
            "this needs root (network, mounts, control groups), and there is no sudo; nothing has been changed",
            advice="Run it as root, or install sudo, or start Docker so that kind is used instead.",
        )


def sudo_command(program: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs this program as root, with the caller's cache, whatever sudo does to the rest."""
    passed = [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
    cache = f"TYPOSENTINEL_CACHE={cache_directory()}"
    return ["sudo", "--", "/usr/bin/env", cache, *passed, sys.executable, str(program), *arguments]


def become_root(program: Path, arguments: Sequence[str]) -> None:
    """Go on as root: returns when that is so already, else this process becomes sudo's."""
    if is_root():
        return
    check_reachable()
    command = sudo_command(program, arguments)
    say("root is needed from here: " + " ".join(command[:2]) + " …")
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
