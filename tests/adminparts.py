"""Parts of a server for what the administrative views make of them: they do as they are told."""

from collections.abc import Mapping, Sequence

from typosentinel_server.adminports.ports import CacheRecord, LimitedPrincipal, LimitReport, TierReport, WorkerReport
from typosentinel_server.errors import DomainError


class Shelf:
    """A cache that takes anything, a pool and limits, for what the views make of them."""

    def __init__(self) -> None:
        self.held: dict[str, object] = {}
        self.bounds = (2, 10)

    def tiers(self) -> Sequence[TierReport]:
        """One tier without any bounds."""
        return (TierReport("shelf", None, None, None, None, 60.0, {}, {}),)

    async def clear(self) -> int:
        """Drops everything."""
        count = len(self.held)
        self.held.clear()
        return count

    async def get(self, key: str) -> CacheRecord | None:
        """What is held."""
        return CacheRecord(key, "shelf", 1.5, stale=True, value=self.held[key]) if key in self.held else None

    async def delete(self, key: str) -> bool:
        """Drops one."""
        return self.held.pop(key, self) is not self

    async def invalidate(self, *, pattern: str | None, tag: str | None) -> int:
        """Nothing has tags here, and nothing is matched."""
        return 0 if pattern or tag else 1

    async def put(self, values: Mapping[str, object], tags: Sequence[str]) -> None:
        """Keeps anything without tags."""
        if tags:
            raise DomainError("NO_TAGS", "nothing has tags here", "Leave them out.", http_hint=422)
        self.held |= values


class Pool:
    """A pool that does as it is told."""

    bounds = (2, 10)

    def report(self) -> WorkerReport:
        """Nobody works."""
        return WorkerReport(*self.bounds, busy=0, idle=self.bounds[0], starting=0, queued=0, queue_limit=1000)

    def scale(self, minimum: int, maximum: int) -> None:
        """Takes other bounds."""
        self.bounds = (minimum, maximum)


class Limits:
    """Limits that somebody ran into."""

    def report(self) -> LimitReport:
        """One address was refused once."""
        return LimitReport(
            shared=True,
            principals={"Scan": 5},
            top=(LimitedPrincipal("Scan", "10.0.0.0/24", 1),),
            complaint="no keys",
        )
