"""The wire forms of the administrative routes, and of the report on how it stands with a server."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from typosentinel_server.adminports import CacheRecord, LimitReport, TierReport, WorkerReport
from typosentinel_server.breaker import Breaker
from typosentinel_server.schemas import HealthResponse, RequestsBody
from typosentinel_server.settings import LogLevel, Settings
from typosentinel_server.wirenumbers import WHOLE
from typosentinel_server.wirereports import Body, Count, Seconds, Share

MAX_TTL_SECONDS = 7 * 24 * 3600
MAX_OVERRIDE_SECONDS = 24 * 3600
# As many as one body of the usual size can hold.
MAX_KEYS = 100
MAX_PROCESSES = 256

Key = Annotated[str, Field(min_length=1, max_length=512)]
Lifetime = Annotated[int, Field(ge=1, le=MAX_TTL_SECONDS), WHOLE] | None


class TierBody(Body):
    """One tier of the cache since the start; null where nobody counts or nothing bounds."""

    name: str
    entries: Count | None
    max_entries: Count | None
    bytes: Count | None
    max_bytes: Count | None
    ttl_seconds: Seconds
    requests: dict[str, Count]
    evictions: dict[str, Count]
    hit_ratio: Share

    @classmethod
    def of(cls, tier: TierReport) -> Self:
        """The wire form of a report."""
        return cls(
            name=tier.name,
            entries=tier.entries,
            max_entries=tier.max_entries,
            bytes=tier.bytes,
            max_bytes=tier.max_bytes,
            ttl_seconds=tier.ttl,
            requests=dict(tier.requests),
            evictions=dict(tier.evictions),
            hit_ratio=tier.hit_ratio,
        )


class CacheStatsResponse(Body):
    """The tiers, nearest first."""

    tiers: list[TierBody]


class CacheEntryResponse(Body):
    """One entry of the cache."""

    key: str
    tier: str
    age_seconds: Seconds
    value: Any

    @classmethod
    def of(cls, record: CacheRecord) -> Self:
        """The wire form of a record."""
        return cls(key=record.key, tier=record.tier, age_seconds=round(record.age, 3), value=record.value)


class CachePutRequest(Body):
    """A value to keep, for so many seconds or as long as usual."""

    value: Any
    ttl_seconds: Lifetime = None


class CachePutResponse(Body):
    """What is kept now."""

    key: str
    created: bool


class CacheMultiGetRequest(Body):
    """Keys to look for."""

    keys: Annotated[list[Key], Field(min_length=1, max_length=MAX_KEYS)]


class CacheMultiGetResponse(Body):
    """Entries that there are, and keys that there are none for."""

    found: list[CacheEntryResponse]
    missing: list[str]


class CacheItemBody(CachePutRequest):
    """A value to keep under a key."""

    key: Key


class CacheMultiSetRequest(Body):
    """Values to keep."""

    items: Annotated[list[CacheItemBody], Field(min_length=1, max_length=MAX_KEYS)]


class CacheMultiSetResponse(Body):
    """How many are kept, and how many of the keys are new."""

    kept: Count
    created: Count


class CacheInvalidateRequest(Body):
    """What to drop: keys that a pattern with `*` matches, or whatever carries a tag. One of the two."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["pattern"]}, {"required": ["tag"]}]})

    pattern: Annotated[str, Field(min_length=1, max_length=512)] = ""
    tag: Annotated[str, Field(min_length=1, max_length=128)] = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of pattern and tag")
        return self


class DroppedResponse(Body):
    """How many entries were dropped."""

    dropped: Count


class ClearedResponse(Body):
    """What was cleared: entries of the cache, null without one, and breakers closed by hand."""

    dropped: Count | None
    breakers: list[str]


class WorkersResponse(Body):
    """The pool of worker processes."""

    min: Count
    max: Count
    busy: Count
    idle: Count
    queued: Count
    queue_limit: Count
    restarts: Count

    @classmethod
    def of(cls, report: WorkerReport) -> Self:
        """The wire form of a report."""
        return cls(
            min=report.min,
            max=report.max,
            busy=report.busy,
            idle=report.idle,
            queued=report.queued,
            queue_limit=report.queue_limit,
            restarts=report.restarts,
        )


