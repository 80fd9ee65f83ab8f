"""Servers that come and go under load: who is on his way out answers whatever reaches him."""

import asyncio
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hack.faults.row import Row
from hack.faults.target import Target, launched
from hack.faults.wire import ANSWER_SECONDS, answer, scan

# A cluster takes about this long to take a pod off its Service.
LOOK_SECONDS = 0.5
KEPT = 20
CHANGE_SECONDS = 2.0

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter, Target]


@dataclass
class Balancer:
    """Which servers are asked.

    Attributes:
        targets: those that were ready when last looked at.
        turn: how many connections were opened.
    """

    targets: list[Target] = field(default_factory=list)
    turn: int = 0

    def next(self) -> Target:
        """The next one to open a connection to."""
        self.turn += 1
        return self.targets[self.turn % len(self.targets)]

    async def watch(self) -> None:
        """Leaves out, for ever, whoever is not ready any more."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for one in tuple(self.targets):
                if len(self.targets) > 1 and not await _ready(one):
                    self.targets.remove(one)


@dataclass
class Load:
    """Requests at a fixed rate, whatever becomes of them: half of them on new connections, half on kept ones."""

    balancer: Balancer
    done: int = 0
    errors: list[str] = field(default_factory=list)
    kept: deque[Stream] = field(default_factory=deque)

    async def run(self, rate: float, stop: asyncio.Event) -> None:
        """Asks until it is told to stop, and waits for the last answers."""
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            n = 0
            while not stop.is_set():
                n += 1
                group.create_task(self._one(fresh=n % 2 == 0))
                due += 1 / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        for _, writer, _ in self.kept:
            writer.close()

    async def _one(self, *, fresh: bool) -> None:
        where = "new" if fresh or not self.kept else "kept"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                stream = await self._open() if where == "new" else self.kept.popleft()
                reader, writer, _ = stream
                writer.write(scan(*((b"Connection: close",) if fresh else ())))
                got = await answer(reader)
        except (OSError, EOFError, TimeoutError) as error:
            self.errors.append(f"{where}: {type(error).__name__}: {error}")
            return
        self.done += 1
        if got.status != 200:  # noqa: PLR2004 - fine
            self.errors.append(f"{where}: {got.status} {got.code}")
        if got.closes or fresh or len(self.kept) >= KEPT:
            writer.close()
        else:
            self.kept.append(stream)

    async def _open(self) -> Stream:
        one = self.balancer.next()
        return (*await asyncio.open_connection(one.host, one.port), one)


async def restarts(folder: Path, count: int, rate: float, *, drain: float = 4.0) -> Row:
    """Replaces the server so many times under load; no request fails."""
    row = Row(f"{count} restarts at {rate:g} requests a second")
    balancer = Balancer([await _start(folder, drain)])
    load = Load(balancer)
    stop = asyncio.Event()
    running = asyncio.create_task(load.run(rate, stop))
    watching = asyncio.create_task(balancer.watch())
    took = []
    try:
        for _ in range(count):
            (old,) = balancer.targets
            balancer.targets.append(await _start(folder, drain))
            await asyncio.sleep(CHANGE_SECONDS)
            start = time.monotonic()
            old.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(old.wait)
            took.append(time.monotonic() - start)
            row.wants(old.process.returncode == 0, f"a server ended with {old.process.returncode}")
        stop.set()
        await running
    finally:
        running.cancel()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        for one in balancer.targets:
            one.stop()
    row.wants(not load.errors, f"{len(load.errors)} failed, the first: {load.errors[:1]}")
    row.figures["requests"] = load.done
    row.figures["failed"] = len(load.errors)
    row.figures["longest_stop_s"] = round(max(took), 2)
    return row


async def _start(folder: Path, drain: float) -> Target:
    return await asyncio.to_thread(launched, folder, None, "--drain-seconds", str(drain))


async def _ready(one: Target) -> bool:
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection(one.host, one.port)
            writer.write(b"GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            got = await answer(reader)
            writer.close()
    except (OSError, EOFError, TimeoutError):
        return False
    return got.status == 200  # noqa: PLR2004 - fine
