"""`typosentinel config`."""

from pathlib import Path

import click

from typosentinel_server.configuration import lists_of, read_document
from typosentinel_server.document import digest_of
from typosentinel_server.engines import Library
from typosentinel_server.knowledge import read_knowledge
from typosentinel_server.settings import parse_settings


@click.group("config")
def command() -> None:
    """Work with the server's configuration document."""


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say whether a server would take FILE and the lists that it names.

    Exit code 0 if so, 2 if not; every mistake is named with file, line and field.
    """
    content = read_document(file)
    settings = parse_settings(content, str(file), Library().ecosystems)
    knowledge = read_knowledge(lists_of(settings, file))
    served = ", ".join(settings.ecosystems) if settings.ecosystems else "all that there are lists for"
    memory = settings.cache.memory
    click.echo(f"{file} is right ({digest_of(content)})")
    click.echo(f"  ecosystems    {served}")
    click.echo(f"  memory cache  {memory.max_entries} entries, {memory.ttl:g} s")
    source = settings.corpus.source
    click.echo(f"  lists         {source.directory or source.url or 'built-in'}")
    for kind, size in knowledge.sizes.items():
        if size:
            click.echo(f"  {kind:<12}  {size} entries")
    providers = settings.providers
    asked = [one.known_as for one in providers.registries]
    asked += [providers.vulnerabilities.name] if providers.vulnerabilities else []
    if asked:
        click.echo(f"  providers     {', '.join(asked)}")
    click.echo(f"  log level     {settings.log_level}")
