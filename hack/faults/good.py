"""A client that behaves, in a process of its own: what it sees is the server's doing, not the attacker's.

`python -m hack.faults.good HOST PORT RATE` asks until its standard input ends, and prints what it saw as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

from hack.faults.wire import ANSWER_SECONDS, answer, scan

STARTED = b"started\n"
LINE_BYTES = 16 * 1024 * 1024


@dataclass
class Good:
    """What it has seen.

    Attributes:
        seconds: of each request.
        errors: what went wrong, in words.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """The time in seconds within which this share of requests was answered."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@asynccontextmanager
async def good_client(host: str, port: int, rate: float = 50.0) -> AsyncIterator[Good]:
    """A client that asks at this rate for as long as the block lasts; it has seen nothing before the end of it."""
    seen = Good()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hack.faults.good", host, str(port), str(rate)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("pipes were asked for")
    try:
        if await process.stdout.readline() != STARTED:
            raise RuntimeError("the good client did not start")
        yield seen
        process.stdin.close()
        found = json.loads(await process.stdout.readline())
        seen.seconds, seen.errors = found["seconds"], found["errors"]
    finally:
        if process.returncode is None:
            process.stdin.close()
            await process.wait()


async def ask_and_ask(host: str, port: int, rate: float, stop: asyncio.Event) -> Good:
    """Asks at this rate until told to stop, a new connection for every other request."""
    seen = Good()
    kept: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    due = time.monotonic()
    fresh = False
    while not stop.is_set():
        fresh = not fresh
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                kept = kept or await asyncio.open_connection(host, port)
                reader, writer = await asyncio.open_connection(host, port) if fresh else kept
                writer.write(scan())
                got = await answer(reader)
            if fresh:
                writer.close()
            if got.status != 200:  # noqa: PLR2004 - fine
                seen.errors.append(f"{got.status} {got.code}")
            seen.seconds.append(time.monotonic() - due)
        except (OSError, EOFError, TimeoutError) as error:
            seen.errors.append(f"{type(error).__name__}: {error}")
            kept = None
        due = max(due + 1 / rate, time.monotonic() - 1.0)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    if kept is not None:
        kept[1].close()
    return seen


async def _main(host: str, port: int, rate: float) -> None:
    stop = asyncio.Event()
    asking = asyncio.create_task(ask_and_ask(host, port, rate, stop))
    sys.stdout.buffer.write(STARTED)
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    stop.set()
    print(json.dumps(asdict(await asking)), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
