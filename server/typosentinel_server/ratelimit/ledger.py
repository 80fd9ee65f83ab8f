"""What one caller used up lately, seen from one replica: a sliding window and a token bucket in a few hundred bytes.

The window is a log of what was used and when. What was used within a small part of the window becomes one line of it,
which counts until its last use has left the window: the sum may be a little too high, never too low.
"""

from array import array
from collections.abc import Iterator
from typing import Final

from typosentinel_server.ratelimit.policy import Rule

# Lines of the log per window; with fewer requests than this in a window, every request has its own.
LINES: Final = 64
# A line: first use, last use, how much.
WIDTH: Final = 3
# The bucket is filled by multiplication; what is a hair short of a whole token counts as one.
HAIR: Final = 1e-9


class Ledger:
    """Uses of one caller. For one thread; times are of one monotonic clock, in seconds.

    Args:
        rule: the limit that holds.
        now: the time.
    """

    __slots__ = ("_filled", "_grain", "_lines", "_rule", "_sum", "_tokens")

    def __init__(self, rule: Rule, now: float) -> None:
        self._lines = array("d")
        self._sum = 0
        self._tokens = float(rule.burst)
        self._filled = now
        self._rule = rule
        self._grain = 0.0
        self.obey(rule)

    def obey(self, rule: Rule) -> None:
        """Takes another limit; what was used stays used."""
        self._tokens = max(0.0, self._tokens + rule.burst - self._rule.burst)
        self._rule = rule
        self._grain = 0.0 if rule.requests <= LINES else rule.window / LINES

    def take(self, now: float, cost: int) -> bool:
        """Uses so much, or nothing at all where that is too much."""
        self._advance(now)
        if self._sum + cost > self._rule.requests or self._tokens + HAIR < cost:
            return False
        self._write(now, cost)
        return True

    def note(self, now: float, cost: int) -> None:
        """Writes down what was used by another's leave."""
        self._advance(now)
        self._write(now, cost)

    def remaining(self, now: float) -> int:
        """What may be used at once."""
        self._advance(now)
        return max(0, min(self._rule.requests - self._sum, int(self._tokens + HAIR)))

    def wait(self, now: float, cost: int) -> float:
        """Seconds until so much may be used, if nothing else is; a cost above the ceiling never may."""
        self._advance(now)
        lines, missing, wait = self._lines, self._sum + cost - self._rule.requests, 0.0
        for n in range(0, len(lines), WIDTH):
            if missing <= 0:
                break
            missing -= int(lines[n + 2])
            wait = lines[n + 1] + self._rule.window - now
        return max(wait, (cost - self._tokens) / self._rule.pace, 0.0)

    def uses(self, now: float) -> Iterator[tuple[float, int]]:
        """(seconds ago, how much) of all that is in the window."""
        self._advance(now)
        lines = self._lines
        for n in range(0, len(lines), WIDTH):
            yield now - lines[n + 1], int(lines[n + 2])

    def empty(self, now: float) -> bool:
        """Whether nothing is in the window."""
        self._advance(now)
        return not self._lines

    def _advance(self, now: float) -> None:
        lines, gone = self._lines, now - self._rule.window
        while lines and lines[1] <= gone:
            self._sum -= int(lines[2])
            del lines[:WIDTH]
        self._tokens = min(float(self._rule.burst), self._tokens + (now - self._filled) * self._rule.pace)
        self._filled = now

    def _write(self, now: float, cost: int) -> None:
        lines = self._lines
        self._sum += cost
        self._tokens = max(0.0, self._tokens - cost)
        if lines and now - lines[-3] < self._grain:
            lines[-2] = max(lines[-2], now)
            lines[-1] += cost
        else:
            lines.extend((now, now, cost))
