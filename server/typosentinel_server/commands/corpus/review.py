"""`typosentinel corpus review`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from typosentinel_server.commands.corpus.opening import open_library
from typosentinel_server.engines import build_engines
from typosentinel_server.errors import printable
from typosentinel_server.progress import counting
from typosentinel_server.scan import review as reviewing
from typosentinel_server.scan.review import DEFAULT_TIMES, Doubt

WIDTH = 214
SENTENCE = 500


@click.command("review")
@click.option(
    "--corpus", type=click.Path(path_type=Path), help="A directory or .tar archive instead of the built-in lists."
)
@click.option(
    "--times",
    type=click.IntRange(2),
    default=DEFAULT_TIMES,
    show_default=True,
    help="Compare with names whose rank is so many times better.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def review(corpus: Path | None, times: int, form: str) -> None:
    """Look for squats on the lists: names that would be suspicious if they were not listed.

    What is listed never alerts, so a squat that found its way onto a list is trusted from then on. Most of what this
    shows is honest: look at each, and name those that are not in a file for corpus build --without.

    \b
    Examples:
      typosentinel corpus review
      typosentinel corpus review --corpus lists --format json
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    engines = build_engines(open_library(corpus))
    with counting("looking", sum(facts.size for facts in engines.corpora)) as advance:
        found = [d for e in engines.ecosystems for d in reviewing.review(engines.engine(e), times, advance)]
    found.sort(key=lambda doubt: -doubt.score)
    if form == "json":
        click.echo(json.dumps([_as_json(doubt) for doubt in found], indent=2))
    else:
        _print(found, sum(facts.ranked for facts in engines.corpora))


def _as_json(doubt: Doubt) -> dict[str, object]:
    return {"targetRank" if key == "target_rank" else key: value for key, value in asdict(doubt).items()}


def _print(doubts: Sequence[Doubt], ranked: int) -> None:
    for doubt in doubts:
        name, sentence = printable(doubt.name, WIDTH), printable("; ".join(doubt.reasons), SENTENCE)
        score = f"{int(doubt.score * 100) / 100:.2f}"
        click.echo(f"{doubt.ecosystem:<10} {score}  {name} (rank {doubt.rank}): {sentence}")
    click.echo(f"{len(doubts)} doubtful of {ranked} names with a rank")
