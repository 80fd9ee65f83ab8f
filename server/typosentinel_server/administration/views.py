"""The administrative views: parse, ask the part, render. A part that is not there has no views."""

from aiohttp import web
from pydantic import BaseModel

from typosentinel_server import statusviews
from typosentinel_server.administration.guard import DEED
from typosentinel_server.administration.loglevel import LevelOverride
from typosentinel_server.administration.schemas import (
    AdminStatusResponse,
    BreakerResetRequest,
    BreakersResponse,
    ClearedResponse,
    ConfigurationResponse,
    LogLevelRequest,
    LogLevelResponse,
    ReloadResponse,
    WorkersScaleRequest,
)
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.errors import ConfigurationInvalid, DomainError, did_you_mean, shown
from typosentinel_server.jsonhttp import json_answer, json_body
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.statusschemas import (
    BreakerBody,
    LimitsResponse,
    WorkersResponse,
)
from typosentinel_server.wirejson import parse_body

LEVELS = web.AppKey("LEVELS", LevelOverride)


def answer(body: BaseModel, status: int = 200) -> web.StreamResponse:
    """An answer whose body is a model."""
    return json_answer(body.model_dump_json(by_alias=True), status=status)


async def status(request: web.Request) -> web.StreamResponse:
    """`GET /admin/status`: everything about this server."""
    server = request.app[SERVER]
    report = statusviews.status_report(server)
    return answer(
        AdminStatusResponse(
            health=report.health,
            cache=report.cache,
            workers=report.workers,
            breakers=report.breakers,
            limits=report.limits,
            log_level=_level(request.app[LEVELS]),
            configuration=_configuration(server),
        )
    )


async def configuration(request: web.Request) -> web.StreamResponse:
    """`GET /admin/configuration`: what is in effect, defaults included."""
    return answer(_configuration(request.app[SERVER]))


async def reload(request: web.Request) -> web.StreamResponse:
    """`POST /admin/reload`: reads document and lists now; 422 where the document is refused."""
    server = request.app[SERVER]
    before = server.reloader.current
    await server.reloader.look()
    await server.keeper.look()
    request.app[LEVELS].look()
    if server.reloader.last_error is not None:
        raise ConfigurationInvalid(
            "CONFIGURATION_INVALID",
            server.reloader.last_error,
            "Correct the document; what was in effect stays so.",
            http_hint=422,
        )
    now = server.reloader.current
    request[DEED].details["hash"] = now.digest
    return answer(ReloadResponse(hash=now.digest, changed=now is not before))


async def set_log_level(request: web.Request) -> web.StreamResponse:
    """`PUT /admin/log-level`: another level, for a while."""
    asked = parse_body(LogLevelRequest, await json_body(request), '{"level": "Debug", "seconds": 300}')
    request[DEED].details.update(level=asked.level.value, seconds=asked.seconds)
    levels = request.app[LEVELS]
    levels.set(asked.level, asked.seconds)
    return answer(_level(levels))


async def workers(request: web.Request) -> web.StreamResponse:
    """`GET /admin/workers`: the pool."""
    pool = request.app[SERVER].ports.workers
    assert pool is not None  # noqa: S101 - without it there is no such route
    return answer(WorkersResponse.of(pool.report()))


async def scale_workers(request: web.Request) -> web.StreamResponse:
    """`POST /admin/workers/scale`: other bounds of the pool."""
    asked = parse_body(WorkersScaleRequest, await json_body(request), '{"min": 2, "max": 4}')
    request[DEED].details.update(min=asked.min, max=asked.max)
    if asked.min > asked.max:
        raise DomainError("WRONG_BOUNDS", "min is greater than max", "Give a max of at least min.", http_hint=422)
    pool = request.app[SERVER].ports.workers
    assert pool is not None  # noqa: S101 - without it there is no such route
    pool.scale(asked.min, asked.max)
    return answer(WorkersResponse.of(pool.report()))


async def breakers(request: web.Request) -> web.StreamResponse:
    """`GET /admin/breakers`: the circuit breakers."""
    ports = request.app[SERVER].ports
    found = ports.breakers() if ports.breakers else ()
    return answer(BreakersResponse(breakers=[BreakerBody.of(breaker) for breaker in found]))


async def reset_breakers(request: web.Request) -> web.StreamResponse:
    """`POST /admin/circuit-breaker/reset`: closes one, or all."""
    asked = parse_body(BreakerResetRequest, await json_body(request), '{"name": "redis"}')
    request[DEED].details["name"] = asked.name
    ports = request.app[SERVER].ports
    found = ports.breakers() if ports.breakers else ()
    wanted = [breaker for breaker in found if asked.name in (None, breaker.name)]
    if asked.name is not None and not wanted:
        names = [breaker.name for breaker in found]
        raise DomainError(
            "UNKNOWN_BREAKER",
            f"there is no breaker {shown(asked.name)}",
            f"{did_you_mean(asked.name, names)}There are {', '.join(names) or 'none'}.",
            http_hint=404,
        )
    for breaker in wanted:
        breaker.reset()
    return answer(BreakersResponse(breakers=[BreakerBody.of(breaker) for breaker in wanted]))


async def limits(request: web.Request) -> web.StreamResponse:
    """`GET /admin/limits`: what the limits did."""
    found = request.app[SERVER].ports.limits
    assert found is not None  # noqa: S101 - without it there is no such route
    return answer(LimitsResponse.of(found.report()))


async def clear(request: web.Request) -> web.StreamResponse:
    """`POST /admin/clear`: empties the cache and closes every breaker."""
    ports = request.app[SERVER].ports
    dropped = await ports.cache.clear() if ports.cache else None
    closed = list(ports.breakers()) if ports.breakers else []
    for breaker in closed:
        breaker.reset()
    request[DEED].details.update(dropped=dropped)
    return answer(ClearedResponse(dropped=dropped, breakers=[breaker.name for breaker in closed]))


def routes(ports: Ports) -> tuple[web.RouteDef, ...]:
    """The routes of what is there."""
    found = [
        web.get("/admin/status", status),
        web.get("/api/admin/stats", status),
        web.get("/admin/configuration", configuration),
        web.post("/admin/reload", reload),
        web.put("/admin/log-level", set_log_level),
        web.post("/admin/clear", clear),
    ]
    if ports.workers is not None:
        found += [web.get("/admin/workers", workers), web.post("/admin/workers/scale", scale_workers)]
    if ports.breakers is not None:
        found += [web.get("/admin/breakers", breakers), web.post("/admin/circuit-breaker/reset", reset_breakers)]
    if ports.limits is not None:
        found.append(web.get("/admin/limits", limits))
    return tuple(found)


def _configuration(server: Server) -> ConfigurationResponse:
    current = server.reloader.current
    return ConfigurationResponse(
        hash=current.digest,
        age_seconds=round(server.reloader.age, 3),
        last_error=server.reloader.last_error,
        settings=current.settings,
    )


def _level(levels: LevelOverride) -> LogLevelResponse:
    left = levels.expires_in
    return LogLevelResponse(
        level=levels.level, configured=levels.configured, expires_in_seconds=None if left is None else round(left, 1)
    )
