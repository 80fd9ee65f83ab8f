"""Holding a request against the limits."""

from aiohttp import web
from multidict import istr

from typosentinel_server.keys import DECISION
from typosentinel_server.limiting import RateLimits, refused
from typosentinel_server.ratelimit.policy import Endpoint

FORWARDED_FOR = istr("X-Forwarded-For")


async def charge(limits: RateLimits, request: web.BaseRequest, endpoint: Endpoint, cost: int = 1) -> None:
    """Takes the cost of a request from its sender's limit; what the limits said is under DECISION then.

    Args:
        limits: of this server.
        request: whose sender pays.
        endpoint: whose limit.
        cost: how many requests it counts for; all of it is taken, or nothing. A handler that learns from the body
            that its request is dearer than one takes the rest.

    Raises:
        RateLimited: there is not so much left.
    """
    headers = request.headers
    forwarded = headers.getall(FORWARDED_FOR, ()) if limits.principals.trusted else ()
    principal = limits.principals.of(_peer(request), headers, forwarded)
    decision = limits.limiter.take(endpoint, principal, cost)
    if decision is None:
        decision = await limits.limiter.wait(endpoint, principal, cost)
    request[DECISION] = decision
    if not decision.allowed:
        raise refused(decision)


def _peer(request: web.BaseRequest) -> str | None:
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport is not None else None
    return str(peer[0]) if isinstance(peer, tuple) and peer else None
