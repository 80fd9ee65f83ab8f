"""`typosentinel corpus`, one file a sub-command."""

import click

from typosentinel_server.commands.corpus.build import build
from typosentinel_server.commands.corpus.compile import compile_
from typosentinel_server.commands.corpus.diff import diff
from typosentinel_server.commands.corpus.info import info
from typosentinel_server.commands.corpus.review import review
from typosentinel_server.commands.corpus.update import update


@click.group("corpus")
def command() -> None:
    """Look at the lists of popular names, make your own, keep them fresh.

    \b
    Examples:
      typosentinel corpus info
      typosentinel corpus review
      typosentinel corpus build --out lists pypi=top.csv npm=names.txt
      typosentinel corpus update lists --url https://example.org/lists.tar
      typosentinel corpus diff builtin lists
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"


for _part in (info, review, build, update, diff, compile_):
    command.add_command(_part)
