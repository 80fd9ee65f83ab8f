"""One batch call beside the engine called directly, and two workers beside one: `make bench-batch`.

Engine and servers take turns; in each all of them judge the same names. hack/bench/README.md says what
each figure means.
"""

import asyncio
import csv
import gc
import itertools
import multiprocessing
import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from hack.bench.data import COMPILED, NotRun, locate
from hack.bench.names import SEED, edited, unlisted
from hack.bench.report import Wanted, judged, report
from hack.cluster.progress import Steps
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.scan.model import Package
from typosentinel_server.shelf import Shelf

TURNS = 48
WARM = 3
BATCHES = 4
BATCH_NAMES = 10_000
ENGINE, ENGINES = "engine", "two engines"
INLINE, ONE, TWO = "inline", "one worker", "two workers"
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
        port: where it listens.
    """

    name: str
    workers: int
    port: int = 0


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


async def ask(port: int, body: bytes) -> float:
    """Seconds for a batch; a client that does nothing but count bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.perf_counter()
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


Parts = Sequence[Sequence[Package]]
# What forked processes judge with, and what: too much to be sent to them.
HELD: list[tuple[Engines, Parts]] = []


def in_parts(packages: Sequence[Package]) -> Parts:
    """Batches of equal size (but for one name): each turn counts as much as any other."""
    count = -(-len(packages) // BATCH_NAMES)
    bounds = [len(packages) * part // count for part in range(count + 1)]
    return [packages[start:end] for start, end in itertools.pairwise(bounds)]


@contextmanager
def both(engines: Engines, parts: Parts) -> Iterator[Callable[[int], float]]:
    """Two processes that judge the same part, with nothing between them: the seconds that both take for it."""
    HELD.append((engines, parts))
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:

        def take(part: int) -> float:
            started = time.perf_counter()
            for taken in [pool.submit(_judge, part) for _ in range(2)]:
                taken.result()
            return time.perf_counter() - started

        take(0)
        yield take
    HELD.clear()


def _judge(part: int) -> None:
    for engines, parts in HELD:
        engines.scan_many(parts[part])


async def play(engines: Engines, parts: Parts, folder: Path, two: Callable[[int], float]) -> dict[str, list[float]]:
    """Rates of all contestants, batch by batch in turn: what slows the machine for a second slows all of them alike."""
    contestants = [Contestant(INLINE, 0), Contestant(ONE, 1), Contestant(TWO, 2)]
    rates: dict[str, list[float]] = {name: [] for name in (ENGINE, ENGINES, INLINE, ONE, TWO)}
    async with AsyncExitStack() as stack:
        for contestant in contestants:
            await stack.enter_async_context(serving(contestant, folder))
        chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
        ports = {contestant.name: contestant.port for contestant in contestants}
        # The first batch starts the workers, and what comes first pays for cold caches; neither is counted.
        for turn in range(-WARM, TURNS):
            part = parts[turn % len(parts)]
            body = orjson.dumps({"items": [{"ecosystem": one.ecosystem.value, "name": one.name} for one in part]})
            taken: dict[str, float] = {}
            # Who comes after two that kept all cores busy finds another machine than who comes after one.
            for name in chance.sample(list(rates), len(rates)):
                if name == ENGINE:
                    taken[name] = _alone(engines, part)
                elif name == ENGINES:
                    taken[name] = two(turn % len(parts)) / 2
                else:
                    taken[name] = await ask(ports[name], body)
            if turn < 0:
                await asyncio.sleep(1)
                continue
            for name, seconds in taken.items():
                rates[name].append(len(part) / seconds)
    return rates


def _alone(engines: Engines, packages: Sequence[Package]) -> float:
    started = time.perf_counter()
    engines.scan_many(packages)
    return time.perf_counter() - started


def ratio(rates: Sequence[float], beside: Sequence[float]) -> float:
    """The median of the turns' ratios."""
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
    parts = in_parts(packages)
    # As the server does: what stays for good is not looked at again and again.
    gc.collect()
    gc.freeze()
    with steps.step(f"{TURNS} turns of {len(parts[0]):,} names", "two to four minutes"), both(engines, parts) as two:
        rates = asyncio.run(play(engines, parts, folder, two))
    figures = {
        "engine_names_per_s": statistics.median(rates[ENGINE]),
        "batch_names_per_s": statistics.median(rates[INLINE]),
        "batch_ratio": ratio(rates[INLINE], rates[ENGINE]),
        "workers1_names_per_s": statistics.median(rates[ONE]),
        "workers2_names_per_s": statistics.median(rates[TWO]),
        "workers2_ratio": ratio(rates[TWO], rates[ONE]),
        "engines2_ratio": ratio(rates[ENGINES], rates[ENGINE]),
    }
    print(f"{len(packages)} names, {source}, in {len(parts)} batches; {os.cpu_count()} cores.\n")
    print(judged(figures, WANTED), end="\n\n")
    report("batch", figures, WANTED, names=len(packages), source=source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
