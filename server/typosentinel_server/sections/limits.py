"""The part of the configuration document that says how many requests a caller may send."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from typosentinel_server.durations import ALLOWED
from typosentinel_server.sections.corpus import Section, seconds

MAX_REQUESTS: Final = 1_000_000
MIN_WINDOW: Final = 1
MAX_WINDOW: Final = 24 * 3600
MIN_PRINCIPALS: Final = 100
MAX_PRINCIPALS: Final = 1_000_000
MAX_PROXIES: Final = 256

Network = IPv4Network | IPv6Network


def _whole_seconds(value: Any) -> int:
    window = seconds(value)
    if not window.is_integer():
        raise ValueError("a window is whole seconds")
    return int(window)


def _networks(value: Any) -> tuple[Network, ...]:
    if not isinstance(value, list) or len(value) > MAX_PROXIES:
        raise ValueError(f"this is a list of at most {MAX_PROXIES} networks")
    found = []
    for given in value:
        try:
            found.append(ip_network(given if isinstance(given, str) else ""))
        except ValueError as error:
            raise ValueError(f"{given!r:.60} is no network in the form 10.0.0.0/8 or 2001:db8::/32") from error
    return tuple(found)


class RuleSettings(Section):
    """One limit.

    Attributes:
        requests: allowed in any window.
        window: its length in seconds, 1 s to 24 h.
        burst: allowed at once, at most `requests`, which is the default.
    """

    requests: Annotated[int, Field(ge=1, le=MAX_REQUESTS)]
    window: Annotated[int, BeforeValidator(_whole_seconds), Field(ge=MIN_WINDOW, le=MAX_WINDOW)] = 60
    burst: Annotated[int, Field(ge=1, le=MAX_REQUESTS)] | None = None

    @model_validator(mode="after")
    def _burst_within(self) -> Self:
        if self.burst is not None and self.burst > self.requests:
            raise ValueError("burst is more than requests, so it could never be used")
        return self


class EndpointLimits(Section):
    """Limits of their own for classes of routes.

    Attributes:
        scan: of single names.
        batch: of many names at once; a batch costs as many requests as it has names.
    """

    scan: RuleSettings | None = Field(default=None, alias="Scan")
    batch: RuleSettings | None = Field(default=None, alias="Batch")


class KeyFile(Section):
    """Callers that are known by a key.

    Attributes:
        file: a document of kind ApiKeys; a path as seen from the configuration document's directory.
    """

    file: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]


class LimitSettings(Section):
    """How many requests a caller may send; nothing here: as many as it likes.

    Attributes:
        default: for all routes of the API together that have no limit of their own.
        endpoints: limits of their own.
        api_keys: callers that are known by a key; others are known by their address.
        trusted_proxies: networks whose word on a client's address counts.
        max_principals: callers known at once under each limit.
    """

    default: RuleSettings | None = None
    endpoints: EndpointLimits = EndpointLimits()
    api_keys: KeyFile | None = None
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_networks)] = ()
    max_principals: Annotated[int, Field(ge=MIN_PRINCIPALS, le=MAX_PRINCIPALS)] = 10_000


_REQUESTS = ("number of requests", f"whole numbers 1 to {MAX_REQUESTS}")
_WINDOW = ("window", f"{ALLOWED}, whole seconds from 1s to 24h")
# What each field takes, in words: (what it is, what is allowed).
ALLOWED_VALUES: Final[dict[str, tuple[str, str]]] = {
    f"limits.{rule}.{field}": words
    for rule in ("default", "endpoints.Scan", "endpoints.Batch")
    for field, words in (("requests", _REQUESTS), ("window", _WINDOW), ("burst", _REQUESTS))
} | {
    "limits.apiKeys.file": ("path", "a file, absolute or as seen from this document's directory"),
    "limits.maxPrincipals": ("number of callers", f"whole numbers {MIN_PRINCIPALS} to {MAX_PRINCIPALS}"),
}
