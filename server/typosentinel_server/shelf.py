"""Compiled lists, kept as files and mapped into memory, so that processes share them and a start takes no time.

A file's name holds the hash of what it was made of and the layout, so a file is either right or not there; one that
is damaged is made anew. Without a place to write, lists are compiled in memory. Files are replaced and never changed in
place: a process that has one mapped would be killed by that, so nobody else should do so either.
"""

import mmap
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from typosentinel_server.errors import CorpusUnreadable

Opened = TypeVar("Opened")
MOST_FILES = 64
# More processes than this do not compile at once.
MOST_MAKING = 16
MAKING = ".making-"
OTHERS_WRITE = 0o022


class Mapped(mmap.mmap):
    """A file in memory that can be handed to another process.

    Attributes:
        descriptor: the open file.
    """

    descriptor: int = -1

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


class Shelf:
    """Files of compiled lists.

    Args:
        place: a directory, made where it is missing; None for memory only.
    """

    def __init__(self, place: Path | None) -> None:
        self._place = place

    def take(self, name: str, compile_: Callable[[], bytes], open_: Callable[[memoryview], Opened]) -> Opened:
        """What a file of that name holds; compiled and kept where there is none.

        Args:
            name: tells what the file is made of.
            compile_: makes the bytes; what it raises passes through.
            open_: reads them; raises CorpusUnreadable where they are damaged.
        """
        path = self._place / name if self._place else None
        if path:
            with suppress(OSError, ValueError, CorpusUnreadable):
                found = open_(_mapped(path))
                # What is in use is swept last.
                with suppress(OSError):
                    os.utime(path)
                return found
        content = compile_()
        if path:
            with suppress(OSError, ValueError, CorpusUnreadable):
                _keep(path, content)
                return open_(_mapped(path))
        return open_(memoryview(content))


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=MAKING, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            # Whoever else may look here reads the same file.
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    with suppress(OSError):
        _sweep(path.parent)


def _sweep(place: Path) -> None:
    """Removes what has not been used for longest beyond a number, and what somebody who was killed left half done."""
    files = sorted(place.glob("*.typo"), key=lambda f: f.stat().st_mtime, reverse=True)
    leftovers = sorted(place.glob(f"{MAKING}*"), key=lambda f: f.stat().st_mtime, reverse=True)
    for old in (*files[MOST_FILES:], *leftovers[MOST_MAKING:]):
        # A process that has it mapped keeps it.
        old.unlink(missing_ok=True)


def _mapped(path: Path) -> memoryview:
    """The bytes of a file that only we or root can have written. Raises ValueError for another's.

    Whoever can write it decides what is popular, and a checksum is no signature.
    """
    # A pipe of that name would else wait for its writer for ever.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        ours = facts.st_uid in (0, os.geteuid()) and not facts.st_mode & OTHERS_WRITE
        if not (ours and stat.S_ISREG(facts.st_mode)):
            raise ValueError(f"{path} may be another's")
        return mapped(file.fileno())


def mapped(descriptor: int) -> memoryview:
    """The bytes of an open file, which may be closed afterwards. Raises OSError, or ValueError for an empty one."""
    found = Mapped(descriptor, 0, access=mmap.ACCESS_READ)
    found.descriptor = os.dup(descriptor)
    return memoryview(found)
