"""A progress bar on standard error, for long work and where somebody is looking."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(label: str = "scanning", total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Yields a function that takes the bytes just worked through.

    Args:
        label: what is being done, one word.
        total: the bytes there are; None: those of standard input, where it is a file.

    The bar shows on a terminal only.
    """
    if not sys.stderr.isatty():
        yield _nothing
        return
    # Loading this takes longer than a short scan does.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn(label), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=size_of_input() if total is None else total)
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
