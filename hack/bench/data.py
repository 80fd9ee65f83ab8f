"""Where the labelled names are that benchmarks measure on: a directory that BENCH_DATA names, not part of this repo."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from typosentinel_server.errors import DomainError
from typosentinel_server.scan.corpus import FILE_STEMS

VARIABLE = "BENCH_DATA"
NOT_RUN = 2
FILES = ("bench_dev.csv", "bench_synth.csv", "score.py", *(f"corpora/{stem}.csv" for stem in FILE_STEMS.values()))
OUT = Path(__file__).resolve().parents[2] / "build" / "bench"
# Where our contestants keep compiled lists, as the program does in the user's cache.
COMPILED = OUT / "compiled"


class NotRun(Exception):
    """Nothing was measured; the text says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class Data:
    """A complete directory.

    Attributes:
        directory: holds all of FILES.
    """

    directory: Path

    @property
    def dev(self) -> Path:
        """Labelled names, attacks and legitimate ones."""
        return self.directory / "bench_dev.csv"

    @property
    def synth(self) -> Path:
        """Generated confusions, all of them attacks."""
        return self.directory / "bench_synth.csv"

    @property
    def scorer(self) -> Path:
        """The program that scores predictions against labels."""
        return self.directory / "score.py"

    @property
    def corpora(self) -> Path:
        """The lists that the labels refer to."""
        return self.directory / "corpora"


def locate(environment: Mapping[str, str]) -> Data:
    """The directory that BENCH_DATA names.

    Raises:
        NotRun: the variable is not set, or the directory lacks a file.
    """
    named = environment.get(VARIABLE)
    if not named:
        raise NotRun(f"{VARIABLE} is not set.\n{_wanted()}")
    directory = Path(named).resolve()
    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        raise NotRun(f"{VARIABLE}={named} has no {', '.join(missing)}.\n{_wanted()}")
    return Data(directory)


def main(target: str, measure: Callable[[Data], None]) -> int:
    """Measure on the directory that BENCH_DATA names; returns the exit code.

    Args:
        target: the make target, for the message where nothing could be measured.
        measure: measures and prints.

    Returns:
        0 once it has measured, whatever the figures; 2 where it could not, having said so on standard error.
    """
    try:
        measure(locate(os.environ))
    except NotRun as error:
        reason = str(error)
    except DomainError as error:
        reason = f"{error.message}.\n{error.suggestion}"
    else:
        return 0
    print(f"*** make {target} was NOT RUN: {reason}", file=sys.stderr)
    return NOT_RUN


def _wanted() -> str:
    return f"Set {VARIABLE} to a directory that holds {', '.join(FILES)}."
