"""What happens around every request; the order is the tuple at the end."""

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPMethod, HTTPStatus

from aiohttp import web

from typosentinel_server.errors import DomainError, InvalidRequest
from typosentinel_server.keys import REQUEST_ID, SERVER, Server
from typosentinel_server.schemas import ErrorBody, ErrorResponse

MAX_BODY_BYTES = 64 * 1024
# Where one package a request is not the point.
LARGER_BODIES = {"/api/v1/benchmark": 2 * 1024 * 1024}
DECENT_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
UNMATCHED = "unmatched"
METHODS = frozenset(HTTPMethod)
# What is asked for by those who use the service, not by probes and those who look after it.
API_PREFIX = "/api/v1/"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives request and response an id, the caller's own where it is a decent one, and says who answers."""
    request[REQUEST_ID] = _id_of(request)
    server = request.app[SERVER]
    response = await handler(request)
    _sign(response, server, request[REQUEST_ID])
    if server.lifecycle.draining:
        # The client opens its next connection elsewhere, so that the shutdown cuts no connection in use.
        response.force_close()
        response.headers["Connection"] = "close"
    return response


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Times every request under its route's pattern; what matches no route shares one label."""
    server = request.app[SERVER]
    started = server.clock.monotonic()
    response = await handler(request)
    seconds = server.clock.monotonic() - started
    route = route_of(request)
    method = request.method if request.method in METHODS else "_OTHER"
    server.metrics.http_seconds.labels(method, route, str(response.status)).observe(seconds)
    server.log.write.debug(
        "request",
        request_id=request[REQUEST_ID],
        method=method,
        route=route,
        status=response.status,
        seconds=round(seconds, 6),
    )
    if route.startswith(API_PREFIX):
        server.ring.add(seconds, failed=response.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
    return response


@web.middleware
async def render_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every failure into the one JSON form of errors."""
    try:
        return await handler(request)
    except DomainError as error:
        return _error_response(request.app[SERVER], request[REQUEST_ID], error)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        response = _error_response(request.app[SERVER], request[REQUEST_ID], _translated(request, error))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer in the one form
        request.app[SERVER].log.write.error(
            "request failed", request_id=request[REQUEST_ID], path=request.path, exc_info=error
        )
        unknown = DomainError(
            "INTERNAL_ERROR",
            "the server failed to answer this request",
            "Try again; if it stays, report it with the request id.",
            http_hint=500,
        )
        return _error_response(request.app[SERVER], request[REQUEST_ID], unknown)


@web.middleware
async def limit_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a body that says it is too large, before it is read; one that lies is cut off later."""
    limit = _limit_of(request)
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    return await handler(request if limit == MAX_BODY_BYTES else request.clone(client_max_size=limit))


MIDDLEWARES = (identify, measure, render_errors, limit_body)


def route_of(request: web.Request) -> str:
    """The pattern of the route that a request matched."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else UNMATCHED


def refusal(server: Server, request: web.BaseRequest, error: DomainError) -> web.Response:
    """The answer to a request that no middleware came to see; it ends the connection, and is counted like any."""
    request_id = _id_of(request)
    response = _error_response(server, request_id, error)
    _sign(response, server, request_id)
    response.force_close()
    server.metrics.http_seconds.labels("_OTHER", UNMATCHED, str(response.status)).observe(0.0)
    server.log.write.debug("request refused", request_id=request_id, status=response.status, reason=error.message)
    return response


def _id_of(request: web.BaseRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if DECENT_ID.fullmatch(given) else uuid.uuid4().hex


def _sign(response: web.StreamResponse, server: Server, request_id: str) -> None:
    response.headers["X-Request-ID"] = request_id
    response.headers["X-Served-By"] = server.name
    response.headers["Server"] = "typosentinel"


def _error_response(server: Server, request_id: str, error: DomainError) -> web.Response:
    now = datetime.fromtimestamp(server.clock.wall(), UTC)
    body = ErrorResponse(
        error=ErrorBody(
            code=error.code,
            message=error.message,
            suggestion=error.suggestion,
            timestamp=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            request_id=request_id,
        )
    )
    # Python's own JSON writes pure ASCII, so that no text of the caller's can break the encoding.
    text = json.dumps(body.model_dump(by_alias=True))
    response = web.Response(text=text, status=error.http_hint, content_type="application/json")
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _translated(request: web.Request, error: web.HTTPException) -> DomainError:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return _too_large(_limit_of(request))
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return DomainError(
            "METHOD_NOT_ALLOWED",
            "this path does not take that method",
            f"Use one of {allowed}.",
            http_hint=405,
        )
    if isinstance(error, web.HTTPNotFound):
        paths = sorted({r.canonical for r in request.app.router.resources()})
        return DomainError(
            "NOT_FOUND", "there is nothing at this path", f"There are {', '.join(paths)}.", http_hint=404
        )
    code = HTTPStatus(error.status).name
    return DomainError(code, error.reason.lower(), "Check the request.", http_hint=error.status)


def _limit_of(request: web.Request) -> int:
    return LARGER_BODIES.get(route_of(request), MAX_BODY_BYTES)


def _too_large(limit: int) -> InvalidRequest:
    return InvalidRequest(
        "BODY_TOO_LARGE",
        f"the body is larger than {limit} bytes",
        "Send less in one request.",
        http_hint=413,
    )
