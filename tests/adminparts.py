"""Parts of a server for what the administrative views make of them: they do as they are told."""

from collections.abc import Sequence

from typosentinel_server.adminports import CacheRecord, LimitedPrincipal, LimitReport, TierReport, WorkerReport
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
        return CacheRecord(key, "shelf", 1.5, self.held[key]) if key in self.held else None

    async def delete(self, key: str) -> bool:
        """Drops one."""
        return self.held.pop(key, self) is not self

    async def invalidate(self, *, pattern: str | None, tag: str | None) -> int:
        """Nothing has tags here, and nothing is matched."""
        return 0 if pattern or tag else 1

    async def put(self, key: str, value: object, ttl: float | None) -> bool:
        """Keeps anything but what is to live for a second."""
        if ttl == 1:
            raise DomainError("TTL_TOO_SHORT", "a second is too short", "Take more.", http_hint=422)
        created = key not in self.held
        self.held[key] = value
        return created


class Pool:
    """A pool that does as it is told."""

    bounds = (2, 10)

    def report(self) -> WorkerReport:
        """Nobody works."""
        return WorkerReport(*self.bounds, busy=0, idle=self.bounds[0], queued=0, queue_limit=1000, restarts=0)

    async def scale(self, minimum: int, maximum: int) -> None:
        """Takes other bounds."""
        self.bounds = (minimum, maximum)


class Limits:
    """Limits that somebody ran into."""

    def report(self) -> LimitReport:
        """One address was refused once."""
        return LimitReport({"Scan": 5}, {"Scan": 1}, 0, 1, (LimitedPrincipal("10.0.0.0/24", "Scan", 1),))
