"""Runs over labelled names: what is asked, which lists it is compared with, and what the answers are worth."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from hack.bench.data import NotRun
from hack.bench.report import Wanted

UNSCORED = frozenset({"github_actions"})  # what the scorer leaves out, and no engine knows
TIMEOUT_SECONDS = 600

Row = Mapping[str, str]
Producer = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One way to come to predictions, and the labels to score them against.

    Attributes:
        name: short, for files and figures.
        title: heads its column.
        bench: the labelled names.
        predict: is called with the bench and a path, and writes its predictions there: an object a line, with
            ecosystem, name, verdict, score and targets.
        wanted: bounds on its figures; empty where none are set.
    """

    name: str
    title: str
    bench: Path
    predict: Producer
    wanted: Wanted = field(default_factory=dict)


def scanned(corpus: Path | None) -> Producer:
    """Predictions of `typosentinel scan`, run as its users run it.

    Args:
        corpus: the lists to compare with; None for the built-in ones.
    """

    def predict(bench: Path, predictions: Path) -> None:
        questions = predictions.with_suffix(".tsv")
        asked = (f"{row['ecosystem']}\t{row['name']}\n" for row in rows_of(bench) if row["ecosystem"] not in UNSCORED)
        questions.write_text("".join(asked), encoding="utf-8")
        lists = ["--corpus", str(corpus)] if corpus else []
        program = Path(sys.executable).parent / "typosentinel"
        with questions.open("rb") as stdin, predictions.open("wb") as stdout:
            _finish([str(program), "scan", "--stdin", "--format", "ndjson", *lists], stdin=stdin, stdout=stdout)

    return predict


def score(scorer: Path, bench: Path, predictions: Path) -> dict[str, Any]:
    """What the labels' own program says of predictions. Raises NotRun where it fails."""
    said = _finish([sys.executable, str(scorer), str(bench), str(predictions)], stdout=subprocess.PIPE)
    try:
        found: dict[str, Any] = json.loads(said)
    except ValueError as error:
        raise NotRun(f"{scorer.name} printed no JSON: {error}.") from error
    return found


def rows_of(bench: Path) -> list[Row]:
    """The rows of a bench."""
    with bench.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def answers_in(predictions: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Predictions by ecosystem and name."""
    with predictions.open(encoding="utf-8") as file:
        return {(found["ecosystem"], found["name"]): found for found in map(json.loads, file)}


def _finish(command: Sequence[str], *, stdout: int | IO[bytes], stdin: IO[bytes] | None = None) -> str:
    shown = f"{Path(command[0]).name} {Path(command[1]).name}"
    try:
        done = subprocess.run(
            command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotRun(f"{shown}: {error}") from error
    if done.returncode:
        raise NotRun(f"{shown} ended with {done.returncode}:\n{done.stderr.decode(errors='replace').strip()}")
    return (done.stdout or b"").decode()
