"""What a response says of a limit: the older fields with X-, and the pair of the IETF draft "RateLimit header fields".

Both families say the same, from one decision, in this one place.
"""

from collections.abc import MutableMapping
from functools import lru_cache

from multidict import istr

from typosentinel_server.ratelimit.policy import Decision

# Spelled once, so that no library need fold their case at every request.
X_LIMIT = istr("X-RateLimit-Limit")
X_REMAINING = istr("X-RateLimit-Remaining")
X_WINDOW = istr("X-RateLimit-Window")
POLICY = istr("RateLimit-Policy")
RATE_LIMIT = istr("RateLimit")


@lru_cache(maxsize=256)
def _constant_lines(policy: str, limit: int, window: int) -> tuple[str, str]:
    # What stands before and behind the first of the two numbers of what remains.
    shown, span, rule, name = _constant(policy, limit, window)
    return (
        f"{X_LIMIT}: {shown}\r\n{X_REMAINING}: ",
        f"\r\n{X_WINDOW}: {span}\r\n{POLICY}: {rule}\r\n{RATE_LIMIT}: {name}",
    )


@lru_cache(maxsize=256)
def _constant(policy: str, limit: int, window: int) -> tuple[str, str, str, str]:
    # Names of policies are our own words; nothing in them needs to be escaped.
    return str(limit), str(window), f'"{policy}";q={limit};w={window}', f'"{policy}";r='


def tell(headers: MutableMapping[str, str], decision: Decision) -> None:
    """Adds the fields of both families; none where there is no limit. `Retry-After` comes with the error."""
    if not decision.limit:
        return
    limit, window, policy, name = _constant(decision.policy, decision.limit, decision.window)
    remaining = str(max(0, decision.remaining))
    headers[X_LIMIT] = limit
    headers[X_REMAINING] = remaining
    headers[X_WINDOW] = window
    headers[POLICY] = policy
    headers[RATE_LIMIT] = f"{name}{remaining};t={decision.reset}"


def lines(decision: Decision) -> str:
    """The fields as they stand in the head of an answer, each ended by CRLF."""
    if not decision.limit:
        return ""
    before, behind = _constant_lines(decision.policy, decision.limit, decision.window)
    remaining = max(0, decision.remaining)
    return f"{before}{remaining}{behind}{remaining};t={decision.reset}\r\n"
