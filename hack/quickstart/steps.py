"""Numbered steps with their times, so that whoever waits knows for what and how long."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Steps:
    """Prints `[2/6] images …` and, when a step has ended, its time.

    Args:
        total: number of steps.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0
        self._started = time.monotonic()

    @contextmanager
    def step(self, title: str, usual: str) -> Iterator[None]:
        """One step; `usual` says how long it takes on two cores."""
        self._number += 1
        label = f"[{self._number}/{self._total}] {title}"
        print(f"{label} … ({usual})", flush=True)
        started = time.monotonic()
        yield
        print(f"{label}: {time.monotonic() - started:.0f} s", flush=True)

    def total_seconds(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self._started


def headline(text: str) -> None:
    """A line that stands out on a terminal."""
    mark = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{mark[0]}{text}{mark[1]}", flush=True)
