"""Durations as Kubernetes' Gateway API writes them (GEP-2257): `300ms`, `5m`, `1h30m`."""

import re

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
PATTERN = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
ALLOWED = 'one to four whole numbers with the units h, m, s, ms, such as "300ms", "5m" or "1h30m"'


def parse_duration(text: str) -> float:
    """A duration in seconds.

    Raises:
        ValueError: the text is not of the form that GEP-2257 allows.
    """
    if not PATTERN.fullmatch(text):
        raise ValueError(f"a duration is {ALLOWED}")
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"([0-9]+)(ms|h|m|s)", text))
