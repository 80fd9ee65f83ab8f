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
        requests: look-ups by result, among them `hit` and `miss`.
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
        """Hits among hits and misses; None before the first."""
        hits, misses = self.requests.get("hit", 0), self.requests.get("miss", 0)
        return hits / (hits + misses) if hits + misses else None


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One entry.

    Attributes:
        key: as people write it.
        tier: that it was found in.
        age: seconds since it was made.
        value: anything that JSON can say.
    """

    key: str
    tier: str
    age: float
    value: object


class CacheAdmin(Protocol):
    """Looking into the cache and throwing things out. Keys are texts; which texts are keys is the cache's to say."""

    def tiers(self) -> Sequence[TierReport]:
        """The tiers, nearest first."""
        ...

    async def clear(self) -> int:
        """Drops everything in every tier; how many entries there were."""
        ...

    async def get(self, key: str) -> CacheRecord | None:
        """The entry, without counting as a use; None where there is none."""
        ...

    async def delete(self, key: str) -> bool:
        """Drops the entry; whether there was one."""
        ...

    async def invalidate(self, *, pattern: str | None, tag: str | None) -> int:
        """Drops what a pattern with `*` matches or what carries a tag; how many entries there were."""
        ...


class CacheWriter(Protocol):
    """Putting things into the cache by hand, for caches that take what they are given."""

    async def put(self, key: str, value: object, ttl: float | None) -> bool:
        """Keeps a value, `ttl` seconds or as long as usual; whether the key is new. Raises DomainError."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """The pool of worker processes.

    Attributes:
        min: processes kept.
        max: processes at most.
        busy: at work.
        idle: waiting for work.
        queued: pieces of work that wait.
        queue_limit: pieces that may wait.
        restarts: processes replaced since the start.
    """

    min: int
    max: int
    busy: int
    idle: int
    queued: int
    queue_limit: int
    restarts: int


class WorkerAdmin(Protocol):
    """The pool of worker processes."""

    def report(self) -> WorkerReport:
        """How it stands."""
        ...

    async def scale(self, minimum: int, maximum: int) -> None:
        """Keeps between so many processes from now on, until the configuration says otherwise. Raises DomainError."""
        ...


@dataclass(frozen=True, slots=True)
class LimitedPrincipal:
    """Somebody who ran into a limit.

    Attributes:
        principal: who, in a form that gives no key away.
        endpoint: where.
        limited: requests refused.
    """

    principal: str
    endpoint: str
    limited: int


@dataclass(frozen=True, slots=True)
class LimitReport:
    """What the limits did since the server started.

    Attributes:
        allowed: requests let through, by endpoint.
        limited: requests refused, by endpoint.
        failed_open: requests let through because the shared count could not be asked.
        principals: keys and addresses that are counted now.
        top: who was refused most, most first.
    """

    allowed: Mapping[str, int]
    limited: Mapping[str, int]
    failed_open: int
    principals: int
    top: Sequence[LimitedPrincipal]


class LimitAdmin(Protocol):
    """The limits on requests."""

    def report(self) -> LimitReport:
        """What they did."""
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
