"""The request that nearly all are, answered in a few calls: a scan of a name, as plain as it can be sent; and /health.

Everything else, and every case of doubt, goes the way of all requests (`middleware.py`), which this one follows step by
step; tests send the same requests both ways and compare. What it saves is what the library does around a handler: an
object for the request and one for the response, a task, and two turns of the event loop, together twice as dear as the
scan.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NamedTuple

from aiohttp import hdrs, web
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion11, RawRequestMessage

from typosentinel_server.charging import FORWARDED_FOR
from typosentinel_server.compression import INLINE_BYTES, MIN_BYTES, chosen, compressed
from typosentinel_server.edge.gathering import Asked
from typosentinel_server.edge.heads import Head
from typosentinel_server.errors import DomainError
from typosentinel_server.health import Health
from typosentinel_server.keys import Server
from typosentinel_server.limiting import refused
from typosentinel_server.middleware import MAX_BODY_BYTES, X_CORRELATION_ID, X_REQUEST_ID, Around, RouteFacts
from typosentinel_server.problems import internal, rendered
from typosentinel_server.ratelimit.headers import lines
from typosentinel_server.ratelimit.policy import FREE, Decision, Endpoint
from typosentinel_server.service import Inquiry

SCAN: Final = RouteFacts("/api/v1/scan", of_api=True, max_body=MAX_BODY_BYTES, endpoint=Endpoint.SCAN)
HEALTH: Final = RouteFacts("/health", of_api=False, max_body=MAX_BODY_BYTES, endpoint=None)
JSON: Final = "application/json"
# Where not even an error can be put into words.
LAST_RESORT: Final = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
# Printable ASCII without quotes and escapes: what is more than that is for the careful parser to say.
PLAIN: Final = re.compile(
    rb'[ \t\r\n]*+\{[ \t\r\n]*+"ecosystem"[ \t\r\n]*+:[ \t\r\n]*+"([A-Za-z.]{1,20})"[ \t\r\n]*+,[ \t\r\n]*+'
    rb'"name"[ \t\r\n]*+:[ \t\r\n]*+"([ !#-\[\]-~]{1,256})"[ \t\r\n]*+'
    rb'(?:,[ \t\r\n]*+"version"[ \t\r\n]*+:[ \t\r\n]*+"([ !#-\[\]-~]{0,256})"[ \t\r\n]*+)?\}[ \t\r\n]*+'
)


class _Reply(NamedTuple):
    # What is to be sent, apart from what every answer carries.
    route: RouteFacts
    request_id: str
    status: int
    kind: str
    more: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Facts:
    # What a head says, whatever comes behind it: which route, if it is a plain one; the caller's ids; what he takes.
    message: RawRequestMessage
    route: RouteFacts | None
    request_id: str | None
    chain: str | None
    accepted: str


@dataclass(slots=True)
class _Scan:
    # A request for a scan on its way to an answer: what came, and the question, or why there can be none.
    facts: _Facts
    decision: Decision
    started: float
    name: str
    version: str | None
    inquiry: Inquiry | Exception


class FastLane:
    """Answers plain scans, and whoever asks how the server is.

    Args:
        server: its parts.
        around: what is done around all requests.
        health: tells how the server is.
    """

    def __init__(self, server: Server, around: Around, health: Health) -> None:
        self._server = server
        self._around = around
        self._health = health
        self._who = f"X-Served-By: {server.name}\r\nServer: typosentinel\r\n"

    def answer(self, asked: Sequence[Asked]) -> list[bytes | None]:
        """All bytes of each answer; None where a request has to go the way of all others, and nothing has happened.

        What is alike is done in one go for all of them: see `ScanService.judge`.

        Args:
            asked: requests that came at the same time.
        """
        begun = [self._safely_begun(one) for one in asked]
        inquiries = [one.inquiry for one in begun if isinstance(one, _Scan) and isinstance(one.inquiry, Inquiry)]
        if inquiries:
            self._server.service.judge(inquiries)
        return [self._safely_scanned(one) if isinstance(one, _Scan) else one for one in begun]

    def _safely_begun(self, asked: Asked) -> "bytes | _Scan | None":
        try:
            return self._begun(*asked)
        except Exception as error:  # noqa: BLE001 - the careful way has its turn
            self._server.log.write.error("request not begun", path=asked.head.message.path, exc_info=error)
            return None

    def _safely_scanned(self, scan: "_Scan") -> bytes:
        # Its sender has paid, and the others have no part in it.
        try:
            return self._scanned(scan)
        except Exception as error:  # noqa: BLE001 - as above
            self._server.log.write.error("request not answered", path=SCAN.label, exc_info=error)
            return LAST_RESORT

    def _begun(self, head: Head, body: bytes, peer: str | None) -> "bytes | _Scan | None":
        facts = head.noted
        if not isinstance(facts, _Facts):
            head.noted = facts = self._facts_of(head.message)
        if facts.route is None or self._server.lifecycle.draining:
            return None
        return self._scan(facts, body, peer) if facts.route is SCAN else self._look(facts, body)

    def _facts_of(self, message: RawRequestMessage) -> "_Facts":
        headers = message.headers
        route = None
        if not (
            message.should_close
            or message.version != HttpVersion11
            or message.compression is not None
            or message.chunked
            or message.upgrade
            or hdrs.EXPECT in headers
            or hdrs.CONTENT_ENCODING in headers
        ):
            if message.path == SCAN.label and message.method == hdrs.METH_POST:
                route = SCAN if headers.get(hdrs.CONTENT_TYPE) == JSON else None
            elif message.path == HEALTH.label and message.method == hdrs.METH_GET:
                route = HEALTH
        decent = self._around.decent
        own, chain = decent(headers.get(X_REQUEST_ID)), decent(headers.get(X_CORRELATION_ID))
        return _Facts(message, route, own, chain, headers.get(hdrs.ACCEPT_ENCODING, ""))

    def _scan(self, facts: "_Facts", body: bytes, peer: str | None) -> "_Scan | None":
        server = self._server
        if server.witness.configured:
            return None
        found = PLAIN.fullmatch(body)
        if found is None:
            return None
        started = server.clock.monotonic()
        decision = self._decision(facts.message, peer)
        if decision is None:
            return None
        ecosystem, name, version = found.groups()
        asked = name.decode("ascii")
        inquiry: Inquiry | Exception
        try:
            allowed = decision.allowed
            inquiry = server.service.inquire(ecosystem.decode("ascii"), asked) if allowed else refused(decision)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer in the one form
            inquiry = error
        return _Scan(facts, decision, started, asked, None if version is None else version.decode("ascii"), inquiry)

    def _scanned(self, scan: "_Scan") -> bytes:
        facts = scan.facts
        request_id = facts.request_id or self._around.new_id()
        status, kind, more = HTTPStatus.OK.value, JSON, ""
        try:
            found = self._found(scan)
        except DomainError as error:
            status, kind, more, found = self._failed(facts.message, request_id, error)
        except Exception as error:  # noqa: BLE001 - as above
            self._server.log.write.error("request failed", request_id=request_id, path=SCAN.label, exc_info=error)
            status, kind, more, found = self._failed(facts.message, request_id, internal())
        more += lines(scan.decision)
        return self._sent(facts, _Reply(SCAN, request_id, status, kind, more, found), scan.started)

    def _look(self, facts: "_Facts", body: bytes) -> bytes | None:
        if body:
            return None
        started = self._server.clock.monotonic()
        try:
            status, found = self._health.look()
        except Exception:  # noqa: BLE001 - asked on the way of all others it fails again, and there somebody is told
            return None
        request_id = facts.request_id or self._around.new_id()
        return self._sent(facts, _Reply(HEALTH, request_id, status, JSON, "", found), started)

    def _sent(self, facts: "_Facts", reply: "_Reply", started: float) -> bytes:
        route, request_id, status, kind, more, body = reply
        if len(body) >= MIN_BYTES:
            body, coded = _coded(body, facts.accepted)
            more += coded
        seconds = self._server.clock.monotonic() - started
        head = (
            f"HTTP/1.1 {status} {'OK' if status == HTTPStatus.OK else HTTPStatus(status).phrase}\r\n"
            f"Content-Type: {kind}\r\n{X_REQUEST_ID}: {request_id}\r\n"
            f"{X_CORRELATION_ID}: {facts.chain or request_id}\r\n"
            f"X-Process-Time: {seconds:.6f}\r\n{self._who}{more}"
            f"Content-Length: {len(body)}\r\nDate: {rfc822_formatted_time()}\r\n\r\n"
        )
        self._around.count(facts.message.method, route, status, seconds, request_id)
        return head.encode("ascii") + body

    def _decision(self, message: RawRequestMessage, peer: str | None) -> Decision | None:
        # None where other replicas have to be asked.
        limits = self._server.limits
        if not limits.active:
            return FREE
        principals = limits.principals
        forwarded = message.headers.getall(FORWARDED_FOR, ()) if principals.trusted else ()
        return limits.limiter.take(Endpoint.SCAN, principals.of(peer, message.headers, forwarded))

    def _found(self, scan: "_Scan") -> bytes:
        if isinstance(scan.inquiry, Exception):
            raise scan.inquiry
        return self._server.service.outcome(scan.inquiry, scan.version).json(scan.name, scan.version)

    def _failed(self, message: RawRequestMessage, request_id: str, error: DomainError) -> tuple[int, str, str, bytes]:
        answer = rendered(self._server.clock, message.headers, request_id, error)
        more = "".join(f"{name}: {answer.headers[name]}\r\n" for name in (hdrs.RETRY_AFTER,) if name in answer.headers)
        return answer.status, answer.headers[hdrs.CONTENT_TYPE], more, answer.body


LANE = web.AppKey("LANE", FastLane)


def _coded(body: bytes, accepted: str) -> tuple[bytes, str]:
    coding = chosen(accepted)
    if coding is None or len(body) > INLINE_BYTES:
        return body, "Vary: Accept-Encoding\r\n"
    return compressed(body, coding), f"Vary: Accept-Encoding\r\nContent-Encoding: {coding.value}\r\n"
