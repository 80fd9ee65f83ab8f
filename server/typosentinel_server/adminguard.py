"""Who may do administrative things, and a line in the log for each thing that is done."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPMethod, HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, NoReturn

from aiohttp import web

from typosentinel_server.admintoken import TokenKeeper
from typosentinel_server.errors import DomainError
from typosentinel_server.keys import REQUEST_ID, SERVER
from typosentinel_server.middleware import route_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# What one address may guess in a minute before it is told to wait; a right token is never told so.
GUESSES: Final = 10
WINDOW_SECONDS: Final = 60.0
# Guesses wait a little, but not so many at once that waiting itself costs.
DELAY_SECONDS: Final = 0.2
MAX_DELAYED: Final = 64
MAX_ADDRESSES: Final = 1024
IPV6_NETWORK_BITS: Final = 64
# What is open to everybody: what the interface looks like is no secret.
OPEN: Final = frozenset({"/openapi.json", "/docs", "/docs/assets/{file}"})
READING: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD})


class Unauthorized(DomainError):
    """No token, or one that opens nothing; which of the two is nobody's business."""

    http_hint = 401


class TooManyGuesses(DomainError):
    """So many wrong tokens from one address that further ones are not looked into soon."""

    http_hint = 429
    retry_after = int(WINDOW_SECONDS)


class Guesses:
    """Wrong tokens by address, in a minute each. Remembers 1,024 addresses; a flood of others makes it forget.

    Args:
        monotonic: the clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def note(self, address: str) -> int:
        """Counts a wrong token; how many there were in this minute."""
        now = self._monotonic()
        key = _network(address)
        since, count = self._counts.pop(key, (now, 0))
        if now - since >= WINDOW_SECONDS:
            since, count = now, 0
        self._counts[key] = (since, count + 1)
        while len(self._counts) > MAX_ADDRESSES:
            self._counts.popitem(last=False)
        return count + 1


@dataclass(slots=True)
class Guard:
    """What the middleware below needs.

    Attributes:
        tokens: knows the right one.
        guesses: the wrong ones.
        delay: seconds that a wrong one waits for its answer.
        allowed: wrong ones from one address in a minute, after which it is told to wait.
        delayed: how many wait now.
    """

    tokens: TokenKeeper
    guesses: Guesses
    delay: float = DELAY_SECONDS
    allowed: int = GUESSES
    delayed: int = 0


@dataclass(slots=True)
class Deed:
    """What the log will say of a request that changes something.

    Attributes:
        actor: fingerprint of the token.
        details: what the view adds.
    """

    actor: str
    details: dict[str, Any] = field(default_factory=dict)


GUARD = web.AppKey("GUARD", Guard)
DEED = web.RequestKey("DEED", Deed)


@web.middleware
async def challenge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Says on a refusal what kind of proof is wanted."""
    response = await handler(request)
    if response.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets nobody through without the token, except to what is open."""
    if route_of(request) in OPEN:
        return await handler(request)
    guard = request.app[GUARD]
    # A right token passes whatever was guessed from the same address: guessing locks nobody out.
    actor = guard.tokens.holder(_shown(request))
    if actor is None:
        await _refuse(request, guard)
    request[DEED] = Deed(actor)
    return await handler(request)


@web.middleware
async def audit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Logs every request that may change something: who, what, from where, and how it ended."""
    deed = request.get(DEED)
    if deed is None or request.method in READING:
        return await handler(request)
    outcome: int = HTTPStatus.INTERNAL_SERVER_ERROR
    try:
        response = await handler(request)
        outcome = response.status
    except DomainError as error:
        outcome = error.http_hint
        raise
    except web.HTTPException as error:
        outcome = error.status
        raise
    finally:
        request.app[SERVER].log.audit(
            "administrative change",
            actor=deed.actor,
            action=f"{request.method} {route_of(request)}",
            address=request.remote or "unknown",
            status=int(outcome),
            request_id=request[REQUEST_ID],
            **{name: request.match_info[name][:200] for name in request.match_info},
            **deed.details,
        )
    return response


def _shown(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _refuse(request: web.Request, guard: Guard) -> NoReturn:
    if "Authorization" not in request.headers:
        # Nobody guesses here; somebody asks the way.
        raise _unauthorized()
    address = request.remote or "unknown"
    count = guard.guesses.note(address)
    if count <= guard.allowed:
        request.app[SERVER].log.write.warning(
            "administrative request with a wrong token", address=address, request_id=request[REQUEST_ID]
        )
    if count > guard.allowed or guard.delayed >= MAX_DELAYED:
        raise TooManyGuesses("TOO_MANY_GUESSES", "too many wrong tokens", "Wait, and send the right token.")
    guard.delayed += 1
    try:
        await asyncio.sleep(guard.delay)
    finally:
        guard.delayed -= 1
    raise _unauthorized()


def _unauthorized() -> Unauthorized:
    return Unauthorized(
        "UNAUTHORIZED", "this takes the administrative token", "Send the header Authorization: Bearer TOKEN."
    )


def _network(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        # Whoever has one IPv6 address has 2^64 of them.
        return str(IPv6Address(int(found) >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS))
    return str(getattr(found, "ipv4_mapped", None) or found)
