"""The view of batches: JSON or lines in, JSON or lines out, at the pace of the slower side."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, suppress

from aiohttp import hdrs, web

from typosentinel_server.batches.lines import line_slices
from typosentinel_server.batches.run import Batch
from typosentinel_server.batches.wire import Item, Mode, parse_batch, sliced
from typosentinel_server.charging import charge
from typosentinel_server.errors import DomainError, InvalidRequest
from typosentinel_server.jsonhttp import json_body
from typosentinel_server.keys import SERVER
from typosentinel_server.ratelimit.policy import Endpoint

NDJSON = "application/x-ndjson"
JSON = "application/json"
# What is smaller is read at once; reading more takes a while, and scans are not to wait for it.
LARGE_BYTES = 32 * 1024
MAX_BATCH_BYTES = 4 * 2**20


async def batch(request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/batch`: the judgements of up to 10,000 packages, in order."""
    server = request.app[SERVER]
    with server.batches.admitted():
        given_lines = request.content_type == NDJSON
        if given_lines:
            asked = server.batches.open(_mode_of(request), None)
            async with aclosing(_charged(request, line_slices(request, MAX_BATCH_BYTES))) as slices:
                return await _answered(request, asked, slices, as_lines=_wants_lines(request, otherwise=True))
        content = await json_body(request)
        items, mode = (
            parse_batch(content) if len(content) < LARGE_BYTES else await asyncio.to_thread(parse_batch, content)
        )
        if len(items) > 1:
            # The request itself has been charged for one.
            await charge(server.limits, request, Endpoint.BATCH, len(items) - 1)
        asked = server.batches.open(mode, len(items))
        return await _answered(request, asked, _each(sliced(items)), as_lines=_wants_lines(request, otherwise=False))


ROUTES = (web.post("/api/v1/batch", batch),)


async def _charged(
    request: web.Request, slices: AsyncGenerator[Sequence[Item], None]
) -> AsyncGenerator[Sequence[Item], None]:
    limits = request.app[SERVER].limits
    paid = 1
    async with aclosing(slices):
        async for one in slices:
            if len(one) > paid:
                await charge(limits, request, Endpoint.BATCH, len(one) - paid)
            paid = 0
            yield one


async def _each(slices: Iterator[list[Item]]) -> AsyncGenerator[Sequence[Item], None]:
    for one in slices:
        yield one
        # Reading a slice takes a while, too.
        await asyncio.sleep(0)


async def _answered(
    request: web.Request, asked: Batch, slices: AsyncIterator[Sequence[Item]], *, as_lines: bool
) -> web.StreamResponse:
    server = request.app[SERVER]
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: NDJSON if as_lines else JSON})
    async with aclosing(asked.answers(slices)) as answers:
        # What is refused as a whole has to be known before the answer begins.
        first = await anext(answers)
        try:
            await response.prepare(request)
            async with asyncio.timeout(asked.seconds_left + 1):
                failure: DomainError | None = None
                await response.write(_chunk(first, as_lines=as_lines, opening=True))
                try:
                    async for lines in answers:
                        await response.write(_chunk(lines, as_lines=as_lines, opening=False))
                except DomainError as error:
                    failure = error
                closing = b'{"summary":%b}\n' if as_lines else b'],"summary":%b}'
                await response.write(closing % asked.summary(failure))
                await response.write_eof()
        except (ConnectionError, TimeoutError):
            # Who has gone, or does not read, gets no more; its connection is of no use to anybody.
            server.batches.tally.outcomes["client_gone"] += 1
            _hang_up(request)
        except Exception as error:  # noqa: BLE001 - a part of the answer is sent, so there is nothing to say any more
            server.batches.tally.outcomes["incomplete"] += 1
            server.log.write.error("batch failed", exc_info=error)
            _hang_up(request)
        else:
            server.batches.tally.outcomes["complete" if failure is None else "incomplete"] += 1
    return response


def _chunk(answers: Sequence[bytes], *, as_lines: bool, opening: bool) -> bytes:
    if as_lines:
        return b"\n".join(answers) + b"\n"
    return (b'{"items":[' if opening else b",") + b",".join(answers)


def _hang_up(request: web.Request) -> None:
    with suppress(AttributeError):
        if request.transport is not None:
            request.transport.abort()


def _mode_of(request: web.Request) -> Mode:
    given = request.query.get("mode", Mode.PARALLEL.value)
    try:
        return Mode(given)
    except ValueError as error:
        raise InvalidRequest(
            "INVALID_REQUEST",
            "the parameter mode is neither parallel nor sequential",
            f"Use one of {', '.join(Mode)}, or leave it out.",
            http_hint=422,
        ) from error


def _wants_lines(request: web.Request, *, otherwise: bool) -> bool:
    accepted = request.headers.get(hdrs.ACCEPT, "")
    if NDJSON in accepted:
        return True
    return otherwise and JSON not in accepted
