"""What a run of the generator comes to: counts, quantiles by span of time, failures by kind."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Span = tuple[float, float]
NINETY_NINE = 0.99


class Unfinished(Exception):
    """The output ends before the generator has told what became of its requests."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the requests of one run.

    Attributes:
        began: seconds since the epoch.
        answers: for each good answer when it was due, in seconds since the epoch, and the seconds that it took since.
        failures: as the generator tells them.
        connections: that were opened.
        late: seconds by which the generator itself was late at most.
    """

    began: float
    answers: tuple[tuple[float, float], ...]
    failures: tuple[dict[str, Any], ...]
    connections: int
    late: float

    @property
    def requests(self) -> int:
        """All that were sent."""
        return len(self.answers) + len(self.failures)

    def took(self, spans: Sequence[Span]) -> list[float]:
        """Seconds of the answers that were due within these spans, in order."""
        return sorted(took for due, took in self.answers if any(start <= due < end for start, end in spans))

    def kinds(self) -> dict[str, int]:
        """Failures by what they look like."""
        return dict(Counter(_looks(failure) for failure in self.failures).most_common())


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of an ordered list lies; 0 of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def read(output: str) -> Outcome:
    """What the generator has printed.

    Raises:
        Unfinished: its last line is missing.
    """
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    if not lines or "failures" not in lines[-1]:
        raise Unfinished(output[-500:])
    last = lines[-1]
    began = float(last["began"])
    answers = tuple(
        (began + at / 1000, took / 10_000)
        for line in lines
        if "at_ms" in line
        for at, took in zip(line["at_ms"], line["took_100us"], strict=True)
    )
    return Outcome(began, answers, tuple(last["failures"]), last["connections"], last["sent_late_seconds"])


def near(failures: Iterable[dict[str, Any]], events: Sequence[tuple[float, str]]) -> list[str]:
    """Each failure in words, with what had happened last before it."""
    told = []
    for failure in failures:
        before = [(at, what) for at, what in events if at <= failure["at"]]
        since = f"{failure['at'] - before[-1][0]:.2f} s after {before[-1][1]}" if before else "before anything"
        told.append(
            f"{_looks(failure)}, connection of {failure['connection_age']} s and "
            f"{failure['connection_requests']} requests, {since}"
        )
    return told


def _looks(failure: dict[str, Any]) -> str:
    return f"{'new' if failure['fresh'] else 'kept'} {failure['stage']} {failure['kind']}"