class WorkersScaleRequest(Body):
    """How many processes to keep at least and at most, until the configuration says otherwise."""

    min: Annotated[int, Field(ge=0, le=MAX_PROCESSES), WHOLE]
    max: Annotated[int, Field(ge=1, le=MAX_PROCESSES), WHOLE]


class BreakerBody(Body):
    """One circuit breaker; retryAfterSeconds is 0 where a call has a chance now."""

    name: str
    state: Literal["closed", "open", "half-open"]
    failures: Count
    retry_after_seconds: Seconds

    @classmethod
    def of(cls, breaker: Breaker) -> Self:
        """The wire form of a breaker."""
        return cls.model_validate(
            {
                "name": breaker.name,
                "state": breaker.state.value,
                "failures": breaker.failures,
                "retryAfterSeconds": round(breaker.retry_after, 3),
            }
        )


class BreakersResponse(Body):
    """The circuit breakers in use."""

    breakers: list[BreakerBody]


class BreakerResetRequest(Body):
    """Which breaker to close by hand; all where none is named."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class LimitedBody(Body):
    """Somebody who was refused, in a form that gives no key away."""

    principal: str
    endpoint: str
    limited: Count


class LimitsResponse(Body):
    """What the limits did since the start."""

    allowed: dict[str, Count]
    limited: dict[str, Count]
    failed_open: Count
    principals: Count
    top: list[LimitedBody]

    @classmethod
    def of(cls, report: LimitReport) -> Self:
        """The wire form of a report."""
        return cls(
            allowed=dict(report.allowed),
            limited=dict(report.limited),
            failed_open=report.failed_open,
            principals=report.principals,
            top=[LimitedBody(principal=p.principal, endpoint=p.endpoint, limited=p.limited) for p in report.top],
        )


class ReloadResponse(Body):
    """The configuration in effect now, and whether this call put it there; the hash is null for the defaults."""

    hash: str | None
    changed: bool


class ConfigurationResponse(Body):
    """The configuration in effect with all its defaults; durations in seconds."""

    hash: str | None
    age_seconds: Seconds
    last_error: str | None
    settings: Settings


class LogLevelRequest(Body):
    """The least severe messages to log, for so many seconds, or until the configuration is reloaded."""

    level: Annotated[LogLevel, Field(strict=False)]
    seconds: Annotated[int, Field(ge=1, le=MAX_OVERRIDE_SECONDS), WHOLE] = 900


class LogLevelResponse(Body):
    """The level in effect, the configured one, and the seconds until that counts again; null where it counts."""

    level: LogLevel
    configured: LogLevel
    expires_in_seconds: Seconds | None


class StatusResponse(Body):
    """How it stands with a server and its parts; null for a part that it does not have."""

    health: HealthResponse
    cache: list[TierBody] | None
    workers: WorkersResponse | None
    breakers: list[BreakerBody] | None
    limits: LimitsResponse | None


class AdminStatusResponse(StatusResponse):
    """The same, and what is for those who look after the server alone."""

    log_level: LogLevelResponse
    configuration: ConfigurationResponse


class ScanCountBody(Body):
    """Names judged since the start, by what came out."""

    ecosystem: str
    verdict: str
    cached: bool
    count: Count


class StatsResponse(Body):
    """Figures since the start; the requests are those of the last five minutes."""

    uptime_seconds: Seconds
    requests: RequestsBody
    scans: list[ScanCountBody]
    cache: list[TierBody] | None


class SampleBody(Body):
    """One figure; null where it is no number."""

    name: str
    labels: dict[str, str]
    value: float | None


class MetricBody(Body):
    """One metric with its figures."""

    name: str
    type: str
    help: str
    samples: list[SampleBody]


class MetricsResponse(Body):
    """What Prometheus' text format says, as JSON."""

    metrics: list[MetricBody]
