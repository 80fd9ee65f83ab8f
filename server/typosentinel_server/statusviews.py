"""The state of a server for people, for programs and under the other names that probes know."""

from collections.abc import Iterator
from math import isfinite

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from typosentinel_server import views
from typosentinel_server.accept import preferred
from typosentinel_server.answer import Answer
from typosentinel_server.health import Health
from typosentinel_server.jsonhttp import json_answer
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.processes.supervised import SUPERVISED
from typosentinel_server.published.pages import page_answer
from typosentinel_server.published.statuspage import status_page
from typosentinel_server.statusschemas import (
    BreakerBody,
    LimitsResponse,
    MetricBody,
    MetricsResponse,
    SampleBody,
    ScanCountBody,
    StatsResponse,
    StatusResponse,
    TierBody,
    WorkersResponse,
)

SCANS = "typosentinel_scans_total"


async def metrics(request: web.Request) -> web.StreamResponse:
    """`GET /metrics`: Prometheus' text format, or JSON for those who would rather have that."""
    registry = request.app[SERVER].metrics.registry
    if preferred(request.headers.get("Accept", ""), ("text/plain", "application/json")) == "application/json":
        body = MetricsResponse(metrics=list(_metrics(registry)))
        return _varied(json_answer(body.model_dump_json(by_alias=True)))
    return _varied(await _exposition(request))


async def prometheus(request: web.Request) -> web.StreamResponse:
    """`GET /metrics/prometheus`: the text format, whatever is accepted."""
    return await _exposition(request)


async def status(request: web.Request) -> web.StreamResponse:
    """`GET /status`: a page, or JSON for those who would rather have that."""
    report = status_report(request.app[SERVER])
    if preferred(request.headers.get("Accept", ""), ("text/html", "application/json")) == "application/json":
        return _varied(json_answer(report.model_dump_json(by_alias=True)))
    return _varied(page_answer(status_page(report, request.app[SERVER].name)))


async def stats(request: web.Request) -> web.StreamResponse:
    """`GET /stats`: figures since the start."""
    server = request.app[SERVER]
    body = StatsResponse(
        uptime_seconds=round(server.lifecycle.uptime, 3),
        requests=Health(server).report().requests,
        scans=list(_scans(server.metrics.registry)),
        cache=_tiers(server),
    )
    return json_answer(body.model_dump_json(by_alias=True))


ROUTES = (
    web.get("/metrics", metrics),
    web.get("/metrics/prometheus", prometheus),
    web.get("/status", status),
    web.get("/stats", stats),
    web.get("/api/health", views.health),
    web.get("/api/ready", views.ready),
)


def status_report(server: Server) -> StatusResponse:
    """How it stands with a server and its parts."""
    ports = server.ports
    return StatusResponse(
        health=Health(server).report(),
        cache=_tiers(server),
        workers=WorkersResponse.of(ports.workers.report()) if ports.workers else None,
        breakers=[BreakerBody.of(breaker) for breaker in ports.breakers()] if ports.breakers else None,
        limits=LimitsResponse.of(ports.limits.report()) if ports.limits else None,
    )


def _tiers(server: Server) -> list[TierBody] | None:
    cache = server.ports.cache
    return [TierBody.of(tier) for tier in cache.tiers()] if cache else None


async def _exposition(request: web.Request) -> Answer:
    supervisor = request.app.get(SUPERVISED)
    # Where there are several processes, whichever is asked tells of all.
    text = await supervisor.exposition() if supervisor else generate_latest(request.app[SERVER].metrics.registry)
    return Answer(text, content_type=CONTENT_TYPE_LATEST)


def _metrics(registry: CollectorRegistry) -> Iterator[MetricBody]:
    for family in registry.collect():
        samples = [
            SampleBody(name=s.name, labels=dict(s.labels), value=float(s.value) if isfinite(s.value) else None)
            for s in family.samples
        ]
        yield MetricBody(name=family.name, type=family.type, help=family.documentation, samples=samples)


def _scans(registry: CollectorRegistry) -> Iterator[ScanCountBody]:
    # Read as others read it, so that nobody counts twice.
    for family in registry.restricted_registry([SCANS]).collect():
        for sample in family.samples:
            if sample.name == SCANS:
                labels = sample.labels
                yield ScanCountBody(
                    ecosystem=labels["ecosystem"],
                    verdict=labels["verdict"],
                    cached=labels["cached"] == "true",
                    count=int(sample.value),
                )


def _varied(response: Answer) -> Answer:
    # Whatever stands in between must not give one caller's form to another.
    response.headers["Vary"] = "Accept"
    return response
