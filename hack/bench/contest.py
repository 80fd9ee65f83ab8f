"""Contestants: each a process of its own that loads its lists, answers chunks of names and says how long each took.

A process each keeps one contestant's memory, caches and garbage collection out of another's figures. The protocol: a
contestant writes a line `{"load_ns": …}` once it is ready; then it reads lines `<ecosystem>TAB<name>` up to an empty
one and answers with one line of nanoseconds: one number a name, or one for the whole chunk.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from hack.bench.data import NotRun

KIB = 1024


class Contestant:
    """One running process.

    Args:
        name: what people call it.
        command: starts it.

    Raises:
        NotRun: it ended before it was ready.
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        try:
            self.load_s = json.loads(self._line())["load_ns"] / 1e9
        except NotRun:
            self._end()
            raise

    def ask(self, pairs: Iterable[tuple[str, str]]) -> list[int]:
        """Nanoseconds that it took, for (ecosystem, name) pairs. Raises NotRun where it died of one."""
        assert self._process.stdin  # noqa: S101 - Popen was told so
        try:
            self._process.stdin.writelines(f"{ecosystem}\t{name}\n" for ecosystem, name in pairs)
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died; reading says so
        return [int(word) for word in self._line().split()]

    def rss_mb(self, which: str = "VmRSS") -> float:
        """What it holds in memory now, in MiB: VmRSS, or a part of it, such as RssAnon (not from files)."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith(f"{which}:"):
                return int(line.split()[1]) / KIB
        raise NotRun(f"the kernel does not say how much memory {self.name} holds ({which}).")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout  # noqa: S101 - Popen was told so
        line = self._process.stdout.readline()
        if not line:
            self._process.kill()
            raise NotRun(f"{self.name} ended with {self._process.wait()}; what it said is above.")
        return line


def python(name: str, directory: Path) -> Contestant:
    """A contestant of `hack.bench.contestants`, on the lists in a directory."""
    return Contestant(name, [sys.executable, "-m", "hack.bench.contestants", name, str(directory)])


def forget(directory: Path) -> None:
    """Have the kernel drop a directory's files from its cache, so that the next reader goes to the disk."""
    for path in directory.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
