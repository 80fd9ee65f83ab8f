"""The last line of every benchmark."""

import json
from collections.abc import Mapping


def report(bench: str, figures: Mapping[str, float], wanted: Mapping[str, tuple[str, float]]) -> None:
    """Print the result as one line of JSON.

    Args:
        bench: name of the benchmark.
        figures: what was measured.
        wanted: per figure, "at most" or "at least" and the bound.
    """
    short = [
        name
        for name, (direction, bound) in wanted.items()
        if (figures[name] > bound if direction == "at most" else figures[name] < bound)
    ]
    print(
        json.dumps(
            {
                "bench": bench,
                "figures": {name: round(value, 4) for name, value in figures.items()},
                "wanted": {name: f"{direction} {bound:g}" for name, (direction, bound) in wanted.items()},
                "short": short,
            }
        )
    )
