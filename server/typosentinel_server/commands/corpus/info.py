"""`typosentinel corpus info`."""

import json
from datetime import UTC
from pathlib import Path

import click

from typosentinel_server.commands.corpus.opening import open_library
from typosentinel_server.engines import Library
from typosentinel_server.scan.corpus import Corpus
from typosentinel_server.scan.model import Ecosystem


@click.command("info")
@click.option(
    "--corpus", type=click.Path(path_type=Path), help="A directory or .tar archive instead of the built-in lists."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def info(corpus: Path | None, form: str) -> None:
    """Say what names are compared with: how many, how old, and what is missing."""
    library = open_library(corpus)
    lists = [library.read(ecosystem) for ecosystem in library.ecosystems]
    missing = [ecosystem for ecosystem in Ecosystem if ecosystem not in library.ecosystems]
    if form == "json":
        document = {
            "source": library.bundle.where,
            "vouchedBy": library.bundle.vouched_by,
            "lists": [_as_json(found) for found in lists],
            "missing": missing,
        }
        click.echo(json.dumps(document, indent=2))
        return
    _print(library, lists, missing)


def _print(library: Library, lists: list[Corpus], missing: list[Ecosystem]) -> None:
    vouched = f"verified by {library.bundle.vouched_by}" if library.bundle.vouched_by else "nothing vouches for them"
    click.echo(f"Lists from {library.bundle.where}; {vouched}.\n")
    click.echo(f"{'ECOSYSTEM':<10} {'NAMES':>7} {'PROTECTED':>9}  {'DRAWN UP':<10}  {'VERSION':<19}  REMARKS")
    for found in lists:
        remarks = [
            "partial" * found.partial,
            "no ranks" * (not _ranked(found)),
            "none vouched for" * (not any(entry.trusted for entry in found.entries)),
            f"{found.skipped} rows skipped" * bool(found.skipped),
        ]
        click.echo(
            f"{found.ecosystem:<10} {len(found.entries):>7} {_protected(found):>9}  "
            f"{found.created.astimezone(UTC):%Y-%m-%d}  {found.version}  {', '.join(filter(None, remarks))}".rstrip()
        )
    if missing:
        click.echo(
            f"\nNo list for {', '.join(missing)}: names there cannot be judged.\n"
            "Bring your own with --corpus DIR: files such as nuget.csv with the columns rank,name,tier."
        )


def _as_json(found: Corpus) -> dict[str, object]:
    return {
        "ecosystem": found.ecosystem.value,
        "version": found.version,
        "createdAt": found.created.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "names": len(found.entries),
        "protected": _protected(found),
        "ranked": _ranked(found),
        "partial": found.partial,
        "skipped": found.skipped,
    }


def _protected(found: Corpus) -> int:
    return sum(entry.protected for entry in found.entries)


def _ranked(found: Corpus) -> bool:
    return any(entry.rank is not None for entry in found.entries)
