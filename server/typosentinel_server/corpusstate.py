"""How it stands with the lists of popular names, for those who look after a server."""

from collections.abc import Mapping
from dataclasses import dataclass

from typosentinel_server.scan.model import Ecosystem

DAY_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class State:
    """How it stands at one moment.

    Attributes:
        kind: of the source: "builtin", "directory" or "url".
        location: its path or address; empty for the built-in lists.
        fallback: whether built-in lists serve because the source has never given any.
        last_success: when the source last gave lists or said that nothing is new, seconds since 1970; None: never.
        last_error: why the last look came to nothing, or None.
        ages: seconds since each list in use was drawn up.
        max_age: seconds from which a list counts as old, or None.
        wanted: the ecosystems that the configuration names; none: whatever there is a list for.
    """

    kind: str
    location: str
    fallback: bool
    last_success: float | None
    last_error: str | None
    ages: Mapping[Ecosystem, float]
    max_age: float | None
    wanted: tuple[Ecosystem, ...]

    def is_stale(self, ecosystem: Ecosystem) -> bool:
        """Whether the list in use has reached the greatest age allowed."""
        return self.max_age is not None and self.ages[ecosystem] >= self.max_age

    @property
    def complaints(self) -> tuple[str, ...]:
        """Everything that somebody should see to, in sentences; nothing of it stops the server."""
        place = self.location or "the package"
        found = [self.last_error] if self.last_error is not None else []
        if self.fallback:
            found.append(f"the built-in lists serve until {place} gives some")
        found += [f"{place} has no list for {e}, which is not served" for e in self.wanted if e not in self.ages]
        found += [
            f"the list for {e} is {age / DAY_SECONDS:.1f} days old" for e, age in self.ages.items() if self.is_stale(e)
        ]
        return tuple(found)
