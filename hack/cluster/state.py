"""Where everything lives: the cluster's directories, the cache of binaries, who owns them, and the lock.

The cluster belongs to the machine, not to a checkout, so its paths are fixed: a second checkout finds the same one.
"""

import fcntl
import os
import pwd
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.failures import ClusterError
from hack.cluster.progress import say

STATE = Path("/var/lib/typosentinel-cluster")
"""What outlives a reboot: certificates, etcd's data, images, logs."""
RUN = Path("/run/typosentinel-cluster")
"""What a reboot ends: sockets, pid files, the settings that were found before the cluster changed them."""
LOCK = Path("/run/lock/typosentinel-cluster.lock")

PKI = STATE / "pki"
LOGS = STATE / "logs"
KUBECONFIG = STATE / "kubeconfig"
AUDIT_LOG = STATE / "audit" / "audit.log"
WRAPPERS = STATE / "bin"
CONTEXT = "typosentinel-local"

LOCK_TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class Person:
    """Whose cluster this is: with sudo not root, but whoever called it."""

    uid: int
    gid: int
    home: Path


def person(environment: Mapping[str, str] = os.environ, uid: int | None = None) -> Person:
    """Find out on whose behalf this runs."""
    uid = os.geteuid() if uid is None else uid
    if uid == 0 and environment.get("SUDO_UID", "").isdigit():
        uid = int(environment["SUDO_UID"])
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Person(uid, os.getgid(), Path(environment.get("HOME", "/")))
    same = uid == os.geteuid()
    return Person(uid, entry.pw_gid, Path(environment.get("HOME", entry.pw_dir) if same else entry.pw_dir))


def cache_directory(environment: Mapping[str, str] = os.environ, home: Path | None = None) -> Path:
    """Return the folder for what is slow to make: outside the work tree, so that every checkout shares it."""
    chosen = environment.get("TYPOSENTINEL_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    xdg = environment.get("XDG_CACHE_HOME")
    root = Path(xdg) if xdg else (home or person(environment).home) / ".cache"
    return root / "typosentinel"


def give_to(owner: Person, *paths: Path) -> None:
    """Hand files that root made to the person they are for; without root there is nothing to hand over."""
    if os.geteuid() != 0:
        return
    for path in paths:
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file in one step, so that a killed run never leaves half of it, nor a secret readable for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    temporary.chmod(mode)
    temporary.replace(path)


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock that the kernel gives back by itself when the holder dies, whatever kills it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"another run has held {path} for half an hour", advice=f"Look who holds it: fuser {path}"
                    ) from None
                if not told:
                    say(f"waiting for another run to finish {what} …")
                    told = True
                time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)
