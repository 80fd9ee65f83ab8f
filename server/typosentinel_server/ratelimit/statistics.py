"""What the limiter counted, and whom it refuses most."""

from dataclasses import dataclass, field
from typing import Final

MOST_LIMITED: Final = 64


class Offenders:
    """Callers that were refused most, in bounded memory: the space-saving algorithm of Metwally and others (2005).

    A caller that is refused often is never missed; a count may be too high by what a place was worth before.
    """

    def __init__(self, size: int = MOST_LIMITED) -> None:
        self._size = size
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, policy: str, principal: str) -> None:
        """Counts one refusal."""
        counts, key = self._counts, (policy, principal)
        if key in counts:
            counts[key] += 1
        elif len(counts) < self._size:
            counts[key] = 1
        else:
            least = min(counts, key=counts.__getitem__)
            counts[key] = counts.pop(least) + 1

    def top(self, number: int) -> list[tuple[str, str, int]]:
        """(policy, principal, refusals), most first."""
        found = sorted(self._counts.items(), key=lambda item: -item[1])
        return [(policy, principal, count) for (policy, principal), count in found[:number]]


@dataclass(slots=True)
class Statistics:
    """Counted since the start.

    Attributes:
        fail_open: requests decided by this replica's own count because the shared one could not be asked.
        exchanges: round trips to the store.
        leases: orders settled in them.
        absences: exchanges that failed.
        losses: budgets that the store had forgotten.
        evictions: callers forgotten because there were too many.
        offenders: who was refused most.
    """

    fail_open: int = 0
    exchanges: int = 0
    leases: int = 0
    absences: int = 0
    losses: int = 0
    evictions: int = 0
    offenders: Offenders = field(default_factory=Offenders)
