"""Where the program meets the world: the real clocks and the standard streams are bound here and nowhere else."""

import io
import os
import sys
import time
from pathlib import Path
from traceback import extract_tb

import click

from typosentinel_server.cli import program
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.errors import printable
from typosentinel_server.shelf import Shelf

UNFORESEEN = 70
CANNOT_WRITE = 74
INTERRUPTED = 130
PIPE_CLOSED = 141
SENTENCE = 300


def main() -> None:
    """Runs the command line and ends the process."""
    _open_streams()
    clock = Clock(wall=time.time, monotonic=time.monotonic)  # noqa: TID251 - this is the composition root
    cache = _cache()
    Library.shelf = Shelf(cache / "lists" if cache else None)
    code = _run(clock)
    try:
        sys.stdout.flush()
    except OSError:
        # What is left of the output has nowhere to go; the interpreter must not try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _cache() -> Path | None:
    """The directory for what can be made anew, by the XDG base directory specification; None without a home."""
    place = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(place) if place.startswith("/") else Path("~/.cache").expanduser()) / "typosentinel"
    except RuntimeError:
        # A user that the system does not know, as containers have them.
        return None


def _run(clock: Clock) -> int:
    # Exit code 1 is a verdict's and nothing else's, so that a pipeline can rely on it.
    try:
        code = program.main(prog_name="typosentinel", obj=clock, standalone_mode=False) or 0
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = INTERRUPTED
    except SystemExit as ended:
        # click ends with 1 by itself where the reader of our output has gone, and nowhere else.
        code = PIPE_CLOSED if ended.code == 1 else ended.code
    except BrokenPipeError:
        code = PIPE_CLOSED
    except io.UnsupportedOperation:
        code = _failed("standard input or output is closed, and is needed here", CANNOT_WRITE)
    except OSError as error:
        code = _failed(f"reading or writing failed: {error.strerror or error}", CANNOT_WRITE)
    except Exception as error:  # noqa: BLE001 - a traceback helps nobody at a prompt, and ends with 1
        place = extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        what = f"the program failed with {type(error).__name__} at {where}: {error}"
        code = _failed(f"{what}; please report this sentence and the command", UNFORESEEN)
    return int(code)


def _failed(sentence: str, code: int) -> int:
    click.echo(f"error: {printable(sentence, SENTENCE)}", err=True)
    return code


def _open_streams() -> None:
    # A stream that the caller closed fails when it is used, not before: `serve` needs neither of the first two.
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open as long as the process
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter gets its number, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
