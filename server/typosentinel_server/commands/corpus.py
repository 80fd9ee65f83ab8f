"""`typosentinel corpus`."""

from datetime import UTC
from pathlib import Path

import click

from typosentinel_server.engines import Library
from typosentinel_server.scan.model import Ecosystem


@click.group("corpus")
def command() -> None:
    """Look at the lists of popular names."""


@command.command("info")
@click.option("--corpus", type=click.Path(path_type=Path), help="A directory instead of the built-in lists.")
def info(corpus: Path | None) -> None:
    """Say what names are compared with: how many, how old, and what is missing."""
    library = Library(corpus)
    lists = [library.read(ecosystem) for ecosystem in library.ecosystems]
    click.echo(f"{'ECOSYSTEM':<10} {'NAMES':>7} {'PROTECTED':>9}  {'DRAWN UP':<10}  {'VERSION':<19}  REMARKS")
    for found in lists:
        protected = sum(entry.protected for entry in found.entries)
        remarks = [
            "partial" * found.partial,
            "no ranks" * all(entry.rank is None for entry in found.entries),
            f"{found.skipped} rows skipped" * bool(found.skipped),
        ]
        click.echo(
            f"{found.ecosystem:<10} {len(found.entries):>7} {protected:>9}  "
            f"{found.created.astimezone(UTC):%Y-%m-%d}  {found.version}  {', '.join(filter(None, remarks))}".rstrip()
        )
    missing = [ecosystem for ecosystem in Ecosystem if ecosystem not in library.ecosystems]
    if missing:
        click.echo(
            f"\nNo list for {', '.join(missing)}: names there cannot be judged.\n"
            "Bring your own with --corpus DIR: files such as nuget.csv with the columns rank,name,tier."
        )
