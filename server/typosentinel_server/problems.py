"""Errors as answers: the one JSON form, or RFC 9457 problem details for whoever accepts those."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import hdrs, web

from typosentinel_server.answer import Answer
from typosentinel_server.clock import Clock
from typosentinel_server.errors import DomainError, InvalidRequest
from typosentinel_server.schemas import ErrorBody, ErrorResponse, ProblemDetails

PROBLEM = "application/problem+json"


def rendered(clock: Clock, headers: Mapping[str, str], request_id: str, error: DomainError) -> Answer:
    """The answer that says what is wrong and what to do about it, in the form that the request's headers accept."""
    now = datetime.fromtimestamp(clock.wall(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body: ErrorResponse | ProblemDetails
    if PROBLEM in headers.get(hdrs.ACCEPT, ""):
        kind = PROBLEM
        body = ProblemDetails(
            type=f"urn:typosentinel:error:{error.code}",
            title=HTTPStatus(error.http_hint).phrase,
            status=error.http_hint,
            detail=error.message,
            code=error.code,
            suggestion=error.suggestion,
            timestamp=now,
            request_id=request_id,
        )
    else:
        kind = "application/json"
        body = ErrorResponse(
            error=ErrorBody(
                code=error.code,
                message=error.message,
                suggestion=error.suggestion,
                timestamp=now,
                request_id=request_id,
            )
        )
    # Python's own JSON writes pure ASCII, so that no text of the caller's can break the encoding.
    answer = Answer(json.dumps(body.model_dump(by_alias=True)).encode("ascii"), error.http_hint, kind)
    if error.retry_after is not None:
        answer.headers[hdrs.RETRY_AFTER] = str(error.retry_after)
    return answer


def internal(status: int = 500) -> DomainError:
    """The server's own fault, about which the caller is told nothing more."""
    return DomainError(
        "INTERNAL_ERROR",
        "the server failed to answer this request",
        "Try again; if it stays, report it with the request id.",
        http_hint=status,
    )


def translated(request: web.Request, error: web.HTTPException, max_body: int) -> DomainError:
    """What the HTTP library says, in our words."""
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return InvalidRequest.too_large(max_body)
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
