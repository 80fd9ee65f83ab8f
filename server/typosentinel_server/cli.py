"""The command line's frame: which commands there are, and how their failures look."""

from importlib import import_module
from typing import IO, Any

import click

from typosentinel_server import __version__
from typosentinel_server.errors import DomainError, did_you_mean, shown

FAILED = 2
COMMANDS = {
    "scan": "Judge package names.",
    "serve": "Answer questions about names over HTTP.",
    "methods": "Tell how confusions are found.",
    "benchmark": "Measure the methods on labelled names.",
    "corpus": "Look at the lists of popular names, make and update them.",
    "config": "Work with the server's configuration document.",
}


class Failure(click.ClickException):
    """A domain error on a terminal: what is wrong, then what to do; exit code 2."""

    exit_code = FAILED

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message)
        self._suggestion = error.suggestion

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes to standard error."""
        click.echo(f"{click.style('error:', fg='red', bold=True)} {self.message}", err=True, file=file)
        click.echo(self._suggestion, err=True, file=file)


class Program(click.Group):
    """A group whose commands are imported when they are asked for, so that a scan loads no web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of their importance."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"typosentinel_server.commands.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; a slip is answered with the closest one."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"there is no command {shown(args[0])}. {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command; domain errors become messages."""
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise Failure(error) from error


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="typosentinel")
def program() -> None:
    """Catch typosquatted package names before an install does.

    \b
    Examples:
      typosentinel scan reqeusts requests
      typosentinel scan --ecosystem npm lodahs --fail-on suspicious
      typosentinel serve --port 8080
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
