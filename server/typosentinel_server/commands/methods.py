"""`typosentinel methods`."""

import json

import click

from typosentinel_server.reports import methods as report
from typosentinel_server.scan.methods import METHODS, method_named


@click.command("methods")
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(*, name: str | None, form: str) -> None:
    """Tell how confusions are found: all methods, or one in full.

    \b
    Examples:
      typosentinel methods
      typosentinel methods bit-flip
      typosentinel methods --format json
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    if name is None:
        everything = [report.as_dict(method) for method in METHODS]
        click.echo(json.dumps(everything, indent=2) if form == "json" else report.table(METHODS))
        return
    method = method_named(name)
    click.echo(json.dumps(report.as_dict(method), indent=2) if form == "json" else report.page(method))
