"""Who may do administrative things, and a line in the log for each thing that is done."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPMethod, HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, NoReturn

from aiohttp import hdrs, web

from typosentinel_server.administration.token import TokenKeeper
from typosentinel_server.errors import DomainError
from typosentinel_server.keys import REQUEST_ID, Server
from typosentinel_server.middleware import Around, Handler

# What one address may guess in a minute before it is told to wait; a right token is never told so.
GUESSES: Final = 10
WINDOW_SECONDS: Final = 60.0
# Guesses wait a little, but not so many at once that waiting itself costs.
DELAY_SECONDS: Final = 0.2
MAX_DELAYED: Final = 64
MAX_ADDRESSES: Final = 1024
IPV6_NETWORK_BITS: Final = 64
SHOWN_CHARACTERS: Final = 200
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
class Deed:
    """What the log will say of a request that changes something.

    Attributes:
        actor: fingerprint of the token.
        details: what the view adds.
    """

    actor: str
    details: dict[str, Any] = field(default_factory=dict)


DEED = web.RequestKey("DEED", Deed)


class Guarded(Around):
    """What is done around each administrative request: it takes the token, and what changes something is logged.

    It is no layer of its own, so that no short way to a handler leads past it.

    Args:
        server: its parts.
        tokens: knows the right one.
        delay: seconds that a wrong one waits for its answer.
        allowed: wrong ones from one address in a minute, after which it is told to wait.
    """

    def __init__(self, server: Server, tokens: TokenKeeper, delay: float, allowed: int) -> None:
        super().__init__(server)
        self._parts = server
        self._tokens = tokens
        self._delay = delay
        self._allowed = allowed
        self._guesses = Guesses(server.clock.monotonic)
        self._delayed = 0

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to a request, whatever happens."""

        async def guarded(bounded: web.Request) -> web.StreamResponse:
            return await self._guarded(bounded, handler)

        response = await super().handle(request, guarded)
        if response.status == HTTPStatus.UNAUTHORIZED:
            response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        return response

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.facts_of(request.match_info.route).label in OPEN:
            return await handler(request)
        # A right token passes whatever was guessed from the same address: guessing locks nobody out.
        actor = self._tokens.holder(_shown(request))
        if actor is None:
            await self._refuse(request)
        deed = request[DEED] = Deed(actor)
        if request.method in READING:
            return await handler(request)
        return await self._audited(request, handler, deed)

    async def _audited(self, request: web.Request, handler: Handler, deed: Deed) -> web.StreamResponse:
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
            self._parts.log.audit(
                "administrative change",
                actor=deed.actor,
                action=f"{request.method} {self.facts_of(request.match_info.route).label}",
                address=request.remote or "unknown",
                status=int(outcome),
                request_id=request[REQUEST_ID],
                **{name: value[:SHOWN_CHARACTERS] for name, value in request.match_info.items()},
                **deed.details,
            )
        return response

    async def _refuse(self, request: web.Request) -> NoReturn:
        if hdrs.AUTHORIZATION not in request.headers:
            # Nobody guesses here; somebody asks the way.
            raise _unauthorized()
        address = request.remote or "unknown"
        count = self._guesses.note(address)
        if count <= self._allowed:
            self._parts.log.write.warning(
                "administrative request with a wrong token", address=address, request_id=request[REQUEST_ID]
            )
        if count > self._allowed or self._delayed >= MAX_DELAYED:
            raise TooManyGuesses("TOO_MANY_GUESSES", "too many wrong tokens", "Wait, and send the right token.")
        self._delayed += 1
        try:
            await asyncio.sleep(self._delay)
        finally:
            self._delayed -= 1
        raise _unauthorized()


def _shown(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


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
