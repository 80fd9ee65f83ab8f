"""The command line, run in this process."""

from pathlib import Path

from click.testing import CliRunner, Result

from typosentinel_server.cli import program
from typosentinel_server.clock import Clock


class Run:
    """The program in this process."""

    def __init__(self, lists: Path, clock: Clock) -> None:
        self._lists = lists
        self._clock = clock

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Result:
        """One run of `typosentinel` with these arguments."""
        return CliRunner().invoke(program, arguments, input=stdin, obj=self._clock)

    def scan(self, *arguments: str, stdin: str | bytes = "") -> Result:
        """One run of `typosentinel scan` on the small lists."""
        return self("scan", "--corpus", str(self._lists), *arguments, stdin=stdin)
