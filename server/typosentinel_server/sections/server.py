"""The part of the configuration document that bounds what a stranger's connection may cost."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from typosentinel_server.durations import ALLOWED
from typosentinel_server.sections.corpus import Section, seconds

MAX_CONNECTIONS: Final = 100_000
MIN_TIMEOUT: Final = 1.0
MAX_TIMEOUT: Final = 3600.0
MAX_RATE: Final = 1024 * 1024

Timeout = Annotated[float, BeforeValidator(seconds), Field(ge=MIN_TIMEOUT, le=MAX_TIMEOUT)]


class ServerSettings(Section):
    """How long a client may take for each part of a request, and how many clients there may be.

    Attributes:
        max_connections: connections open at once; what comes on top is answered with 503, probes excepted.
        head_timeout: seconds for a request line and its headers.
        body_timeout: seconds for a body, besides those that `body_min_rate` adds.
        body_max_time: seconds for a body, whatever its size.
        body_min_rate: bytes received that earn a body one more second.
        idle_timeout: seconds that a connection is kept without a request; longer than a proxy in front keeps it.
        write_timeout: seconds in which a client has to take in a part of what is sent to it.
    """

    max_connections: Annotated[int, Field(ge=1, le=MAX_CONNECTIONS)] = 4096
    head_timeout: Timeout = 10.0
    body_timeout: Timeout = 30.0
    body_max_time: Timeout = 300.0
    body_min_rate: Annotated[int, Field(ge=1, le=MAX_RATE)] = 1024
    idle_timeout: Timeout = 75.0
    write_timeout: Timeout = 30.0


_TIME = ("time", f"{ALLOWED}, from 1s to 1h")
# What each field takes, in words: (what it is, what is allowed).
ALLOWED_VALUES: Final[dict[str, tuple[str, str]]] = {
    "server.maxConnections": ("number of connections", f"whole numbers 1 to {MAX_CONNECTIONS}"),
    "server.headTimeout": _TIME,
    "server.bodyTimeout": _TIME,
    "server.bodyMaxTime": _TIME,
    "server.bodyMinRate": ("number of bytes a second", f"whole numbers 1 to {MAX_RATE}"),
    "server.idleTimeout": _TIME,
    "server.writeTimeout": _TIME,
}
