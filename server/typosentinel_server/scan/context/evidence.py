"""What a kind of knowledge is asked and what it answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import exp
from typing import Protocol

from typosentinel_server.scan.model import Contribution, Finding, ScanResult, Technique, Verdict
from typosentinel_server.scan.naming import Name

SCORE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """One name and what its letters have led to.

    Attributes:
        name: the name in its registry's forms.
        result: the judgement by name alone; its package is the asker's own, version included.
        resembled: gives the popular names that any technique leads from to this one, however weakly, by their letters
            and digits. It takes as long as the judgement, so few ask.
        exists: whether the asker has shown that the registry holds the package.
    """

    name: Name
    result: ScanResult
    resembled: Callable[[], Iterable[str]]
    exists: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding and the verdict that it stands for; the worst of a name's findings decides.

    Attributes:
        finding: what was found.
        verdict: None where the score decides, and what is known of the package may change it.
        at_most: what the score can amount to.
    """

    finding: Finding
    verdict: Verdict | None = None
    at_most: Verdict = Verdict.SUSPICIOUS


class Source(Protocol):
    """A kind of knowledge that has findings of its own. Pure, and as cheap as a few hash probes."""

    def __len__(self) -> int: ...
    def findings(self, asked: Asked) -> tuple[Judged, ...]:
        """What it says of a name; nothing for most."""


def found(technique: Technique, target: str, message: str, *contributions: Contribution) -> Finding:
    """A finding whose score is made of these contributions."""
    return Finding(technique, target, None, message, score_of(contributions), contributions)


def with_more(finding: Finding, contributions: Iterable[Contribution]) -> Finding:
    """A finding with more contributions, scored anew, strongest first."""
    reasons = sorted((*finding.contributions, *contributions), key=lambda c: -abs(c.weight))
    return replace(finding, score=score_of(reasons), contributions=tuple(reasons))


def score_of(contributions: Iterable[Contribution]) -> float:
    """The logistic of the sum: 0 to 1."""
    return round(1 / (1 + exp(-sum(c.weight for c in contributions))), SCORE_DIGITS)
