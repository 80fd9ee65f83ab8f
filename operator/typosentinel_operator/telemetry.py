"""How the operator speaks of itself: log format and Prometheus collectors. The registry is the caller's."""

import logging
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from typosentinel_operator.names import Metric, WebhookMetric

RECONCILE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
REVIEW_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The operator's collectors, made once per process in the composition root."""

    reconciles: Counter
    reconcile_duration: Histogram
    writes: Counter
    queue_depth: Gauge
    queue_adds: Counter
    queue_retries: Counter
    queue_latency: Histogram
    queue_oldest: Gauge
    resync_age: Gauge
    resync_duration: Gauge
    resync_finds: Counter
    events_dropped: Counter
    loop_drift: Gauge
    objects: Gauge
    leader: Gauge
    leader_transitions: Counter
    lease_failures: Counter


def make_telemetry(registry: CollectorRegistry) -> Telemetry:
    """Register the operator's collectors."""
    build = Gauge(Metric.BUILD_INFO, "Version of the operator, always 1", ["version"], registry=registry)
    build.labels(version("typosentinel")).set(1)
    return Telemetry(
        reconciles=Counter(
            Metric.RECONCILES.removesuffix("_total"),
            "Reconciliations by kind and outcome (ok, transient, crashed)",
            ["kind", "outcome"],
            registry=registry,
        ),
        reconcile_duration=Histogram(
            Metric.RECONCILE_DURATION,
            "Time of one reconciliation",
            ["kind"],
            buckets=RECONCILE_BUCKETS,
            registry=registry,
        ),
        writes=Counter(
            Metric.WRITES.removesuffix("_total"),
            "Writes sent to the API server, by verb and kind",
            ["verb", "kind"],
            registry=registry,
        ),
        queue_depth=Gauge(Metric.QUEUE_DEPTH, "Keys that wait for a worker", registry=registry),
        queue_adds=Counter(Metric.QUEUE_ADDS.removesuffix("_total"), "Keys added to the work queue", registry=registry),
        queue_retries=Counter(
            Metric.QUEUE_RETRIES.removesuffix("_total"), "Keys added again after a failure", registry=registry
        ),
        queue_latency=Histogram(
            Metric.QUEUE_LATENCY,
            "Time from a key's becoming due to a worker's taking it",
            buckets=RECONCILE_BUCKETS,
            registry=registry,
        ),
        queue_oldest=Gauge(
            Metric.QUEUE_OLDEST, "Age of the oldest key that waits or is being worked on", registry=registry
        ),
        resync_age=Gauge(Metric.RESYNC_AGE, "Time since the last complete resync", registry=registry),
        resync_duration=Gauge(Metric.RESYNC_DURATION, "Time that the last complete resync took", registry=registry),
        resync_finds=Counter(
            Metric.RESYNC_FINDS.removesuffix("_total"),
            "Changes that a resync has seen and no watch has told, by kind of the object",
            ["kind"],
            registry=registry,
        ),
        events_dropped=Counter(
            Metric.EVENTS_DROPPED.removesuffix("_total"),
            "Events that were not written: too many waited, or the API server did not take them",
            registry=registry,
        ),
        loop_drift=Gauge(
            Metric.LOOP_DRIFT,
            "How much later than it was due the last resync began: the event loop was busy, or stood still",
            registry=registry,
        ),
        objects=Gauge(Metric.OBJECTS, "Custom resources seen at the last resync", ["kind"], registry=registry),
        leader=Gauge(Metric.LEADER, "1 while this process may write, 0 while it stands by", registry=registry),
        leader_transitions=Counter(
            Metric.LEADER_TRANSITIONS.removesuffix("_total"),
            "Changes of the Lease's holder that this process has seen",
            registry=registry,
        ),
        lease_failures=Counter(
            Metric.LEASE_FAILURES.removesuffix("_total"),
            "Attempts to read or write the Lease that failed",
            registry=registry,
        ),
    )


@dataclass(frozen=True, slots=True)
class WebhookTelemetry:
    """The webhook's collectors, likewise."""

    requests: Counter
    request_duration: Histogram
    certificate_expiry: Gauge
    certificate_loads: Counter


def make_webhook_telemetry(registry: CollectorRegistry) -> WebhookTelemetry:
    """Register the webhook's collectors."""
    build = Gauge(WebhookMetric.BUILD_INFO, "Version of the webhook, always 1", ["version"], registry=registry)
    build.labels(version("typosentinel")).set(1)
    return WebhookTelemetry(
        requests=Counter(
            WebhookMetric.REQUESTS.removesuffix("_total"),
            "Requests by result (allowed, warned, denied, unchecked, bad)",
            ["result"],
            registry=registry,
        ),
        request_duration=Histogram(
            WebhookMetric.REQUEST_DURATION, "Time to answer one request", buckets=REVIEW_BUCKETS, registry=registry
        ),
        certificate_expiry=Gauge(
            WebhookMetric.CERTIFICATE_EXPIRY,
            "When the certificate that is served ends, in Unix time; 0: there is none",
            registry=registry,
        ),
        certificate_loads=Counter(
            WebhookMetric.CERTIFICATE_LOADS.removesuffix("_total"),
            "Changed certificates that were looked at, by result (taken, refused)",
            ["result"],
            registry=registry,
        ),
    )


def configure_logging(log_format: Literal["json", "console"], level: str) -> None:
    """Send structlog's and the standard library's records to standard error in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
    )
    handler = logging.StreamHandler()
    handler.addFilter(_watches_fail_in_one_line)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # kopf logs a line per watch-event and object; ours say what came of it.
    logging.getLogger("kopf").setLevel(max(logging.WARNING, root.level))


def _watches_fail_in_one_line(record: logging.LogRecord) -> bool:
    """Let everything pass, but take the trace off a watch that failed: it leads through kopf and tells nothing."""
    if record.exc_info and type(record.exc_info[1]).__module__.startswith("kopf."):
        record.exc_info = None
        # Of those that fail together kopf asks one for its error, and asyncio says what kopf has said of the others.
        return record.name != "asyncio"
    return True
