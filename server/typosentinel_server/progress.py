"""A progress bar on standard error, for long input and where somebody is looking."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress() -> Iterator[Callable[[int], None]]:
    """Yields a function that takes the bytes just read from standard input.

    The bar knows the end where standard input is a file. It shows on a terminal only.
    """
    if not sys.stderr.isatty():
        yield _nothing
        return
    # Loading this takes longer than a short scan does.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("scanning"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("scanning", total=size_of_input())
        yield lambda count: bar.update(task, advance=count)


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yields a function that takes how many more of `total` things are done. The bar shows on a terminal only."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.update(task, advance=count)


def _nothing(_count: int) -> None:
    return


def size_of_input() -> int | None:
    """The bytes that standard input holds where it is a file; None where nobody knows."""
    try:
        found = os.fstat(sys.stdin.fileno())
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
