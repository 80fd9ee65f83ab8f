"""Logistic regression on signs that are cut into ranges, by penalised Newton steps.

The penalty keeps weights small and, within one sign, near their neighbours', so that a few rows can't draw a
jagged line. Source: P. Eilers and B. Marx, "Flexible smoothing with B-splines and penalties", 1996 (P-splines of
degree 0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hack.detection.design import Column
from typosentinel_server.scan.evidence import Signs

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

RIDGE = 0.2
# How closely the weights of a group with few rows keep to those of the rows around it.
LOYALTY = 8.0
STEPS = 25
FARTHEST = 4.0
START_ODDS = -3.0
SETTLED = 1e-3


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights of one group.

    Attributes:
        start: log-odds before any sign.
        weights: by sign, one for each range.
    """

    start: float
    weights: Mapping[str, tuple[float, ...]]

    def odds(self, table: Floats, layout: "Layout") -> Floats:
        """Log-odds of each row of a table."""
        flat = np.array([w for name, _ in layout.columns for w in self.weights[name]])
        return np.asarray(table @ flat + self.start, np.float64)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column of a table is which range of which sign."""

    columns: tuple[tuple[str, Column], ...]

    @property
    def width(self) -> int:
        """The number of columns."""
        return sum(len(column.cuts) + 1 for _, column in self.columns)

    def table(self, rows: Sequence[Signs]) -> Floats:
        """One row for each pair: 1 in the range of each sign that it has, 0 elsewhere."""
        table = np.zeros((len(rows), self.width))
        at = 0
        for name, column in self.columns:
            values = np.array([row.get(name, np.nan) for row in rows], float)
            has = np.flatnonzero(~np.isnan(values))
            table[has, at + np.digitize(values[has], column.cuts)] = 1.0
            at += len(column.cuts) + 1
        return table

    def penalty(self, ridge: float, smooth: float) -> Floats:
        """The matrix of the penalty, without the start."""
        matrix = np.eye(self.width) * ridge
        at = 0
        for _, column in self.columns:
            count = len(column.cuts) + 1
            if count > 2 and column.ordered:  # noqa: PLR2004 - a flag has nothing to be smooth along
                for n in range(at, at + count - 1):
                    matrix[n : n + 2, n : n + 2] += smooth * np.array([[1, -1], [-1, 1]])
            at += count
        return matrix


def fit(
    layout: Layout, table: Floats, labels: Floats, weights: Floats, *, smooth: float, around: Fit | None = None
) -> Fit:
    """Weights that make the labels likely.

    Args:
        layout: of the table.
        table: a row for each pair.
        labels: 1 for an attack, 0 for an honest name.
        weights: how many names a row stands for.
        smooth: how even the weights of neighbouring ranges are kept.
        around: weights that hold where the rows say little; without them, none do.
    """
    full = np.hstack([table, np.ones((len(table), 1))])
    penalty = np.zeros((full.shape[1],) * 2)
    penalty[:-1, :-1] = layout.penalty(RIDGE if around is None else LOYALTY, smooth)
    origin = np.zeros(full.shape[1])
    if around is not None:
        penalty[-1, -1] = LOYALTY
        origin[:] = [*(w for name, _ in layout.columns for w in around.weights[name]), around.start]
    found = origin.copy()
    if around is None:
        found[-1] = START_ODDS
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-np.clip(full @ found, -30, 30)))
        slope = full.T @ (weights * (labels - likely)) - penalty @ (found - origin)
        curve = (full * (weights * likely * (1 - likely))[:, None]).T @ full + penalty
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(curve)), slope)
        found += step * min(1.0, FARTHEST / np.abs(step).max())
        if np.abs(step).max() < SETTLED:
            break
    result: dict[str, tuple[float, ...]] = {}
    at = 0
    for name, column in layout.columns:
        count = len(column.cuts) + 1
        result[name] = tuple(found[at : at + count].tolist())
        at += count
    return Fit(float(found[-1]), result)
