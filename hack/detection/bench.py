"""How well the scanner detects: `BENCH_DATA=DIR make bench-detection`.

The command line judges the labelled names, with the lists that the labels refer to and with the built-in ones, and the
labels' own program scores what it said. hack/bench/README.md says what each figure means.
"""

import sys
from typing import Any

from hack.bench.data import OUT, Data, main
from hack.bench.report import Bound, report
from hack.cluster.progress import Steps
from hack.detection import listed, tables
from hack.detection.heldout import held_out
from hack.detection.runs import Run, answers_in, rows_of, scanned, score
from typosentinel_server.engines import Library

NOTES = """\
held out: the bench's lists, each name judged by weights that were learned without it and its target; thresholds are
those of all held-out scores. "bench's lists" are the weights of the package, which have seen these names.
"-": the labels hold no such names, so it was not measured.
built-in: the labels say which targets are on the bench's lists; that was looked up anew in the built-in lists. Names of
the bench that are on these never alert, so the shares of false positives are too good. "built-in, unseen" leaves them
out, so its shares are those of names it has to judge.
"""
Scored = dict[str, dict[str, Any]]
PLACE = OUT / "detection"


def runs_over(data: Data) -> list[Run]:
    """All runs; the bounds are on those that have some."""
    library = Library()
    on_builtin = listed.on(library.read(ecosystem) for ecosystem in library.ecosystems)
    relisted = listed.relisted(rows_of(data.dev), on_builtin)
    unseen = listed.unseen(relisted, on_builtin, library.ecosystems)
    builtin = scanned(None)
    return [
        Run("held_out", "held out", data.dev, held_out(data), tables.WANTED),
        Run("bench", "bench's lists", data.dev, scanned(data.corpora), tables.WANTED),
        Run("builtin", "built-in", listed.write(relisted, PLACE / "dev-builtin.csv"), builtin),
        Run("builtin_unseen", "built-in, unseen", listed.write(unseen, PLACE / "dev-builtin-unseen.csv"), builtin),
    ]


def measure(data: Data) -> None:
    """Measure and print. Raises NotRun."""
    PLACE.mkdir(parents=True, exist_ok=True)
    runs = runs_over(data)
    steps = Steps(len(runs) + 1)
    scored: Scored = {}
    for run in runs:
        with steps.step(f"scan and score the labelled names: {run.title}"):
            predictions = PLACE / f"{run.name}.ndjson"
            run.predict(run.bench, predictions)
            scored[run.name] = score(data.scorer, run.bench, predictions)
    with steps.step("scan the generated names"):
        answers = PLACE / "synth.ndjson"
        scanned(data.corpora)(data.synth, answers)
        synth = tables.shares(rows_of(data.synth), answers_in(answers))
    _print_scores(runs, scored)
    _print_synth(synth)
    _report(runs, scored, synth)


def _print_scores(runs: list[Run], scored: Scored) -> None:
    print("Labelled names (bench_dev.csv)\n")
    print(tables.score_table([(run.title, tables.figures_of(scored[run.name]), run.wanted) for run in runs]))
    print(NOTES)
    by_title = [(run.title, scored[run.name]) for run in runs]
    print(tables.counts_table("flagged listed attacks by category", "by_category", by_title), end="\n\n")
    print(tables.counts_table("flagged listed attacks by ecosystem", "by_ecosystem", by_title), end="\n\n")


def _print_synth(synth: tables.Shares) -> None:
    print("Generated confusions (bench_synth.csv), bench's lists: share suspicious / share at least advisory")
    direction, bound = tables.SINGLE_EDIT_WANTED
    where = ", ".join(tables.SINGLE_EDITS_IN)
    print(f"Wanted of single edits in {where}: {direction} {bound:g} suspicious; a star marks what falls short.\n")
    print(tables.synth_table(synth), end="\n\n")


def _report(runs: list[Run], scored: Scored, synth: tables.Shares) -> None:
    figures: dict[str, float | None] = {}
    wanted: dict[str, Bound] = {}
    for run in runs:
        figures |= {f"{run.name}.{name}": value for name, value in tables.figures_of(scored[run.name]).items()}
        wanted |= {f"{run.name}.{name}": bound for name, bound in run.wanted.items()}
    single_edits = tables.single_edits(synth)
    wanted |= dict.fromkeys(single_edits, tables.SINGLE_EDIT_WANTED)
    counts = {key: {run.name: scored[run.name][key] for run in runs} for key in ("by_category", "by_ecosystem")}
    report("detection", figures | single_edits, wanted, **counts, synth=synth)


if __name__ == "__main__":
    sys.exit(main("bench-detection", measure))
