"""What the tiers of a cache hand each other and their callers."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from typosentinel_server.cache.leases import Leases
from typosentinel_server.cache.records import Record
from typosentinel_server.cache.redistier import RedisTier


class Tier(StrEnum):
    """Where an answer came from."""

    EVIDENCE = "evidence"
    REDIS = "redis"
    ORIGIN = "origin"


# Not frozen, though nobody changes it: freezing costs a quarter of a microsecond a field.
@dataclass(slots=True)
class Fetched:
    """An answer.

    Attributes:
        value: the value.
        age: seconds since it was made.
        tier: where it came from.
        stale: whether its time is over, so that it is being made anew.
    """

    value: bytes
    age: float
    tier: Tier
    stale: bool


@dataclass(slots=True)
class Copy:
    """A record in memory.

    Attributes:
        record: the record.
        made: when it was made, on the monotonic clock.
        copied: when it came into memory, the same.
        retry: from when on making it anew may be tried, the same.
    """

    record: Record
    made: float
    copied: float
    retry: float = 0.0


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things are good, in seconds.

    Attributes:
        memory: a copy in memory, before Redis is asked again.
        fresh: a value.
        stale: a value beyond that, while it is being made anew.
    """

    memory: float
    fresh: float
    stale: float


@dataclass(frozen=True, slots=True)
class Shared:
    """What replicas share.

    Attributes:
        tier: values in Redis.
        leases: who makes what.
        ready: whether records in Redis can be judged.
    """

    tier: RedisTier
    leases: Leases
    ready: Callable[[], bool]
