"""The weights of the signs: a table that people can read, fitted by `hack/detection/fit.py`.

A score is the logistic of a sum of weights in log-odds. Each sign is cut into ranges with a weight each; a sign
that a pair of names does not have adds nothing.
"""

import json
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from math import exp
from operator import itemgetter
from typing import Any

from typosentinel_server.scan.evidence import Group, Signs
from typosentinel_server.scan.inner import INNER, Table
from typosentinel_server.scan.model import Contribution, Verdict

# Every pair has this sign; the card's start is told with it.
STARTING = "ecosystem"
WEAK = 0.15
VALUE = "{value}"
OTHERS = "all other signs, each of them weak"
_STRENGTH = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Sign:
    """The weights of one sign.

    Attributes:
        cuts: where one range ends and the next begins; a value equal to a cut belongs to the higher one.
        weights: log-odds, one more than cuts.
        reason: what the sign says, with `{value}` where its number belongs; several signs may share one.
            What speaks for an honest name may have words of its own, behind a bar.
    """

    cuts: tuple[float, ...]
    weights: tuple[float, ...]
    reason: str

    def weight(self, value: float) -> float:
        """The log-odds that a value adds."""
        return self.weights[bisect_right(self.cuts, value)]


@dataclass(frozen=True, slots=True)
class _Step:
    # A sign as it is told. What it contributes is made beforehand for each of its ranges, with its strength to sort by;
    # None where it is weak or shares its reason with others, so that it is told together with them.
    cuts: tuple[float, ...]
    weights: tuple[float, ...]
    reason: str
    told: tuple["_Told | None", ...]
    counts: bool
    shares: bool


_Told = tuple[float, Contribution]


@dataclass(frozen=True, slots=True)
class Card:
    """The weights of one group.

    Attributes:
        start: the log-odds before any sign.
        signs: by name.
    """

    start: float
    signs: Mapping[str, Sign]
    _table: Table = field(init=False, repr=False, compare=False)
    _steps: Mapping[str, _Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        reasons = [sign.reason for sign in self.signs.values()]
        steps = {}
        for name, sign in self.signs.items():
            shares = reasons.count(sign.reason) > 1
            weights = tuple(weight + self.start for weight in sign.weights) if name == STARTING else sign.weights
            told = tuple(None if shares or _is_weak(weight) else _tell(sign.reason, weight) for weight in weights)
            steps[name] = _Step(sign.cuts, weights, sign.reason, told, VALUE in sign.reason, shares)
        object.__setattr__(self, "_steps", steps)
        packed = {name: array("d", (*sign.cuts, *sign.weights)).tobytes() for name, sign in self.signs.items()}
        object.__setattr__(self, "_table", packed)

    def odds(self, signs: Signs) -> float:
        """The sum of all weights, in log-odds."""
        if INNER is not None:
            return INNER.odds(signs, self._table, self.start)
        total = self.start
        for name, value in signs.items():
            if name in self.signs:
                total += self.signs[name].weight(value)
        return total

    def contributions(self, signs: Signs) -> tuple[Contribution, ...]:
        """What the sum is made of, strongest first; signs of one reason are one contribution, and so are the weak."""
        steps = self._steps
        told: list[_Told] = []
        together: dict[str, float] = {}
        weak, omitted = 0.0, False
        for name, value in signs.items():
            step = steps.get(name)
            if step is None:
                continue
            at = bisect_right(step.cuts, value)
            ready = step.told[at]
            if ready is not None:
                told.append(_with_value(ready, value) if step.counts else ready)
            elif step.shares:
                reason = step.reason.replace(VALUE, _shown(value)) if step.counts else step.reason
                together[reason] = together.get(reason, 0.0) + step.weights[at]
            else:
                weak += step.weights[at]
                omitted = True
        for reason, weight in together.items():
            if _is_weak(weight):
                weak += weight
                omitted = True
            else:
                told.append(_tell(reason, weight))
        if omitted:
            told.append(_tell(OTHERS, weak))
        told.sort(key=_STRENGTH, reverse=True)
        return tuple([contribution for _, contribution in told])


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All weights and the scores from which a name is an advisory and suspicious."""

    cards: Mapping[Group, Card]
    advisory_from: float
    suspicious_from: float

    def verdict_of(self, score: float) -> Verdict:
        """The verdict that a score, 0 to 1, stands for; a name alone is never malicious."""
        if score >= self.suspicious_from:
            return Verdict.SUSPICIOUS
        return Verdict.ADVISORY if score >= self.advisory_from else Verdict.CLEAN


def logistic(odds: float) -> float:
    """The probability of log-odds."""
    return 1 / (1 + exp(-odds)) if odds > -700 else 0.0  # noqa: PLR2004 - beyond, exp overflows


def parse(document: Mapping[str, Any]) -> Scorecard:
    """A score card from its JSON form. Raises KeyError or ValueError for another form."""
    cards = {}
    for group in Group:
        found = document["groups"][group.value]
        signs = {
            name: Sign(tuple(sign["cuts"]), tuple(sign["weights"]), sign["reason"])
            for name, sign in found["signs"].items()
        }
        cards[group] = Card(found["start"], signs)
    return Scorecard(cards, document["advisoryFrom"], document["suspiciousFrom"])


@cache
def fitted() -> Scorecard:
    """The weights that the package carries."""
    content = resources.files("typosentinel_server").joinpath("scan", "weights.json").read_text(encoding="utf-8")
    return parse(json.loads(content))


def _is_weak(weight: float) -> bool:
    return -WEAK < weight < WEAK


def _tell(reason: str, weight: float) -> _Told:
    against, bar, in_favour = reason.partition("|")
    rounded = round(weight, 3)
    return abs(rounded), Contribution(in_favour if bar and weight < 0 else against, rounded)


def _with_value(told: _Told, value: float) -> _Told:
    strength, contribution = told
    return strength, Contribution(contribution.reason.replace(VALUE, _shown(value)), contribution.weight)


def _shown(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
