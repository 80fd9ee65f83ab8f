"""Parse, ask the service, render. No rule lives here."""

from datetime import UTC, datetime

from aiohttp import web

from typosentinel_server import __version__, benchmarkviews, methodviews
from typosentinel_server.errors import DomainError
from typosentinel_server.jsonhttp import json_answer, json_body
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.schemas import (
    ConfigurationBody,
    CorpusBody,
    CorpusSourceBody,
    HealthResponse,
    ListBody,
    ReadyResponse,
    RequestsBody,
    ScanRequest,
    ScanResponse,
)
from typosentinel_server.wirejson import parse_body

EXAMPLE = '{"ecosystem": "PyPI", "name": "requests"}'
DEGRADED_ABOVE_ERROR_RATIO = 0.05


async def scan(request: web.Request) -> web.Response:
    """`POST /api/v1/scan`: the judgement of one package."""
    asked = parse_body(ScanRequest, await json_body(request), EXAMPLE)
    metadata = asked.metadata.metadata() if asked.metadata else None
    outcome = request.app[SERVER].service.scan(asked.ecosystem, asked.name, asked.version, metadata)
    return json_answer(ScanResponse.of(asked, outcome).model_dump_json(by_alias=True))


async def health(request: web.Request) -> web.Response:
    """`GET /health`: the state in words and figures; 503 where nothing can be judged."""
    body = health_report(request.app[SERVER])
    return json_answer(body.model_dump_json(by_alias=True), status=503 if body.status == "unhealthy" else 200)


async def ready(request: web.Request) -> web.Response:
    """`GET /ready`: 200 while new requests are welcome."""
    server = request.app[SERVER]
    if server.lifecycle.draining:
        raise DomainError("DRAINING", "this server is on its way out", "Send requests to another one.", http_hint=503)
    if not server.service.engines.ecosystems:
        raise DomainError(
            "NO_CORPUS", "no list of popular names is loaded", "Check the ecosystems configured.", http_hint=503
        )
    body = ReadyResponse(status="ready", degraded=[*server.librarian.state.complaints, *server.keeper.complaints])
    return json_answer(body.model_dump_json(by_alias=True))


async def live(request: web.Request) -> web.Response:
    """`GET /live`: 200 while the event loop makes progress."""
    lifecycle = request.app[SERVER].lifecycle
    if not lifecycle.alive:
        raise DomainError(
            "STALLED",
            f"the event loop stood still for {lifecycle.heartbeat_age:.1f} s",
            "Restart this server.",
            http_hint=503,
        )
    return json_answer('{"status":"live"}')


ROUTES = (
    web.post("/api/v1/scan", scan),
    *methodviews.ROUTES,
    *benchmarkviews.ROUTES,
    web.get("/health", health),
    web.get("/ready", ready),
    web.get("/live", live),
)


def health_report(server: Server) -> HealthResponse:
    """How it stands with a server as a whole."""
    recent = server.ring.summary()
    corpora = server.service.engines.corpora
    lists = server.librarian.state
    wrong = (
        server.reloader.last_error is not None
        or bool(lists.complaints or server.keeper.complaints)
        or recent.error_ratio > DEGRADED_ABOVE_ERROR_RATIO
    )
    status = "degraded" if wrong else "ok"
    if not corpora or not server.lifecycle.alive:
        status = "unhealthy"
    return HealthResponse(
        status=status,
        version=__version__,
        uptime_seconds=round(server.lifecycle.uptime, 3),
        configuration=ConfigurationBody(
            hash=server.reloader.current.digest,
            age_seconds=round(server.reloader.age, 3),
            last_error=server.reloader.last_error,
        ),
        corpus=[
            CorpusBody(
                ecosystem=corpus.ecosystem,
                version=corpus.version,
                names=corpus.size,
                created_at=_time(corpus.created),
                age_seconds=round(lists.ages[corpus.ecosystem]),
                stale=lists.is_stale(corpus.ecosystem),
            )
            for corpus in corpora
        ],
        corpus_source=CorpusSourceBody(
            kind=lists.kind,
            location=lists.location,
            fallback=lists.fallback,
            last_success_at=None
            if lists.last_success is None
            else _time(datetime.fromtimestamp(lists.last_success, UTC)),
            last_error=lists.last_error,
        ),
        lists=[
            ListBody(
                name=name,
                file=str(reading.path),
                hash=reading.digest,
                entries=0 if reading.content is None else len(reading.content),
                serving=reading.serving,
                last_error=reading.error,
            )
            for name, reading in server.keeper.held.readings.items()
        ],
        requests=RequestsBody(
            count=recent.count,
            error_ratio=recent.error_ratio,
            p50_seconds=recent.p50,
            p95_seconds=recent.p95,
            p99_seconds=recent.p99,
        ),
        draining=server.lifecycle.draining,
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
