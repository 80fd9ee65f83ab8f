"""Parse, ask the service, render. No rule lives here."""

from datetime import UTC, datetime

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from typosentinel_server import __version__
from typosentinel_server.engines import names_in
from typosentinel_server.errors import DomainError, InvalidRequest
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.schemas import (
    ConfigurationBody,
    CorpusBody,
    CorpusSourceBody,
    HealthResponse,
    ReadyResponse,
    RequestsBody,
    ScanRequest,
    ScanResponse,
)
from typosentinel_server.wirejson import parse_body

EXAMPLE = '{"ecosystem": "PyPI", "name": "requests"}'
DEGRADED_ABOVE_ERROR_RATIO = 0.05
# nginx' number for it; nobody reads the answer, but it is counted.
CLIENT_GONE = 499


async def scan(request: web.Request) -> web.Response:
    """`POST /api/v1/scan`: the judgement of one package."""
    if request.content_type != "application/json":
        raise InvalidRequest(
            "UNSUPPORTED_MEDIA_TYPE",
            "the body is not declared as JSON",
            "Send the header Content-Type: application/json.",
            http_hint=415,
        )
    asked = parse_body(ScanRequest, await _body(request), EXAMPLE)
    outcome = request.app[SERVER].service.scan(asked.ecosystem, asked.name, asked.version)
    return _json(ScanResponse.of(asked, outcome).model_dump_json(by_alias=True))


async def health(request: web.Request) -> web.Response:
    """`GET /health`: the state in words and figures; 503 where nothing can be judged."""
    body = _health(request.app[SERVER])
    return _json(body.model_dump_json(by_alias=True), status=503 if body.status == "unhealthy" else 200)


async def ready(request: web.Request) -> web.Response:
    """`GET /ready`: 200 while new requests are welcome."""
    server = request.app[SERVER]
    if server.lifecycle.draining:
        raise DomainError("DRAINING", "this server is on its way out", "Send requests to another one.", http_hint=503)
    if not server.service.engines.ecosystems:
        raise DomainError(
            "NO_CORPUS", "no list of popular names is loaded", "Check the ecosystems configured.", http_hint=503
        )
    body = ReadyResponse(status="ready", degraded=list(server.librarian.state.complaints))
    return _json(body.model_dump_json(by_alias=True))


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
    return _json('{"status":"live"}')


async def metrics(request: web.Request) -> web.Response:
    """`GET /metrics`: Prometheus' text format."""
    text = generate_latest(request.app[SERVER].metrics.registry)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = (
    web.post("/api/v1/scan", scan),
    web.get("/health", health),
    web.get("/ready", ready),
    web.get("/live", live),
    web.get("/metrics", metrics),
)


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise InvalidRequest(
            "BODY_UNREADABLE",
            "the body is not encoded as its headers say",
            "Check Content-Encoding and Transfer-Encoding, or leave them out.",
        ) from error
    except ConnectionError as error:
        raise InvalidRequest(
            "CLIENT_GONE",
            "the client hung up before its body was complete",
            "Send the whole body.",
            http_hint=CLIENT_GONE,
        ) from error


def _health(server: Server) -> HealthResponse:
    recent = server.ring.summary()
    corpora = server.service.engines.corpora
    lists = server.librarian.state
    wrong = (
        server.reloader.last_error is not None
        or bool(lists.complaints)
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
                names=names_in(corpus),
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


def _json(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json")
