"""Fit the weights of the score card: `BENCH_DATA=DIR python -m hack.detection.fit [--write]`.

Weights are learned on labelled names and judged on names held out: in each of five rounds a fifth of the targets is
set aside. Thresholds come from the held-out scores. `--write` puts weights learned of all names, and these
thresholds, into the package; without it only the figures are shown.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hack.bench.data import Data
from hack.bench.data import main as measured
from hack.detection import learn
from hack.detection.dataset import Labelled, labelled, made
from hack.detection.design import DESIGN
from hack.detection.fitting import Fit, Floats
from hack.detection.runs import UNSCORED, rows_of
from hack.detection.thresholds import Judging, judging, reliability
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem

OUT = Path(__file__).resolve().parents[2] / "server" / "typosentinel_server" / "scan" / "weights.json"
MADE_EACH = 1350
SUSPICIOUS_FROM = 0.5
EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.01)


class Fitted:
    """Weights, whole and with each fold held out, and the thresholds that both share.

    Args:
        data: a complete directory of labelled names.
    """

    def __init__(self, data: Data) -> None:
        self.engines: Engines = build_engines(Library(data.corpora))
        rows = [row for row in rows_of(data.dev) if row["ecosystem"] not in UNSCORED]
        self.data: list[Labelled] = list(labelled(rows, self.engines))
        ours = list(labelled(made(self.engines, MADE_EACH), self.engines))
        groups = {group: learn.pairs_of(group, [*self.data, *ours]) for group in DESIGN}
        self._whole = learn.learn(groups)
        self._folds = learn.crossed(groups)
        self.judging: Judging = judging(self.data, self._held_out())

    def document(self, fold: int | None = None) -> dict[str, object]:
        """The score card in its JSON form, learned without a fold or of everything."""
        fits = self._whole if fold is None else self._folds[fold]
        judged = self.judging
        moved = {group: _moved(fit, judged) for group, fit in fits.items()}
        return learn.document(moved, judged.advisory_from, SUSPICIOUS_FROM)

    def scores(self) -> Floats:
        """The score of each labelled name by weights learned without it."""
        ecosystems = [parse_ecosystem(name.row["ecosystem"]) for name in self.data]
        scores: Floats = 1 / (1 + np.exp(-self.judging.apply(self._held_out(), ecosystems)))
        return scores

    def _held_out(self) -> Floats:
        cards = [learn.scorecard(fits) for fits in self._folds]
        return np.array([learn.odds(name, cards[name.fold]) for name in self.data])


def _moved(fit: Fit, judged: Judging) -> Fit:
    weights = {name: tuple(judged.slope * w for w in found) for name, found in fit.weights.items()}
    places = zip(weights["ecosystem"], Ecosystem, strict=True)
    weights["ecosystem"] = tuple(weight + judged.moved[ecosystem] for weight, ecosystem in places)
    return Fit(judged.slope * fit.start, weights)


def show(fitted: Fitted) -> None:
    """Print thresholds and how well scores are probabilities."""
    judged = fitted.judging
    print(f"advisory from {judged.advisory_from}, suspicious from {SUSPICIOUS_FROM}, slope {judged.slope:.3f}")
    print(f"attacks are {judged.more:.2f} times as common in the mix as among the labels")
    print("\n| mean score | share of attacks | names |\n| --- | --- | --- |")
    for mean, share, names in reliability(fitted.data, fitted.scores(), EDGES, judged.more):
        print(f"| {mean:.3f} | {share:.3f} | {names} |")


def main(arguments: Sequence[str]) -> int:
    """Fit and show, and write where that is asked for; returns the exit code."""

    def fit(data: Data) -> None:
        fitted = Fitted(data)
        show(fitted)
        if "--write" in arguments:
            OUT.write_text(json.dumps(fitted.document(), indent=1) + "\n", encoding="utf-8")
            print(f"\nwritten: {OUT.name}")

    return measured("fit-weights", fit)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
