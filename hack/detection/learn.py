"""Score cards learned from labelled names, whole or with a fold held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hack.detection.dataset import FOLDS, Labelled
from hack.detection.design import DESIGN, STATED, Column
from hack.detection.fitting import Bools, Fit, Floats, Layout, fit
from typosentinel_server.scan.evidence import Group
from typosentinel_server.scan.scorecard import Scorecard, parse

DIGITS = 3


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of one group as a table.

    Attributes:
        layout: of the table.
        table: a row for each pair.
        labels: 1 where the suspect is the target of an attack.
        weights: 0 keeps a row out of the fit.
        folds: which fold each row is held out with.
    """

    layout: Layout
    table: Floats
    labels: Floats
    weights: Floats
    folds: Floats


def pairs_of(group: Group, data: Sequence[Labelled]) -> Pairs:
    """What the techniques of a group see in labelled names."""
    layout = Layout(tuple(DESIGN[group].items()))
    rows = [
        (suspect, name, right)
        for name in data
        for suspect, right in zip(name.suspects, name.right, strict=True)
        if suspect.group is group
    ]
    # What an attack is not aimed at says nothing either way.
    weights = [name.weight if right or not name.attack else 0.0 for _, name, right in rows]
    return Pairs(
        layout,
        layout.table([suspect.signs for suspect, _, _ in rows]),
        np.array([float(name.attack and right) for _, name, right in rows]),
        np.array(weights),
        np.array([name.fold for _, name, _ in rows], float),
    )


def learn(groups: Mapping[Group, Pairs], without: int | None = None) -> dict[Group, Fit]:
    """Weights from all pairs, or from those outside one fold."""
    return {group: _fitted(pairs, pairs.folds != without) for group, pairs in groups.items()}


def crossed(groups: Mapping[Group, Pairs]) -> list[dict[Group, Fit]]:
    """Weights for each fold, learned without it."""
    return [learn(groups, fold) for fold in range(FOLDS)]


def document(fits: Mapping[Group, Fit], advisory_from: float, suspicious_from: float) -> dict[str, Any]:
    """A score card in its JSON form."""
    groups = {
        group.value: _card(found.start, {name: (column, found.weights[name]) for name, column in DESIGN[group].items()})
        for group, found in fits.items()
    } | {group.value: _card(*stated) for group, stated in STATED.items()}
    return {"advisoryFrom": advisory_from, "suspiciousFrom": suspicious_from, "groups": groups}


def _card(start: float, signs: Mapping[str, tuple[Column, tuple[float, ...]]]) -> dict[str, Any]:
    return {
        "start": round(start, DIGITS),
        "signs": {
            name: {
                "cuts": list(column.cuts),
                "weights": [round(weight, DIGITS) for weight in weights],
                "reason": column.reason,
            }
            for name, (column, weights) in signs.items()
        },
    }


def scorecard(fits: Mapping[Group, Fit], advisory_from: float = 1.0, suspicious_from: float = 1.0) -> Scorecard:
    """A score card to weigh with."""
    return parse(document(fits, advisory_from, suspicious_from))


def odds(name: Labelled, card: Scorecard) -> float:
    """The log-odds of the strongest suspect that weights were learned for.

    Minus infinity for a name that is listed or resembles nothing.
    """
    if name.known:
        return -np.inf
    return max((card.cards[s.group].odds(s.signs) for s in name.suspects if s.group in DESIGN), default=-np.inf)


def _fitted(pairs: Pairs, chosen: Bools) -> Fit:
    used = chosen & (pairs.weights > 0)
    return fit(pairs.layout, pairs.table[used], pairs.labels[used], pairs.weights[used])
