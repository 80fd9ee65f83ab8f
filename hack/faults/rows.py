"""The attacks, each with what must hold. Speed is told, and never a reason to fail: machines are shared."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

from hack.faults.bodies import MIB, bomb, chunked, crumbs
from hack.faults.good import Good, good_client
from hack.faults.row import Row
from hack.faults.slow import Kind, crowd
from hack.faults.target import Target
from hack.faults.wire import ANSWER_SECONDS, Answered, answer, scan_head

CLOSED_WITHIN = 75.0
MEMORY_BYTES = 64 * MIB
SETTLE_SECONDS = 3.0


async def quiet_time(target: Target, seconds: float = SETTLE_SECONDS) -> Good:
    """What a good client sees while nobody attacks."""
    async with good_client(target.host, target.port) as good:
        await asyncio.sleep(seconds)
    return good


async def slow(
    target: Target, kind: Kind, count: int, *, every: float, within: float, settle: float = SETTLE_SECONDS
) -> Row:
    """So many slow clients; all are sent away in time, and a good one beside them notices nothing."""
    row = Row(f"{count} {kind}")
    before = await quiet_time(target, settle)
    memory = target.memory()
    async with good_client(target.host, target.port) as good:
        async with crowd(kind, count, target.host, target.port, every=every) as everyone:
            await asyncio.sleep(1.0)
            grown = target.memory() - memory
            gone = await everyone.gone(within)
            longest, left = everyone.longest, everyone.open
            refused = everyone.refused
            told = sum(b" 408 " in member.heard[:16] for member in everyone.members)
        await asyncio.sleep(0.2)
    row.wants(gone, f"{left} connections are still open after {within:g} s")
    row.wants(not refused, f"{refused} could not connect")
    _unharmed(row, before, good)
    row.figures["closed_after_s"] = round(longest, 1)
    row.figures["told_408"] = told
    row.figures["kib_each"] = round(grown / 1024 / count, 1)
    return row


async def sent(target: Target, head: bytes, pieces: Iterable[bytes]) -> tuple[Answered | None, int]:
    """The answer to a body of which as much is sent as the server takes, and how many bytes that were."""
    reader, writer = await asyncio.open_connection(target.host, target.port)
    count = 0
    answered = asyncio.create_task(answer(reader))
    try:
        with suppress(OSError):
            writer.write(head)
            for piece in pieces:
                if answered.done():
                    break
                writer.write(piece)
                count += len(piece)
                await asyncio.wait_for(writer.drain(), ANSWER_SECONDS)
        with suppress(OSError, EOFError, TimeoutError):
            return await asyncio.wait_for(answered, ANSWER_SECONDS), count
        return None, count
    finally:
        answered.cancel()
        writer.transport.abort()


async def body(
    target: Target, name: str, head: bytes, pieces: Iterable[bytes], *, status: int, settle: float = SETTLE_SECONDS
) -> Row:
    """One body that is not meant well; it is refused, costs no memory, and a good client notices nothing."""
    row = Row(name)
    before = await quiet_time(target, settle)
    target.forget_peak()
    memory, cpu = target.memory(), target.cpu()
    async with good_client(target.host, target.port) as good:
        start = time.monotonic()
        got, count = await sent(target, scan_head(head, b"Transfer-Encoding: chunked"), chunked(iter(pieces)))
        took = time.monotonic() - start
        await asyncio.sleep(settle)
    grown = target.memory("VmHWM") - memory
    row.wants(got is not None and got.status == status, f"the answer is {got.status if got else 'none'}, not {status}")
    row.wants(grown <= MEMORY_BYTES, f"it took {grown / MIB:.0f} MiB of memory")
    _unharmed(row, before, good)
    row.figures["sent_bytes"] = count
    row.figures["answered_after_s"] = round(took, 2)
    row.figures["grown_mib"] = round(grown / MIB, 1)
    row.figures["cpu_s"] = round(target.cpu() - cpu, 2)
    return row


async def bombs(target: Target, encoding: str, mib: int, settle: float = SETTLE_SECONDS) -> Row:
    """A body that unpacks to so many MiB."""
    head = b"Content-Encoding: " + encoding.encode("ascii")
    # Packing takes longer than sending, and would hold the good client up.
    pieces = [*bomb(encoding, mib)]
    return await body(target, f"{encoding} of {mib} MiB", head, pieces, status=413, settle=settle)


async def tiny_chunks(target: Target, count: int, settle: float = SETTLE_SECONDS) -> Row:
    """A body of so many chunks of one byte, sent where bodies may be larger."""
    row = Row(f"{count} chunks of one byte")
    before = await quiet_time(target, settle)
    cpu = target.cpu()
    head = scan_head(b"Transfer-Encoding: chunked", path=b"/api/v1/benchmark")
    async with good_client(target.host, target.port) as good:
        got, sent_bytes = await sent(target, head, crumbs(count))
        await asyncio.sleep(settle)
    row.wants(got is not None and got.code == "CHUNKS_TOO_SMALL", f"the answer is {got.code if got else 'none'}")
    _unharmed(row, before, good)
    row.figures["sent_bytes"] = sent_bytes
    row.figures["cpu_s"] = round(target.cpu() - cpu, 2)
    return row


def _unharmed(row: Row, before: Good, good: Good) -> None:
    errors = [*before.errors, *good.errors]
    row.wants(not errors, f"a good client saw {len(errors)} errors, the first: {errors[0] if errors else ''}")
    row.figures["good_requests"] = len(good.seconds)
    row.figures["good_p99_ms_before"] = round(before.quantile(0.99) * 1000, 2)
    row.figures["good_p99_ms"] = round(good.quantile(0.99) * 1000, 2)
