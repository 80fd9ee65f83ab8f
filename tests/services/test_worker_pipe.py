import asyncio
import contextlib
import sys

import pytest

from typosentinel_server.workers.pipe import NotReached, Pipe, WorkerDied

SECONDS = 20.0


async def pipe_to(program: str) -> tuple[asyncio.SubprocessTransport, Pipe]:
    """A pipe to a process that runs some lines of Python."""
    return await asyncio.get_running_loop().subprocess_exec(Pipe, sys.executable, "-c", program, stderr=None)


async def end(transport: asyncio.SubprocessTransport, pipe: Pipe) -> None:
    """Ends the process, unless it has ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        transport.kill()
    await asyncio.wait_for(pipe.exited, SECONDS)
    transport.close()


async def both(pipe: Pipe, seconds: float = SECONDS) -> list[BaseException]:
    """What becomes of two questions that are asked at once."""
    found = await asyncio.gather(pipe.ask("a", seconds), pipe.ask("b", seconds), return_exceptions=True)
    return [one for one in found if isinstance(one, BaseException)]


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import sys; sys.stdin.buffer.read(1)", "ended"),
        ("import sys; sys.stdout.buffer.write(b'\\xff' * 4); sys.stdout.flush(); input()", "nobody understands"),
        ("import sys; sys.stdout.buffer.write(b'\\1\\0\\0\\0x'); sys.stdout.flush(); input()", "nobody understands"),
        ("import time; time.sleep(60)", "said nothing for 1 s"),
    ],
)
async def test_who_is_at_it_is_to_blame(program: str, why: str) -> None:
    """What waits behind is not, however the process fails."""
    transport, pipe = await pipe_to(program)
    try:
        first, second = await both(pipe, 1.0 if "1 s" in why else SECONDS)
    finally:
        await end(transport, pipe)
    assert isinstance(first, WorkerDied)
    assert why in first.message
    assert isinstance(second, NotReached)
    with pytest.raises(NotReached):
        await pipe.ask("c", SECONDS)


async def test_answers_come_in_order_however_they_are_cut() -> None:
    """Two in one piece, and one byte by byte."""
    program = """
import pickle, struct, sys, time
out = sys.stdout.buffer
whole = b"".join(struct.pack("<I", len(text)) + text for text in map(pickle.dumps, ("one", "two", "three")))
out.write(whole[:-12]); out.flush()
for n in range(-12, 0):
    time.sleep(0.01); out.write(whole[n:][:1]); out.flush()
input()
"""
    transport, pipe = await pipe_to(program)
    try:
        found = await asyncio.gather(*(pipe.ask(n, SECONDS) for n in range(3)))
    finally:
        await end(transport, pipe)
    assert found == ["one", "two", "three"]
