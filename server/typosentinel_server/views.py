"""Parse, ask the service, render. No rule lives here."""

from aiohttp import web

from typosentinel_server import batchviews, benchmarkviews, methodviews
from typosentinel_server.answer import Answer
from typosentinel_server.errors import DomainError
from typosentinel_server.evidenced import with_evidence
from typosentinel_server.health import Health
from typosentinel_server.jsonhttp import json_answer, json_body
from typosentinel_server.keys import SERVER
from typosentinel_server.scan.model import Package
from typosentinel_server.schemas import ReadyResponse, ScanRequest
from typosentinel_server.wirejson import parse_body

HEALTH = web.AppKey("HEALTH", Health)

EXAMPLE = '{"ecosystem": "PyPI", "name": "requests"}'


async def scan(request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/scan`: the judgement of one package."""
    asked = parse_body(ScanRequest, await json_body(request), EXAMPLE)
    metadata = asked.metadata.metadata() if asked.metadata else None
    server = request.app[SERVER]
    outcome = server.service.scan(asked.ecosystem, asked.name, asked.version, metadata)
    if server.witness.configured:
        package = Package(outcome.result.package.ecosystem, asked.name, asked.version)
        outcome = await with_evidence(server.service, server.witness, outcome, package, metadata)
    return Answer(outcome.json(asked.name, asked.version))


async def health(request: web.Request) -> web.StreamResponse:
    """`GET /health`: the state in words and figures; 503 where nothing can be judged."""
    status, body = request.app[HEALTH].look()
    return Answer(body, status)


async def ready(request: web.Request) -> web.StreamResponse:
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


async def live(request: web.Request) -> web.StreamResponse:
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
    *batchviews.ROUTES,
    *methodviews.ROUTES,
    *benchmarkviews.ROUTES,
    web.get("/health", health),
    web.get("/ready", ready),
    web.get("/live", live),
)
