"""What the administrative routes ask of a server's parts, in the words of those routes.

A part that a server does not have is None, and then its routes do not exist: nothing here only claims to work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from typosentinel_server.breaker import Breaker


@dataclass(frozen=True, slots=True)
class TierReport:
    """How it stands with one tier of the cache since the server started.

    Attributes:
        name: of the tier, such as `memory`.
        entries: held now; None where that would take too long to count.
        max_entries: held at most; 0 where the tier is off, None without a bound.
        bytes: that they take; None where nobody counts.
        max_bytes: that they may take; None without a bound.
        ttl: seconds that an entry stays good.
        requests: look-ups by result, among them `hit`, `miss` and, where there is such a thing, `stale`.
        evictions: entries dropped by reason.
    """

    name: str
    entries: int | None
    max_entries: int | None
    bytes: int | None
    max_bytes: int | None
    ttl: float
    requests: Mapping[str, int]
    evictions: Mapping[str, int]

    @property
    def hit_ratio(self) -> float | None:
        """The share of look-ups that were answered, also with what is being made anew; None before the first."""
        answered = self.requests.get("hit", 0) + self.requests.get("stale", 0)
        asked = answered + self.requests.get("miss", 0)
        return answered / asked if asked else None


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One entry.

    Attributes:
        key: as people write it.
        tier: that it was found in.
        age: seconds since it was made.
        stale: whether its time is over, so that it is made anew when somebody asks for it.
        value: anything that JSON can say.
    """

    key: str
    tier: str
    age: float
    stale: bool
    value: object


class CacheAdmin(Protocol):
    """Looking into the cache and throwing things out. Keys are texts; which texts are keys is the cache's to say."""

    def tiers(self) -> Sequence[TierReport]:
        """The tiers, nearest first."""
        ...

    async def clear(self) -> int | None:
        """Drops everything in every tier; how many entries there were, None where nobody counts."""
        ...

    async def get(self, key: str) -> CacheRecord | None:
        """The entry; None where there is none. Raises DomainError for what can be no key."""
        ...

    async def delete(self, key: str) -> bool:
        """Drops the entry; whether there was one. Raises DomainError for what can be no key."""
        ...

    async def invalidate(self, *, pattern: str | None, tag: str | None) -> int | None:
        """Drops what a pattern with `*` matches or what carries a tag; how many entries, None where nobody counts.

        Raises:
            DomainError: it can be no pattern, or there is no such tag.
        """
        ...


class CacheWriter(Protocol):
    """Putting things into the cache by hand, for caches that take what they are given."""

    async def put(self, values: Mapping[str, object], tags: Sequence[str]) -> None:
        """Keeps values under their keys, all or none of them. Raises DomainError."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """The pool of worker processes.

    Attributes:
        min: processes kept.
        max: processes at most.
        busy: at work.
        idle: waiting for work.
        starting: on their way.
        queued: pieces of work that wait.
        queue_limit: pieces that may wait.
    """

    min: int
    max: int
    busy: int
    idle: int
    starting: int
    queued: int
    queue_limit: int


class WorkerAdmin(Protocol):
    """The pool of worker processes."""

    def report(self) -> WorkerReport:
        """How it stands."""
        ...

    def scale(self, minimum: int, maximum: int) -> None:
        """Keeps between so many processes from now on, until the configuration says otherwise. Raises DomainError."""
        ...


@dataclass(frozen=True, slots=True)
class LimitedPrincipal:
    """Somebody who ran into a limit.

    Attributes:
        limit: which.
        principal: who, in a form that gives no key away.
        refused: requests, about.
    """

    limit: str
    principal: str
    refused: int


@dataclass(frozen=True, slots=True)
class LimitReport:
    """How it stands with the limits.

    Attributes:
        shared: whether they hold over all replicas now.
        principals: keys and addresses that are counted now, by limit.
        top: who was refused most, most first.
        complaint: what somebody should see to; None where nothing is wrong.
    """

    shared: bool
    principals: Mapping[str, int]
    top: Sequence[LimitedPrincipal]
    complaint: str | None


class LimitAdmin(Protocol):
    """The limits on requests."""

    def report(self) -> LimitReport:
        """How it stands with them."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The parts of one server that can be looked after by hand; None where it does not have them.

    Attributes:
        cache: to look into and to clear.
        writer: to write into the cache.
        workers: the pool.
        limits: on requests.
        breakers: those in use now; asked every time, for a reload may change them.
    """

    cache: CacheAdmin | None = None
    writer: CacheWriter | None = None
    workers: WorkerAdmin | None = None
    limits: LimitAdmin | None = None
    breakers: Callable[[], Sequence[Breaker]] | None = field(default=None)
