"""One batch call beside the engine called directly, and two workers beside one: `make bench-batch`.

Server, client and engine take turns; in each round all of them judge the same names. hack/bench/README.md says what
each figure means.
"""

import asyncio
import csv
import gc
import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from hack.bench.data import COMPILED, NotRun, locate
from hack.bench.names import SEED, edited, unlisted
from hack.bench.report import Wanted, judged, report
from hack.cluster.progress import Steps
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.scan.model import Package
from typosentinel_server.shelf import Shelf

ROUNDS = 5
BATCHES = 4
BATCH_NAMES = 10_000
ENGINE, INLINE, ONE, TWO = "engine", "inline", "one worker", "two workers"
WANTED: Wanted = {"batch_ratio": ("at least", 0.6), "workers2_ratio": ("at least", 1.5)}
DOCUMENT = """apiVersion: typosentinel.io/v1alpha1
kind: ServerConfiguration
cache: {{memory: {{maxEntries: 0}}}}
workers: {{min: {workers}, max: {workers}}}
"""


@dataclass(slots=True)
class Contestant:
    """A server that is asked in batches.

    Attributes:
        name: in tables.
        workers: processes beside the server's own.
        rates: names a second, one figure a round.
    """

    name: str
    workers: int
    port: int = 0
    rates: list[float] = field(default_factory=list)


def questions(library: Library, engines: Engines) -> tuple[list[Package], str]:
    """Unlisted names, each once, and where they are from."""
    try:
        data = locate(os.environ)
    except NotRun:
        chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
        found: dict[tuple[str, str], Package] = {}
        listed = [(e, name) for e in engines.ecosystems for name in engines.engine(e).names]
        while len(found) < BATCHES * BATCH_NAMES:
            ecosystem, name = chance.choice(listed)
            made = edited(name, chance)
            found.setdefault((ecosystem, made), Package(ecosystem, made))
        return list(found.values()), "generated edits of listed names (BENCH_DATA is not set)"
    corpora = {ecosystem: library.read(ecosystem) for ecosystem in library.ecosystems}
    with data.dev.open(encoding="utf-8", newline="") as file:
        queries = unlisted(csv.DictReader(file), corpora)
    return [Package(query.ecosystem, query.raw) for query in queries], "unlisted names of bench_dev.csv"


@asynccontextmanager
async def serving(contestant: Contestant, folder: Path) -> AsyncIterator[None]:
    """A server in a process of its own, whose port is noted."""
    config = folder / f"{contestant.workers}.yaml"
    config.write_text(DOCUMENT.format(workers=contestant.workers), encoding="utf-8")
    log = folder / f"{contestant.workers}.log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "typosentinel_server", "serve", "--port=0", "--drain-seconds=0"),
            f"--config={config}",
            env=os.environ | {"XDG_CACHE_HOME": str(COMPILED.parent)},
            stderr=sink,
        )
    try:
        contestant.port = await _port_of(log)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _port_of(log: Path) -> int:
    for _ in range(600):
        await asyncio.sleep(0.1)
        for line in (await asyncio.to_thread(log.read_bytes)).splitlines():
            found = orjson.loads(line)
            if found["event"] == "listening":
                return int(found["address"].rpartition(":")[2])
    raise TimeoutError("the server does not listen after a minute")


async def ask(port: int, bodies: Sequence[bytes]) -> float:
    """Seconds for all batches, one after another; a client that does nothing but count bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.perf_counter()
    for body in bodies:
        head = b"POST /api/v1/batch HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode("latin-1"))
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    taken = time.perf_counter() - started
    writer.close()
    return taken


async def play(engines: Engines, packages: Sequence[Package], folder: Path) -> dict[str, list[float]]:
    """Rates of all contestants in alternating rounds."""
    items = [{"ecosystem": package.ecosystem.value, "name": package.name} for package in packages]
    parts = [items[start : start + BATCH_NAMES] for start in range(0, len(items), BATCH_NAMES)]
    bodies = [orjson.dumps({"items": part}) for part in parts]
    contestants = [Contestant(INLINE, 0), Contestant(ONE, 1), Contestant(TWO, 2)]
    direct: list[float] = []
    for n in range(ROUNDS + 1):
        started = time.perf_counter()
        engines.scan_many(packages)
        direct.append(len(packages) / (time.perf_counter() - started))
        for contestant in contestants:
            async with serving(contestant, folder):
                # The first batch starts the workers; it is no part of what is measured.
                await ask(contestant.port, bodies[:1])
                await asyncio.sleep(2 if contestant.workers else 0)
                await ask(contestant.port, bodies[:1])
                # With its cache off a server judges them anew each time; a second or so is long enough to be even.
                again = max(1, BATCHES * BATCH_NAMES // len(packages))
                contestant.rates.append(again * len(packages) / await ask(contestant.port, bodies * again))
        if n == 0:
            # What comes first pays for cold caches.
            direct.clear()
            for contestant in contestants:
                contestant.rates.clear()
    return {ENGINE: direct} | {contestant.name: contestant.rates for contestant in contestants}


def ratio(rates: Sequence[float], beside: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(rates, beside, strict=True))


def main() -> int:
    """Measures and prints; returns the exit code."""
    steps = Steps(1)
    shutil.rmtree(folder := COMPILED.parent / "batch", ignore_errors=True)
    folder.mkdir(parents=True)
    Library.shelf = Shelf(COMPILED)
    library = Library()
    engines = build_engines(library)
    packages, source = questions(library, engines)
    # As the server does: what stays for good is not looked at again and again.
    gc.collect()
    gc.freeze()
    with steps.step(f"{ROUNDS} rounds of {len(packages)} names", "a minute"):
        rates = asyncio.run(play(engines, packages, folder))
    figures = {
        "engine_names_per_s": statistics.median(rates[ENGINE]),
        "batch_names_per_s": statistics.median(rates[INLINE]),
        "batch_ratio": ratio(rates[INLINE], rates[ENGINE]),
        "workers1_names_per_s": statistics.median(rates[ONE]),
        "workers2_names_per_s": statistics.median(rates[TWO]),
        "workers2_ratio": ratio(rates[TWO], rates[ONE]),
    }
    print(f"{len(packages)} names, {source}, in batches of {BATCH_NAMES}; {os.cpu_count()} cores.\n")
    print(judged(figures, WANTED), end="\n\n")
    report("batch", figures, WANTED, names=len(packages), source=source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
