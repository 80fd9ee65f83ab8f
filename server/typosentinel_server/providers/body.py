"""A body from a stranger: bounded as it comes and as it unpacks."""

import re
import zlib
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from typosentinel_server.providers.gleaned import Failure, broken

CHUNK: Final = 64 * 1024
# Tells zlib to expect gzip's header.
GZIP: Final = 16 + zlib.MAX_WBITS
PLAIN: Final = frozenset({"", "identity"})
PACKED: Final = frozenset({"gzip", "x-gzip"})
MAX_HOLD: Final = 300.0


async def read_body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body of an answer, unpacked.

    Raises:
        Failure: it has more bytes than the limit, packed or not, or is packed in a way that was not offered.
    """
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in PLAIN | PACKED:
        raise broken("it is packed in a way that was not offered")
    if (answer.content_length or 0) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for piece in answer.content.iter_chunked(CHUNK):
        body += piece
        if len(body) > limit:
            raise _too_large(limit)
    return inflated(bytes(body), limit) if encoding in PACKED else bytes(body)


def inflated(body: bytes, limit: int) -> bytes:
    """What one member of gzip unpacks to; never more than the limit is unpacked. Raises Failure."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        found = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise broken("it cannot be unpacked") from error
    if len(found) > limit:
        raise _too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise broken("it is not one whole gzip member")
    return found


def hold_seconds(retry_after: str | None, wall: float) -> float:
    """How long a `Retry-After` asks to be left alone, at most five minutes; 0 where it says nothing of use."""
    if retry_after is None:
        return 0.0
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return min(float(retry_after), MAX_HOLD)
    try:
        seconds = parsedate_to_datetime(retry_after).timestamp() - wall
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), MAX_HOLD)


def _too_large(limit: int) -> Failure:
    return broken(f"it is larger than {limit} bytes")
