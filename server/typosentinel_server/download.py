"""Fetching one file over HTTP, from a stranger as far as care goes: bounded in size, time and hops."""

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import aiohttp

from typosentinel_server.bundles.errors import TOO_LARGE, UNREACHABLE, refused
from typosentinel_server.errors import CorpusUnreadable, printable

MAX_HOPS: Final = 3
MAX_SUM_BYTES: Final = 1024
CHUNK: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LOOK: Final = "Check the address, and that this machine may reach it."


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a download may take.

    Attributes:
        bytes: of the body.
        seconds: for all of it, from the first look-up of a name on.
        silence: seconds between two pieces.
    """

    bytes: int
    seconds: float = 60.0
    silence: float = 15.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file and the tag by which its server knows this state of it, if it gave one."""

    content: bytes
    etag: str | None


async def fetch(url: str, limits: Limits, etag: str | None = None) -> Fetched | None:
    """A file; None where it is still the one that `etag` stands for.

    Raises:
        CorpusUnreadable: the code says whether nobody answered rightly or it is too large.
    """
    timeout = aiohttp.ClientTimeout(total=limits.seconds, sock_connect=limits.silence, sock_read=limits.silence)
    # A bomb needs a decompressor: none is offered, and what comes packed is refused.
    headers = {"Accept-Encoding": "identity", "User-Agent": "typosentinel"}
    if etag is not None:
        headers["If-None-Match"] = etag
    try:
        async with (
            asyncio.timeout(limits.seconds),
            aiohttp.ClientSession(
                timeout=timeout,
                headers=headers,
                auto_decompress=False,
                trust_env=True,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
        ):
            return await _follow(session, url, limits)
    except TimeoutError as error:
        raise _unreachable(url, f"no complete answer within {limits.seconds:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _unreachable(url, str(error) or type(error).__name__) from error


async def checksum_of(url: str, limits: Limits) -> str:
    """The SHA-256 in the file beside another one: `<url>.sha256`, as sha256sum writes it. Raises CorpusUnreadable."""
    parts = urlsplit(url)
    beside = urlunsplit(parts._replace(path=parts.path + ".sha256"))
    found = await fetch(beside, Limits(MAX_SUM_BYTES, limits.seconds, limits.silence))
    match = re.match(rb"([0-9a-fA-F]{64})(\s|$)", found.content if found else b"")
    if match is None:
        raise refused(UNREACHABLE, beside, "it does not begin with a SHA-256", _LOOK)
    return match[1].decode().lower()


async def _follow(session: aiohttp.ClientSession, url: str, limits: Limits) -> Fetched | None:
    at = url
    for _ in range(MAX_HOPS + 1):
        async with session.get(at, allow_redirects=False) as answer:
            if answer.status == HTTPStatus.NOT_MODIFIED and "If-None-Match" in session.headers:
                return None
            if answer.status in _REDIRECTS:
                at = _next(at, answer.headers.get("Location", ""))
                continue
            if answer.status != HTTPStatus.OK:
                raise _unreachable(at, f"it answers {answer.status}")
            return Fetched(await _body(answer, limits.bytes), answer.headers.get("ETag"))
    raise _unreachable(url, f"it redirects more than {MAX_HOPS} times")


def _next(at: str, location: str) -> str:
    to = urljoin(at, location)
    here, there = urlsplit(at), urlsplit(to)
    same = _place(here) == _place(there)
    to_tls = here.hostname == there.hostname and (here.scheme, there.scheme) == ("http", "https")
    if not location or not (same or to_tls):
        raise _unreachable(at, f"it redirects to another place, {printable(to, 100)}; name that one instead")
    return to


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


async def _body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    where = str(answer.url)
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise _unreachable(where, "it sends the file packed, though asked not to")
    if (answer.content_length or 0) > limit:
        raise _too_large(where, limit)
    body = bytearray()
    async for piece in answer.content.iter_chunked(CHUNK):
        body += piece
        if len(body) > limit:
            raise _too_large(where, limit)
    return bytes(body)


def _too_large(where: str, limit: int) -> CorpusUnreadable:
    return refused(TOO_LARGE, where, f"it is larger than {limit} bytes")


def _unreachable(where: str, why: str) -> CorpusUnreadable:
    return refused(UNREACHABLE, where, printable(why, 300), _LOOK)
