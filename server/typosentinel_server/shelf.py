"""Compiled lists, kept as files and mapped into memory, so that processes share them and a start takes no time.

A file's name holds the hash of what it was made of and the layout, so a file is either right or not there; one that
is damaged is made anew. Without a place to write, lists are compiled in memory.
"""

import mmap
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from typosentinel_server.errors import CorpusUnreadable

Opened = TypeVar("Opened")
MOST_FILES = 64


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
                return open_(_mapped(path))
        content = compile_()
        if path:
            with suppress(OSError, ValueError):
                self._keep(path, content)
                return open_(_mapped(path))
        return open_(memoryview(content))

    def _keep(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".making-", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                # Whoever else may look here reads the same file.
                Path(file.name).chmod(0o644)
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink()
                raise
        files = sorted(path.parent.glob("*.typo"), key=lambda f: f.stat().st_mtime, reverse=True)
        for old in files[MOST_FILES:]:
            # A process that has it mapped keeps it.
            old.unlink(missing_ok=True)


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
