"""Progress lines: what is going on, how long it usually takes, how long it took."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

HEARTBEAT_SECONDS = 30.0
SHORT_SECONDS = 10.0


def duration(seconds: float) -> str:
    """Write a duration as a person says it: 0.4 s, 12 s, 3 min 41 s."""
    if seconds < SHORT_SECONDS:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Steps:
    """Numbers the steps of one run and shows a sign of life while a step takes long."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        """Count up to ``total``; write to standard error unless told otherwise, as standard output is for results."""
        self.total = total
        self.number = 0
        self.stream = sys.stderr if stream is None else stream

    @contextmanager
    def step(self, what: str, usually: str = "") -> Iterator[None]:
        """Show one step; the closing time is printed on failure too, so that the line is always complete."""
        self.number += 1
        hint = f" ({usually})" if usually else ""
        width = len(str(self.total))
        line = f"[{self.number:>{width + 1}}/{self.total}] {what}{hint} … "
        begun = time.monotonic()
        self._write(line)
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(line, begun, done), daemon=True)
        ticker.start()
        outcome = ""
        try:
            yield
        except BaseException:
            outcome = "failed after "
            raise
        finally:
            done.set()
            ticker.join(timeout=2)
            end = f"{outcome}{duration(time.monotonic() - begun)}\n"
            self._write(f"\r\033[K{line}{end}" if self.stream.isatty() else end)

    def _tick(self, line: str, begun: float, done: threading.Event) -> None:
        """On a terminal count the seconds in place; elsewhere write a line every half minute."""
        live = self.stream.isatty()
        while not done.wait(1.0 if live else HEARTBEAT_SECONDS):
            elapsed = duration(time.monotonic() - begun)
            self._write(f"\r\033[K{line}{elapsed}" if live else f"{elapsed} … ")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def say(text: str) -> None:
    """Tell the person something that is not a result; results alone go to standard output."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
