"""Predictions by weights that were learned without the name in question, nor any other with its target."""

import json
from pathlib import Path

from hack.bench.data import Data
from hack.detection.dataset import FOLDS
from hack.detection.fit import Fitted
from hack.detection.runs import Producer
from typosentinel_server.errors import NameRefused
from typosentinel_server.scan.model import Package, parse_ecosystem
from typosentinel_server.scan.scorecard import parse


def held_out(data: Data) -> Producer:
    """Predictions of the dev bench, each name judged by the weights of the folds that it is not in."""

    def predict(_bench: Path, predictions: Path) -> None:
        fitted = Fitted(data)
        cards = [parse(fitted.document(fold)) for fold in range(FOLDS)]
        with predictions.open("w", encoding="utf-8") as file:
            for name in fitted.data:
                row = name.row
                ecosystem = parse_ecosystem(row["ecosystem"])
                engine = fitted.engines.engine(ecosystem).with_card(cards[name.fold])
                said: dict[str, object] = {"ecosystem": row["ecosystem"], "name": row["name"]}
                try:
                    result = engine.scan(Package(ecosystem, row["name"]))
                except NameRefused as error:
                    said["refused"] = error.code
                else:
                    said |= {"verdict": result.verdict, "score": result.score, "targets": result.targets}
                file.write(json.dumps(said) + "\n")

    return predict
