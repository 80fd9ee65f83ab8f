"""Sends scans at a fixed rate, however long answers take, and tells what became of each: needs Python alone.

    python generator.py --host main-scanner.default.svc --port 8080 --rate 300 --seconds 60

Most requests go over connections that are kept alive, chosen at random; some over a connection of their own. Nothing is
sent twice: whatever a client might mend by trying again is a failure here. What it prints are JSON documents, a line
each: one as soon as it begins, some with times, and a last one with the failures. SIGUSR1 ends it before its time.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

LINE_RECORDS: Final = 1000
IDLE_SECONDS: Final = 30.0
NAMES: Final = ("reqeusts", "requests", "numpy", "nunpy", "djang0", "flask", "urlib3", "left-pad", "cryptograhpy")


class Failed(Exception):
    """A request without a good answer; the message is its kind."""


@dataclass(slots=True)
class Connection:
    """One connection to the Service.

    Attributes:
        reader, writer: its two ends.
        opened: when, in seconds of the clock.
        used: when it last carried an answer.
        requests: that it has carried.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    opened: float
    used: float
    requests: int = 0

    @property
    def usable(self) -> bool:
        """Whether the other side has not closed it, as far as one can know here."""
        return not (self.reader.at_eof() or self.writer.is_closing() or self.reader.exception())

    def close(self) -> None:
        """Close it."""
        self.writer.close()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send.

    Attributes:
        host, port: of the Service.
        rate: requests per second.
        seconds: for so long.
        fresh: share of requests on a connection of their own.
        timeout: seconds that one request may take.
    """

    host: str
    port: int
    rate: float
    seconds: float
    fresh: float
    timeout: float


@dataclass(slots=True)
class Load:
    """One run.

    Attributes:
        plan: what to send.
        clock: seconds that only grow.
        wall: seconds since the epoch, by which others can tell when something happened.
        chance: decides which connection is taken.
    """

    plan: Plan
    clock: Callable[[], float]
    wall: Callable[[], float]
    chance: random.Random
    idle: list[Connection] = field(default_factory=list)
    records: list[tuple[int, int]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    began: float = 0.0
    opened: int = 0
    late: float = 0.0
    enough: bool = False

    def stop(self) -> None:
        """Send no more; what was sent is waited for."""
        self.enough = True

    async def run(self) -> None:
        """Send everything that is planned; ends when the last answer is there or given up."""
        self.began = self.clock()
        running: set[asyncio.Task[None]] = set()
        for number in range(int(self.plan.rate * self.plan.seconds)):
            due = self.began + number / self.plan.rate
            await asyncio.sleep(max(0.0, due - self.clock()))
            if self.enough:
                break
            self.late = max(self.late, self.clock() - due)
            task = asyncio.create_task(self._one(number, due))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)
        for connection in self.idle:
            connection.close()
        # Closing takes a turn of the loop.
        await asyncio.sleep(0)

    async def _one(self, number: int, due: float) -> None:
        fresh = self.chance.random() < self.plan.fresh
        connection = None if fresh else self._kept()
        born, carried = (connection.opened, connection.requests) if connection else (self.clock(), 0)
        stage = "connecting"
        try:
            async with asyncio.timeout(self.plan.timeout):
                if connection is None:
                    connection = await self._open()
                stage = "answering"
                stays = await self._ask(connection, NAMES[number % len(NAMES)], fresh=fresh)
        except (OSError, EOFError, ValueError, LookupError, TimeoutError, Failed) as error:
            self._failed(stage, error, fresh=fresh, age=self.clock() - born, carried=carried)
            if connection is not None:
                connection.close()
            return
        self.records.append((int((due - self.began) * 1000), int((self.clock() - due) * 10_000)))
        if stays:
            self.idle.append(connection)
        else:
            connection.close()

    def _failed(self, stage: str, error: BaseException, *, fresh: bool, age: float, carried: int) -> None:
        kind = str(error) if isinstance(error, Failed) else type(error).__name__
        self.failures.append(
            {
                "at": round(self.wall(), 3),
                "stage": stage,
                "kind": kind,
                "fresh": fresh,
                "connection_age": round(age, 3),
                "connection_requests": carried,
            }
        )

    def _kept(self) -> Connection | None:
        """A connection that is kept alive, any of them; those that were closed meanwhile are let go."""
        while self.idle:
            connection = self.idle.pop(self.chance.randrange(len(self.idle)))
            if connection.usable and self.clock() - connection.used < IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def _open(self) -> Connection:
        reader, writer = await asyncio.open_connection(self.plan.host, self.plan.port)
        self.opened += 1
        now = self.clock()
        return Connection(reader, writer, now, now)

    async def _ask(self, connection: Connection, name: str, *, fresh: bool) -> bool:
        """One question and its answer; returns whether the connection may be used again."""
        body = json.dumps({"ecosystem": "PyPI", "name": name}).encode()
        head = (
            f"POST /api/v1/scan HTTP/1.1\r\nHost: {self.plan.host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'close' if fresh else 'keep-alive'}\r\n\r\n"
        )
        connection.writer.write(head.encode() + body)
        await connection.writer.drain()
        status, *lines = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        answer = await connection.reader.readexactly(int(headers["content-length"]))
        code = status.split(" ", 2)[1]
        if code != "200":
            raise Failed(f"HTTP {code}")
        if b'"verdict"' not in answer:
            raise Failed("an answer without a verdict")
        connection.requests += 1
        connection.used = self.clock()
        return not fresh and headers.get("connection", "").lower() != "close"


async def _until_signalled(load: Load) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, load.stop)
    await load.run()


def printed(load: Load, began: float) -> None:
    """Print what became of the requests."""
    for start in range(0, len(load.records), LINE_RECORDS):
        some = load.records[start : start + LINE_RECORDS]
        print(json.dumps({"at_ms": [at for at, _ in some], "took_100us": [took for _, took in some]}))
    summary = {
        "began": round(began, 3),
        "answered": len(load.records),
        "connections": load.opened,
        "sent_late_seconds": round(load.late, 3),
        "failures": load.failures,
    }
    print(json.dumps(summary), flush=True)


def main() -> int:
    """Run; returns the exit code: 0 also where requests failed, for that is what this is to tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="requests per second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--fresh", type=float, default=0.1, help="share on connections of their own (%(default)s)")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds that one request may take (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    plan = Plan(options.host, options.port, options.rate, options.seconds, options.fresh, options.timeout)
    load = Load(plan, time.monotonic, time.time, random.Random(options.seed))  # noqa: S311 - no secret is made of it
    began = time.time()
    print(json.dumps({"began": round(began, 3)}), flush=True)
    asyncio.run(_until_signalled(load))
    printed(load, began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
