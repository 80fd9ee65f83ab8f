"""What a tier counts."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """What happened in one tier since it was made, and what it holds.

    Attributes:
        requests: look-ups by result: hit, stale (answered although its time is over), miss, or off where the tier is
            switched off or away.
        evictions: entries dropped by reason: size, ttl, resize, or invalidated.
        entries: entries held; None where the tier cannot say without work.
        bytes: their size as it was given; None where the tier cannot say without work.
        max_entries: entries held at most; None where the tier has no such bound.
        max_bytes: bytes held at most; 0 or None: no such bound.
        ttl: seconds that an entry stays good.
    """

    requests: dict[str, int] = field(default_factory=dict)
    evictions: dict[str, int] = field(default_factory=dict)
    entries: int | None = None
    bytes: int | None = None
    max_entries: int | None = None
    max_bytes: int | None = None
    ttl: float = 0.0

    @property
    def hit_rate(self) -> float | None:
        """Share of look-ups that were answered, 0 to 1; None before the first."""
        answered = self.requests.get("hit", 0) + self.requests.get("stale", 0)
        asked = answered + self.requests.get("miss", 0)
        return answered / asked if asked else None
