"""The HTTP to one provider: no redirects, no cookies, no proxies from the environment, everything bounded."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from typosentinel_server import __version__
from typosentinel_server.addresses import Networks, parse_place
from typosentinel_server.clock import Clock
from typosentinel_server.providers.body import hold_seconds, read_body
from typosentinel_server.providers.gleaned import Blame, Failure, State
from typosentinel_server.providers.pins import Forbidden, Lookup, Pins, system_lookup

USER_AGENT: Final = f"typosentinel/{__version__}"
ABSENT: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
CLOSED_TO_US: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}
)
MAX_TOKEN: Final = 8192
# A connection that nobody has used for so long is closed.
KEPT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much.

    Attributes:
        timeout: seconds for all evidence from one provider about one package.
        max_bytes: of one answer, packed or unpacked.
        max_concurrency: packages asked about at once; one more is not.
        allowed: networks that may be connected to although they are not public.
    """

    timeout: float = 2.0
    max_bytes: int = 4 * 2**20
    max_concurrency: int = 32
    allowed: Networks = ()


class Peer:
    """One provider as HTTP sees it.

    Args:
        bounds: how long and how much.
        token_file: a file with a token to send; read anew for each request, for tokens are exchanged.
        clock: both clocks.
        lookup: gives a host's addresses.
    """

    def __init__(self, bounds: Bounds, token_file: Path | None, clock: Clock, lookup: Lookup = system_lookup) -> None:
        self._bounds = bounds
        self._token_file = token_file
        self._clock = clock
        self._lookup = lookup
        self._pins: Pins | None = None
        self._session: aiohttp.ClientSession | None = None
        self.hold_until = 0.0

    async def ask(self, url: str, body: bytes | None = None) -> bytes:
        """The body of the answer to a GET, or to a POST of JSON.

        Raises:
            Failure: there is none.
        """
        session, pins = self._connected()
        headers = self._headers(body)
        method = "GET" if body is None else "POST"
        try:
            async with session.request(
                method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                self._refuse_status(answer)
                return await read_body(answer, self._bounds.max_bytes)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, Forbidden):
                raise Failure(State.REFUSED, str(error.os_error), blame=Blame.UNKNOWN) from error
            pins.doubt(parse_place(url).host)
            raise _unavailable(f"no connection: {type(error).__name__}") from error
        except aiohttp.ConnectionTimeoutError:
            pins.doubt(parse_place(url).host)
            raise
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
            raise Failure(
                State.BROKEN, f"the answer breaks off or is no HTTP: {type(error).__name__}", blame=Blame.GUILTY
            ) from error
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unavailable(f"no answer: {type(error).__name__}") from error

    async def close(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()
        if self._pins is not None:
            await self._pins.close()

    def _connected(self) -> tuple[aiohttp.ClientSession, Pins]:
        # Not before the first question: a session belongs to a running loop.
        if self._session is None or self._pins is None:
            self._pins = Pins(self._bounds.allowed, self._clock.monotonic, self._lookup)
            connector = aiohttp.TCPConnector(
                resolver=self._pins,
                socket_factory=self._pins.connect,
                use_dns_cache=False,
                limit=0,
                keepalive_timeout=KEPT_SECONDS,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._bounds.timeout / 2),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session, self._pins

    def _headers(self, body: bytes | None) -> dict[str, str]:
        headers = {
            "Accept": "application/json, */*;q=0.5",
            "Accept-Encoding": "gzip",
            "User-Agent": USER_AGENT,
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token_file is not None:
            headers["Authorization"] = f"Bearer {_token(self._token_file)}"
        return headers

    def _refuse_status(self, answer: aiohttp.ClientResponse) -> None:
        status = answer.status
        if status == HTTPStatus.OK:
            return
        if status in ABSENT:
            raise Failure(State.ABSENT, "it has no such package")
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise Failure(State.REFUSED, f"it answers {status}; redirects are not followed")
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            held = hold_seconds(answer.headers.get("Retry-After"), self._clock.wall())
            self.hold_until = max(self.hold_until, self._clock.monotonic() + held)
            raise _unavailable(f"it answers {status}")
        if status in CLOSED_TO_US:
            raise _unavailable(f"it answers {status}")
        raise Failure(State.BROKEN, f"it answers {status}")


def _unavailable(reason: str) -> Failure:
    return Failure(State.UNAVAILABLE, reason, blame=Blame.GUILTY)


def _token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            found = file.read(MAX_TOKEN + 1).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(State.UNAVAILABLE, "its token cannot be read", blame=Blame.UNKNOWN) from error
    if not found or len(found) > MAX_TOKEN or not found.isprintable() or " " in found:
        raise Failure(State.UNAVAILABLE, "its token cannot be read", blame=Blame.UNKNOWN)
    return found
