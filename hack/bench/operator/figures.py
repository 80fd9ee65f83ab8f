"""What the benchmark's figures are made of. Pure."""

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence

_SAMPLE = re.compile(r"^(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def quantile(text: str, histogram: str, share: float, **labels: str) -> float | None:
    """A quantile of a histogram in Prometheus' text format, interpolated in its bucket as Prometheus does.

    Args:
        text: an answer of /metrics.
        histogram: its name.
        share: from 0 to 1.
        labels: of the series; others are added up.

    Returns:
        In the histogram's unit; the last bound where the quantile is beyond it; None where nothing was observed.
    """
    counts: dict[float, float] = {}
    for found in _SAMPLE.finditer(text):
        has = dict(_LABEL.findall(found["labels"]))
        if found["name"] == f"{histogram}_bucket" and labels.items() <= has.items():
            bound = float(has["le"])
            counts[bound] = counts.get(bound, 0.0) + float(found["value"])
    bounds = sorted(counts)
    if not bounds or not counts[bounds[-1]]:
        return None
    rank = share * counts[bounds[-1]]
    below, lower = 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (rank - below) / (counts[bound] - below)
        below, lower = counts[bound], bound
    return None


def growth(seconds: Mapping[int, float | None]) -> float | None:
    """Seconds per object with the most objects over that with the fewest: 1 where time grows as the number does.

    Args:
        seconds: by number of objects; None for what was not measured.
    """
    few, many = min(seconds), max(seconds)
    first, last = seconds[few], seconds[many]
    if few == many or not first or last is None:
        return None
    return (last / many) / (first / few)


def middle(values: Iterable[float | None]) -> float | None:
    """The median; None where one of them is missing, for then it would be the median of the lucky ones."""
    found = list(values)
    known = [value for value in found if value is not None]
    return statistics.median(known) if known and len(known) == len(found) else None


def ratio(limits: Sequence[float | None], taken: Sequence[float | None]) -> float | None:
    """The limit's time over ours, both medians: 0 where we did not get there, None where the limit is not known."""
    limit, ours = middle(limits), middle(taken)
    if limit is None:
        return None
    return limit / ours if ours else 0.0
