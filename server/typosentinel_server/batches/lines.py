"""Questions that arrive line by line, read while answers leave."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import islice

from aiohttp import web

from typosentinel_server.batches.wire import Item, parse_lines, too_many
from typosentinel_server.errors import DomainError, InvalidRequest
from typosentinel_server.jsonhttp import CLIENT_GONE
from typosentinel_server.sections.workers import MOST_ITEMS
from typosentinel_server.workers.slices import SLICE_NAMES


async def line_slices(request: web.Request, max_bytes: int) -> AsyncGenerator[Sequence[Item], None]:
    """The questions of a body of lines, as many at a time as are there.

    The body is read as fast as it comes, whether answers are taken or not: a client that sends everything before it
    reads anything would else wait for ever. The bound on its size bounds what that takes.

    Raises:
        InvalidRequest: too many lines or bytes, no lines at all, a broken body; what came before is given out first.
    """
    arrived: asyncio.Queue[list[bytes] | DomainError | None] = asyncio.Queue()
    reading = asyncio.create_task(_read(request, max_bytes, arrived))
    taken = 0
    try:
        while (found := await arrived.get()) is not None:
            if isinstance(found, DomainError):
                raise found
            lines = iter(found)
            while some := list(islice(lines, min(SLICE_NAMES, MOST_ITEMS - taken))):
                taken += len(some)
                yield parse_lines(some)
            if next(lines, None) is not None:
                raise too_many()
        if not taken:
            raise InvalidRequest("BODY_EMPTY", "the body is empty", "Send one JSON object a line.")
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read(
    request: web.Request, max_bytes: int, arrived: "asyncio.Queue[list[bytes] | DomainError | None]"
) -> None:
    rest, size, count = b"", 0, 0
    try:
        # Nobody is asked to hold more than one line that is not complete.
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > max_bytes:
                raise InvalidRequest.too_large(max_bytes)
            *lines, rest = (rest + chunk).split(b"\n")
            if lines := [line for line in lines if line.strip()]:
                count += len(lines)
                arrived.put_nowait(lines)
                if count > MOST_ITEMS:
                    return
        if rest.strip():
            arrived.put_nowait([rest])
        arrived.put_nowait(None)
    except DomainError as error:
        arrived.put_nowait(error)
    except web.RequestPayloadError:
        arrived.put_nowait(
            InvalidRequest(
                "BODY_UNREADABLE",
                "the body is not encoded as its headers say",
                "Check Content-Encoding and Transfer-Encoding, or leave them out.",
            )
        )
    except ConnectionError:
        gone = "the client hung up before its body was complete"
        arrived.put_nowait(InvalidRequest("CLIENT_GONE", gone, "Send the whole body.", http_hint=CLIENT_GONE))
