"""The wire forms of the report on how it stands with a server, its parts and its figures."""

from typing import Literal, Self

from typosentinel_server.adminports.ports import LimitReport, TierReport, WorkerReport
from typosentinel_server.breaker import Breaker
from typosentinel_server.schemas import HealthResponse, RequestsBody
from typosentinel_server.wirereports import Body, Count, Seconds, Share


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


class WorkersResponse(Body):
    """The pool of worker processes."""

    min: Count
    max: Count
    busy: Count
    idle: Count
    starting: Count
    queued: Count
    queue_limit: Count

    @classmethod
    def of(cls, report: WorkerReport) -> Self:
        """The wire form of a report."""
        return cls(
            min=report.min,
            max=report.max,
            busy=report.busy,
            idle=report.idle,
            starting=report.starting,
            queued=report.queued,
            queue_limit=report.queue_limit,
        )


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


class LimitedBody(Body):
    """Somebody who was refused, in a form that gives no key away."""

    limit: str
    principal: str
    refused: Count


class LimitsResponse(Body):
    """How it stands with the limits: whether replicas share them, who is counted, and who was refused most."""

    shared: bool
    principals: dict[str, Count]
    top: list[LimitedBody]
    complaint: str | None

    @classmethod
    def of(cls, report: LimitReport) -> Self:
        """The wire form of a report."""
        return cls(
            shared=report.shared,
            principals=dict(report.principals),
            top=[LimitedBody(limit=p.limit, principal=p.principal, refused=p.refused) for p in report.top],
            complaint=report.complaint,
        )


class StatusResponse(Body):
    """How it stands with a server and its parts; null for a part that it does not have."""

    health: HealthResponse
    cache: list[TierBody] | None
    workers: WorkersResponse | None
    breakers: list[BreakerBody] | None
    limits: LimitsResponse | None


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
