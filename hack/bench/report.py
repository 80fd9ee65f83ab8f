"""What every benchmark prints: tables for people, and one JSON object on the last line."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

DIGITS = 4
Figures = Mapping[str, float | None]
Bound = tuple[str, float]
Wanted = Mapping[str, Bound]


def falls_short(value: float | None, bound: Bound) -> bool:
    """Whether a figure misses its bound; one that was not measured (None) misses nothing.

    Args:
        value: what was measured.
        bound: "at most" or "at least", and the number.
    """
    direction, limit = bound
    if value is None:
        return False
    return value > limit if direction == "at most" else value < limit


def said(value: float | None) -> str:
    """A figure as people read it: a count as it is, else four digits; "-" for what was not measured."""
    if value is None:
        return "-"
    whole = len(str(int(abs(value))).lstrip("0"))
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{max(0, DIGITS - whole)}f}"


def bound_said(bound: Bound | None) -> str:
    """A bound as people read it; empty where there is none."""
    return f"{bound[0]} {bound[1]:,.6g}" if bound else ""


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table: the first row is the heading, the first column flush left, the others flush right.

    Args:
        rows: all of the same length.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) if n else cell.ljust(width) for n, (cell, width) in enumerate(pairs)).rstrip()
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:]])


def judged(figures: Figures, wanted: Wanted) -> str:
    """A table of all figures beside what is wanted; those that miss it are marked."""
    rows = [["figure", "measured", "wanted", ""]]
    for name, value in figures.items():
        bound = wanted.get(name)
        mark = "SHORT" if bound and falls_short(value, bound) else ""
        rows.append([name, said(value), bound_said(bound), mark])
    return columns(rows)


def report(bench: str, figures: Figures, wanted: Wanted, **details: Any) -> None:
    """Print the result as one line of JSON.

    Args:
        bench: name of the benchmark.
        figures: what was measured; None for what could not be.
        wanted: per figure, "at most" or "at least" and the bound.
        details: further members of the object.
    """
    result = {
        "bench": bench,
        "figures": {name: None if value is None else round(value, 5) for name, value in figures.items()},
        "wanted": {name: f"{direction} {bound:.6g}" for name, (direction, bound) in wanted.items()},
        "short": [name for name, bound in wanted.items() if falls_short(figures[name], bound)],
    }
    print(json.dumps(result | details), flush=True)
