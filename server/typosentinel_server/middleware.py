"""What happens around every request, from top to bottom of `Around.handle`.

One coroutine with named steps instead of one coroutine for each: a scan from the cache takes some twenty microseconds
in all, and each layer would add one.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus

from aiohttp import hdrs, web
from multidict import istr

from typosentinel_server.answer import Answer
from typosentinel_server.charging import charge
from typosentinel_server.compression import INLINE_BYTES, MIN_BYTES, chosen, compressed
from typosentinel_server.errors import DomainError, InvalidRequest
from typosentinel_server.identifiers import identifiers
from typosentinel_server.keys import DECISION, REQUEST_ID, Server
from typosentinel_server.limiting import endpoint_of
from typosentinel_server.problems import internal, rendered, translated
from typosentinel_server.ratelimit.headers import tell
from typosentinel_server.ratelimit.policy import Endpoint

MAX_BODY_BYTES = 64 * 1024
# Where one package a request is not the point.
LARGER_BODIES = {"/api/v1/batch": 4 * 1024 * 1024, "/api/v1/benchmark": 2 * 1024 * 1024}
DECENT_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
UNMATCHED = "unmatched"
METHODS = frozenset(method.value for method in HTTPMethod)
# What clients come for: not probes, and not those who look after the server.
API_PREFIX = "/api/v1/"

# Spelled once, so that the library need not fold their case at every request.
X_REQUEST_ID = istr("X-Request-ID")
X_CORRELATION_ID = istr("X-Correlation-ID")
X_PROCESS_TIME = istr("X-Process-Time")
X_SERVED_BY = istr("X-Served-By")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What is the same for all requests of a route.

    Attributes:
        label: its pattern; what matches no route shares one.
        of_api: whether it is what clients come for, not a probe.
        max_body: bytes that a body may have, decompressed.
        endpoint: whose limit holds; None: none does.
    """

    label: str
    of_api: bool
    max_body: int
    endpoint: Endpoint | None


class Around:
    """What one server does around each request.

    Args:
        server: its parts.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ids: Iterator[str] = identifiers()
        self._facts: dict[web.AbstractRoute, RouteFacts] = {}

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to a request, whatever happens."""
        server = self._server
        started = server.clock.monotonic()
        request_id = request[REQUEST_ID] = self.id_of(request.headers)
        facts = self.facts_of(request.match_info.route)
        endpoint = facts.endpoint if server.limits.active else None
        try:
            if endpoint is not None:
                await charge(server.limits, request, endpoint)
            response = await handler(_bounded(request, facts.max_body))
        except DomainError as error:
            response = rendered(server.clock, request.headers, request_id, error)
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            response = rendered(server.clock, request.headers, request_id, translated(request, error, facts.max_body))
            if hdrs.ALLOW in error.headers:
                response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer in the one form
            server.log.write.error("request failed", request_id=request_id, path=request.path, exc_info=error)
            response = rendered(server.clock, request.headers, request_id, internal())
        if isinstance(response, Answer) and len(response.body) >= MIN_BYTES:
            await _compress(request, response)
        seconds = server.clock.monotonic() - started
        self._sign(request, response, request_id, seconds)
        decision = request.get(DECISION)
        if decision is not None:
            tell(response.headers, decision)
        self.count(request.method, facts, response.status, seconds, request_id)
        return response

    def refusal(self, request: web.BaseRequest, error: DomainError) -> Answer:
        """The answer to a request that never came this far; it ends the connection, and is counted like any."""
        server = self._server
        request_id = self.id_of(request.headers)
        response = rendered(server.clock, request.headers, request_id, error)
        self._sign(request, response, request_id, 0.0)
        response.force_close()
        server.metrics.http_seconds.observe(("_OTHER", UNMATCHED, str(response.status)), 0.0)
        server.log.write.debug("request refused", request_id=request_id, status=response.status, reason=error.message)
        return response

    async def sign_streamed(self, request: web.Request, response: web.StreamResponse) -> None:
        """Signs an answer that leaves in parts before its first one does."""
        self._sign(request, response, request[REQUEST_ID], 0.0)
        decision = request.get(DECISION)
        if decision is not None:
            tell(response.headers, decision)

    def id_of(self, headers: Mapping[str, str]) -> str:
        """The caller's own id where it is a decent one, else a new one."""
        return self.decent(headers.get(X_REQUEST_ID)) or self.new_id()

    def new_id(self) -> str:
        """An id for a request that came with none."""
        return next(self._ids)

    def decent(self, given: str | None) -> str | None:
        """An id that a caller gave, if it is one that can do no harm in headers and logs."""
        return given if given is not None and DECENT_ID.fullmatch(given) else None

    def count(self, method: str, facts: RouteFacts, status: int, seconds: float, request_id: str) -> None:
        """Counts an answered request, and notes some."""
        server = self._server
        known = method if method in METHODS else "_OTHER"
        server.metrics.http_seconds.observe((known, facts.label, str(status)), seconds)
        if facts.of_api:
            # Probes are not worth a line: while a server drains, every one of them fails.
            server.access.note(known, facts.label, status, seconds, request_id)
            server.ring.add(seconds, failed=status >= HTTPStatus.INTERNAL_SERVER_ERROR)

    def facts_of(self, route: web.AbstractRoute) -> RouteFacts:
        """What is known of a route."""
        facts = self._facts.get(route)
        if facts is None:
            resource = route.resource
            label = resource.canonical if resource is not None else UNMATCHED
            facts = RouteFacts(
                label, label.startswith(API_PREFIX), LARGER_BODIES.get(label, MAX_BODY_BYTES), endpoint_of(label)
            )
            # The library makes a route for each request that matches none: those are not remembered.
            if resource is not None:
                self._facts[route] = facts
        return facts

    def _sign(self, request: web.BaseRequest, response: web.StreamResponse, request_id: str, seconds: float) -> None:
        server = self._server
        headers = response.headers
        headers[X_REQUEST_ID] = request_id
        headers[X_CORRELATION_ID] = self.decent(request.headers.get(X_CORRELATION_ID)) or request_id
        headers[X_PROCESS_TIME] = f"{seconds:.6f}"
        headers[X_SERVED_BY] = server.name
        headers[hdrs.SERVER] = "typosentinel"
        if server.lifecycle.draining:
            # The client opens its next connection elsewhere, so that the shutdown cuts no connection in use.
            response.force_close()
            headers[hdrs.CONNECTION] = "close"


AROUND = web.AppKey("AROUND", Around)


async def _compress(request: web.Request, answer: Answer) -> None:
    varies = answer.headers.get(hdrs.VARY)
    answer.headers[hdrs.VARY] = f"{varies}, {hdrs.ACCEPT_ENCODING}" if varies else hdrs.ACCEPT_ENCODING
    coding = chosen(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
    if coding is None:
        return
    if len(answer.body) > INLINE_BYTES:
        answer.body = await asyncio.to_thread(compressed, answer.body, coding)
    else:
        answer.body = compressed(answer.body, coding)
    answer.headers[hdrs.CONTENT_ENCODING] = coding.value


def _bounded(request: web.Request, max_body: int) -> web.Request:
    # A body that says it is too large is refused before it is read; one that lies is cut off later.
    if (request.content_length or 0) > max_body:
        raise InvalidRequest.too_large(max_body)
    return request if max_body == MAX_BODY_BYTES else request.clone(client_max_size=max_body)
