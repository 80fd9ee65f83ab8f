"""From weights to verdicts: the same rule for every registry, and scores that mean what they say.

Weights are learned where attacks are as common as in the labels, which is no registry's rate. So each ecosystem's
start is moved until the share of honest tail names that are suspicious is the one allowed there; npm, where most
attacks are, is allowed more. A line through the held-out log-odds (Platt, 1999) then makes scores probabilities, for
the mix of attacks and honest names in which suspicious means as likely as not: a score of one half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hack.detection.dataset import SAMPLED, Labelled
from hack.detection.fitting import Bools, Floats
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem

# Share of unseen honest tail names that may be suspicious. All of them together stay below 0.01, each below 0.02.
ALLOWED = {Ecosystem.NPM: 0.0128, Ecosystem.PYPI: 0.0060, Ecosystem.RUBYGEMS: 0.0040, Ecosystem.CRATES: 0.0118}
ALLOWED_ADVISORIES = 0.0262
NEWTON_STEPS = 50


@dataclass(frozen=True, slots=True)
class Judging:
    """What turns log-odds into verdicts.

    Attributes:
        moved: what is added for each ecosystem, after the slope.
        slope: what all log-odds are multiplied by.
        advisory_from: score, 0 to 1; suspicious is from one half.
        more: how many times more common attacks are in the mix that scores refer to than in the labels.
    """

    moved: Mapping[Ecosystem, float]
    slope: float
    advisory_from: float
    more: float

    def apply(self, odds: Floats, ecosystems: Sequence[Ecosystem]) -> Floats:
        """Log-odds as the score card gives them."""
        return np.asarray(odds * self.slope + np.array([self.moved[e] for e in ecosystems]), np.float64)


def judging(data: Sequence[Labelled], odds: Floats) -> Judging:
    """The thresholds for held-out log-odds.

    Args:
        data: labelled names.
        odds: of the strongest suspect of each, by weights that were learned without it.
    """
    ecosystems = [parse_ecosystem(name.row["ecosystem"]) for name in data]
    weights = np.array([SAMPLED.get(name.row.get("kind", ""), 1.0) for name in data])
    tail = np.array([name.row.get("kind", "").startswith("tail") for name in data])
    places = np.array([list(Ecosystem).index(e) for e in ecosystems])
    limits = {
        ecosystem: _limit(odds, weights, tail & (places == list(Ecosystem).index(ecosystem)), allowed)
        for ecosystem, allowed in ALLOWED.items()
    }
    usual = float(np.mean(list(limits.values())))
    even = odds - np.array([limits.get(e, usual) for e in ecosystems])
    slope, start = _line(even, data, weights)
    moved = {e: round(-slope * limits.get(e, usual), 3) for e in Ecosystem}
    advisory = _limit(even, weights, tail, ALLOWED_ADVISORIES)
    return Judging(moved, slope, _score(slope * advisory), float(np.exp(-start)))


def _limit(odds: Floats, weights: Floats, chosen: Bools, allowed: float) -> float:
    """The log-odds that no more than the allowed share of the chosen names exceeds."""
    order = np.argsort(-odds[chosen])
    shares = np.cumsum(weights[chosen][order]) / weights[chosen].sum()
    above, below = odds[chosen][order][[(n := int(np.searchsorted(shares, allowed))) - 1, n]]
    return float((above + below) / 2)


def _line(odds: Floats, data: Sequence[Labelled], weights: Floats) -> tuple[float, float]:
    """Slope and start of the logistic line through the odds of names that resemble anything."""
    attack = np.array([name.attack for name in data])
    gold = np.array([name.row.get("quality") == "gold" and name.row.get("target_listed") == "1" for name in data])
    used = np.isfinite(odds) & (gold | ~attack)
    x = np.column_stack([odds[used], np.ones(used.sum())])
    y, w = attack[used].astype(float), weights[used]
    line = np.array([1.0, 0.0])
    for _ in range(NEWTON_STEPS):
        likely = 1 / (1 + np.exp(-x @ line))
        curve = (x * (w * likely * (1 - likely))[:, None]).T @ x
        line = line + np.linalg.solve(curve, x.T @ (w * (y - likely)))
    return float(line[0]), float(line[1])


def _score(odds: float) -> float:
    return round(float(1 / (1 + np.exp(-odds))), 4)


def reliability(
    data: Sequence[Labelled], scores: Floats, edges: Sequence[float], more: float
) -> list[tuple[float, float, int]]:
    """Between each two edges: mean score, share of attacks, and number of names.

    Args:
        data: labelled names.
        scores: theirs, 0 to 1.
        edges: of the ranges, ascending.
        more: how many times more common attacks are in the mix than in the labels.
    """
    attack = np.array([name.attack for name in data])
    weights = np.array([SAMPLED.get(name.row.get("kind", ""), 1.0) for name in data]) * np.where(attack, more, 1.0)
    counted = np.array(
        [not n.attack or (n.row.get("quality") == "gold" and n.row.get("target_listed") == "1") for n in data]
    )
    rows = []
    for low, high in pairwise(edges):
        chosen = counted & (scores >= low) & (scores < high)
        if chosen.any():
            total = weights[chosen].sum()
            mean, share = (float((weights * values)[chosen].sum() / total) for values in (scores, attack))
            rows.append((mean, share, int(chosen.sum())))
    return rows
