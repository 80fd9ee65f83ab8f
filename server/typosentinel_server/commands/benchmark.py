"""`typosentinel benchmark`."""

import json
from pathlib import Path

import click

from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library, build_engines
from typosentinel_server.errors import DataUnreadable
from typosentinel_server.evaluation import Evaluation
from typosentinel_server.labelled import read_labelled
from typosentinel_server.progress import counting
from typosentinel_server.reports import benchmark as report
from typosentinel_server.scan.methods import techniques_named

SLICE = 50


@click.command("benchmark")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="CSV",
    help="Labelled names with the columns ecosystem,name,target,label[,category]; label 1: attack, 0: honest.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Directory of lists such as pypi.csv instead of the built-in ones.",
)
@click.option("--methods", metavar="A,B", help="Count these methods' findings only. `typosentinel methods` names them.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(clock: Clock, *, data: Path, corpus: Path | None, methods: str | None, form: str) -> None:
    """Measure the methods on labelled names: precision, recall, false positives, speed.

    Wrong rows are named on standard error, left out and counted. Exit codes: 0 done, 2 a wrong call, an
    unreadable file, or not a single row that can be judged.

    \b
    Examples:
      typosentinel benchmark --data names.csv
      typosentinel benchmark --data names.csv --methods transposition,omission --format json
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    techniques = None if methods is None else techniques_named(methods.split(","))
    library = Library(corpus)
    labelled = read_labelled(data)
    for line in report.wrong_rows(labelled.faults):
        click.echo(line, err=True)
    # All lists are read before the first name is timed.
    asked = {row.package.ecosystem for row in labelled.rows}
    engines = build_engines(library, [ecosystem for ecosystem in library.ecosystems if ecosystem in asked])
    evaluation = Evaluation(engines, clock.monotonic, techniques)
    with counting("judging", len(labelled.rows)) as advance:
        for start in range(0, len(labelled.rows), SLICE):
            rows = labelled.rows[start : start + SLICE]
            evaluation.add(rows)
            advance(len(rows))
    found = evaluation.report()
    if not found.attacks + found.honest:
        raise DataUnreadable(
            "NOTHING_JUDGED",
            f"no row of {data} can be judged",
            "Check its rows, and that there are lists for their ecosystems: typosentinel corpus info.",
        )
    click.echo(
        json.dumps(report.as_dict(found, labelled.faults), indent=2)
        if form == "json"
        else report.text(found, labelled.faults)
    )
