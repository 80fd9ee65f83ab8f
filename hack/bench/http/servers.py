"""The servers that are loaded, each on one core."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from hack.bench.data import COMPILED, NotRun

START_SECONDS = 60.0
KIB = 1024


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: where it is.
        pid: of its process.
    """

    url: str
    pid: int

    @property
    def scan(self) -> str:
        """Where names are posted to."""
        return f"{self.url}/api/v1/scan"

    @property
    def health(self) -> str:
        """Where it says how it is."""
        return f"{self.url}/health"

    @property
    def rss_mb(self) -> float:
        """What it holds in memory now, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / KIB

    def ask(self, question: object) -> bytes:
        """The answer to one question."""
        body = json.dumps(question).encode()
        request = Request(self.scan, body, {"Content-Type": "application/json"})  # noqa: S310 - our own, on loopback
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
            return bytes(answer.read())

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels."""
        with urlopen(f"{self.url}/metrics", timeout=10) as answer:  # noqa: S310 - our own, on loopback
            lines = answer.read().decode().splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        found = [
            line for line in lines if line.startswith((f"{name}{{", f"{name} ")) and all(w in line for w in wanted)
        ]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ours(core: int, corpora: Path, config: Path) -> Iterator[Server]:
    """`typosentinel serve`, as anybody starts it."""
    port = free_port()
    program = str(Path(sys.executable).parent / "typosentinel")
    command = [program, "serve", "--port", str(port), "--corpus", str(corpora), "--config", str(config)]
    with _running(core, [*command, "--drain-seconds", "0"], port, "/ready") as server:
        yield server


@contextmanager
def bare(core: int, answer: Path, loop: str) -> Iterator[Server]:
    """The least that aiohttp can do, with the same answer, on `asyncio`'s own loop, as it comes, or on `uvloop`'s."""
    port = free_port()
    with _running(
        core, [sys.executable, "-m", "hack.bench.http.bare", str(port), str(answer), loop], port, "/health"
    ) as server:
        yield server


@contextmanager
def redis(core: int) -> Iterator[str]:
    """A Redis of this run's own; yields its URL."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = _start(core, command)
    try:
        _wait(process, lambda: socket.create_connection(("127.0.0.1", port), timeout=1).close())
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


@contextmanager
def _running(core: int, command: Sequence[str], port: int, path: str) -> Iterator[Server]:
    process = _start(core, command)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, lambda: urlopen(f"{url}{path}", timeout=5).close())  # noqa: S310 - our own, on loopback
        yield Server(url, process.pid)
    finally:
        process.kill()
        process.wait()


def _start(core: int, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    place = {"XDG_CACHE_HOME": str(COMPILED)}
    return subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        env=os.environ | place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(process: "subprocess.Popen[bytes]", look: Callable[[], None]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise NotRun(f"{process.args!r} ended with {process.returncode}")
        with suppress(URLError, OSError):
            look()
            return
        time.sleep(0.05)
    raise NotRun(f"{process.args!r} did not answer within {START_SECONDS:.0f} s")
