"""`typosentinel corpus diff`."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from typosentinel_server.bundles.compare import Difference, Move, compare
from typosentinel_server.commands.corpus.opening import open_bundle
from typosentinel_server.errors import printable

WIDTH = 214


@click.command("diff")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--limit", type=click.IntRange(0), default=10, show_default=True, help="Names shown of each sort, as text."
)
def diff(before: str, after: str, form: str, limit: int) -> None:
    """Say what differs between two sets of lists: directories, .tar archives, or the word builtin.

    \b
    Examples:
      typosentinel corpus diff builtin lists
      typosentinel corpus diff old.tar new.tar --format json
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    found = compare(open_bundle(before), open_bundle(after))
    if form == "json":
        click.echo(json.dumps([_as_json(difference) for difference in found], indent=2))
        return
    for difference in found:
        _print(difference, limit)


def _as_json(difference: Difference) -> dict[str, object]:
    names = {"newly_protected": "newlyProtected", "no_longer_protected": "noLongerProtected"}
    return {names.get(key, key): value for key, value in asdict(difference).items()}


def _print(difference: Difference, limit: int) -> None:
    counts = f"{difference.ecosystem}: {difference.before} names before, {difference.after} after"
    if difference.same:
        click.echo(f"{counts}; nothing differs")
        return
    click.echo(counts)
    _names("added", difference.added, limit)
    _names("removed", difference.removed, limit)
    _names("moved", [_move(move) for move in difference.moved], limit)
    _names("protected now", difference.newly_protected, limit)
    _names("not protected any more", difference.no_longer_protected, limit)


def _names(what: str, names: Sequence[str], limit: int) -> None:
    if names:
        more = ", …" * (len(names) > limit)
        shown = ", ".join(printable(name, WIDTH) for name in names[:limit])
        click.echo(f"  {len(names)} {what}" + (f": {shown}{more}" if limit else ""))


def _move(move: Move) -> str:
    return f"{move.name} ({_rank(move.before)} to {_rank(move.after)})"


def _rank(rank: int | None) -> str:
    return "no rank" if rank is None else str(rank)
