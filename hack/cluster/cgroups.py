"""The control group below which kubelet puts every container: proof of which processes are the cluster's."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from hack.cluster.nodeconfig import CGROUP
from hack.cluster.processes import send, wait_until

ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """Return the group's folder in each hierarchy: one with cgroup v2; with v1 one per controller and perhaps a v2."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT / CGROUP]
    return [folder / CGROUP for folder in sorted(ROOT.iterdir()) if (folder / "cgroup.procs").exists()]


def make() -> None:
    """Make the group; kubelet wants it to exist."""
    for folder in hierarchies():
        folder.mkdir(exist_ok=True)
        # A new v1 cpuset has no processors and no memory at all, and takes no process before it has.
        for name in ("cpuset.cpus", "cpuset.mems"):
            own, parent = folder / name, folder.parent / name
            if parent.exists() and own.exists() and not own.read_text(encoding="ascii").strip():
                own.write_text(parent.read_text(encoding="ascii"), encoding="ascii")


def groups() -> Iterator[Path]:
    """Return the group and all below it, in each hierarchy, the innermost first.

    containerd removes groups while this looks at them, so what is gone is passed over: os.walk does, Path.rglob fails.
    """
    for folder in hierarchies():
        for name, _, _ in os.walk(folder, topdown=False):
            yield Path(name)


def members() -> set[int]:
    """Return every process in the group and below it."""
    found: set[int] = set()
    for folder in groups():
        # A group that ends meanwhile has no members.
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split())
    return found


def kill_members() -> bool:
    """Kill every container's processes; tell whether all are gone."""

    def gone() -> bool:
        pids = members()
        for pid in pids:
            send(pid, signal.SIGKILL)
        return not pids

    return wait_until(gone, 20, 0.05)


def remove() -> None:
    """Remove the groups, the innermost first."""

    def gone() -> bool:
        for folder in groups():
            # Busy for a moment after its last process has ended.
            with contextlib.suppress(OSError):
                folder.rmdir()
        return not any(folder.exists() for folder in hierarchies())

    wait_until(gone, 5, 0.1)
