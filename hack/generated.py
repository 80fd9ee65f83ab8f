"""Files that are written out of the sources: written where they differ, or only looked at."""

import argparse
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def stale(files: Mapping[Path, str | None]) -> dict[Path, str | None]:
    """Those of the files that differ from the text that they should hold; None is for one that should not be there."""
    return {path: text for path, text in sorted(files.items()) if (path.read_text() if path.exists() else None) != text}


def write_or_check(description: str | None, files: Mapping[Path, str | None]) -> int:
    """The command line of a program that writes files; returns the exit code.

    Args:
        description: what `--help` says.
        files: the text that each should hold; None for one that should not be there.

    Returns:
        0, and 1 where `--check` was given and a file differs; nothing is written then.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file differs")
    check = parser.parse_args().check
    differing = stale(files)
    for path, text in differing.items():
        if check:
            print(f"not current: {path.relative_to(ROOT)} (make generate)")
        elif text is None:
            path.unlink()
            print(f"removed: {path.relative_to(ROOT)}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"written: {path.relative_to(ROOT)}")
    return 1 if check and differing else 0
