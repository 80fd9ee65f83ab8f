"""Score cards learned from labelled names, whole or with a fold held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hack.detection.dataset import FOLDS, Labelled
from hack.detection.design import AROUND, DESIGN, SMOOTHNESS, STATED, Column
from hack.detection.fitting import Fit, Floats, Layout, fit
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
        around: more pairs, which say what these are too few to say.
    """

    layout: Layout
    table: Floats
    labels: Floats
    weights: Floats
    folds: Floats
    around: "Pairs | None" = None


def pairs_of(group: Group, data: Sequence[Labelled]) -> Pairs:
    """What the techniques of a group see in labelled names."""
    wider = AROUND.get(group)
    return _pairs((group,), data, None if wider is None else _pairs((group, wider), data))


def _pairs(groups: Sequence[Group], data: Sequence[Labelled], around: Pairs | None = None) -> Pairs:
    columns: dict[str, Column] = {}
    for group in groups:
        columns |= DESIGN[group]
    layout = Layout(tuple(columns.items()))
    rows = [
        (suspect, name, right, weight)
        for name in data
        for suspect, right, weight in zip(name.suspects, name.right, name.weights, strict=True)
        if suspect.group in groups
    ]
    return Pairs(
        layout,
        layout.table([suspect.signs for suspect, *_ in rows]),
        np.array([float(name.attack and right) for _, name, right, _ in rows]),
        np.array([weight for *_, weight in rows]),
        np.array([name.fold for _, name, *_ in rows], float),
        around,
    )


def learn(groups: Mapping[Group, Pairs], without: int | None = None) -> dict[Group, Fit]:
    """Weights from all pairs, or from those outside one fold."""
    return {group: _fitted(pairs, without, SMOOTHNESS[group]) for group, pairs in groups.items()}


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


def _fitted(pairs: Pairs, without: int | None, smooth: float) -> Fit:
    around = None if pairs.around is None else _fitted(pairs.around, without, smooth)
    used = (pairs.folds != without) & (pairs.weights > 0)
    rows = (pairs.table[used], pairs.labels[used], pairs.weights[used])
    return fit(pairs.layout, *rows, smooth=smooth, around=around)
