"""`typosentinel corpus compile`."""

from pathlib import Path

import click

from typosentinel_server.commands.corpus.opening import open_library
from typosentinel_server.engines import build_engines


@click.command("compile")
@click.option(
    "--corpus", type=click.Path(path_type=Path), help="A directory or .tar archive instead of the built-in lists."
)
def compile_(corpus: Path | None) -> None:
    """Put lists into the cache in the form that scans read, so that the next start takes no time.

    Scans do this by themselves where it is missing. The cache is typosentinel/lists in XDG_CACHE_HOME, by default
    ~/.cache; it can be removed at any time.
    """
    engines = build_engines(open_library(corpus))
    for found in engines.corpora:
        click.echo(f"{found.ecosystem:<10} {found.size:>7} names  {found.version}")
