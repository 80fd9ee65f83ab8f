"""Our server beside a bare aiohttp handler, one core for it, one for the load: `BENCH_DATA=DIR make bench-http`.

Rounds alternate, and ratios are taken within a round, so that a noisy neighbour hits both sides.
"""

import csv
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from hack.bench.data import OUT, Data, NotRun, main
from hack.bench.http.openloop import Latencies, load
from hack.bench.http.servers import Server, bare, ours, redis
from hack.bench.http.wrk import drive
from hack.bench.names import SEED, edited, unlisted
from hack.bench.report import Wanted, columns, judged, report, said
from hack.cluster.progress import Steps
from typosentinel_server.engines import Library
from typosentinel_server.errors import DomainError
from typosentinel_server.scan.naming import parse_name

ROUNDS = 5
SECONDS = 4
# Short and many: the median window is one in which the machine did not stall.
OPEN_LOOP_WINDOWS, OPEN_LOOP_SECONDS = 15, 2
# There are some 23,000 names to ask about, each once. A request may be answered after the last was counted.
UNCACHED_SECONDS = 2
ALL_BUT = 0.999
IDLE_ASKED = 300
QUESTION = {"ecosystem": "PyPI", "name": "reqeusts"}
PLACE = OUT / "http"
STEPS = 3
CONFIG = """\
apiVersion: typosentinel.io/v1alpha1
kind: ServerConfiguration
accessLog: {every: 100}
cache:
  redis: {url: "{redis}"}
"""
# Nothing is refused, and everything is counted.
LIMITS = """\
limits:
  default: {requests: 1000000, window: 1s}
"""


# Requests per second by round.
Rates = Mapping[str, Sequence[float]]
TURNS = ("bare", "cached", "unlimited", "uncached", "bare_uvloop")


@dataclass(slots=True)
class Beside:
    """What the load at half rate found: latencies by side, and milliseconds of single questions to an idle server."""

    latencies: dict[str, list[Latencies]] = field(default_factory=dict)
    idle: dict[str, list[float]] = field(default_factory=dict)


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of the ratios within the rounds."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def questions(data: Data) -> list[str]:
    """Bodies of questions that no cache can answer: unlisted bench names, and as many edits of listed ones."""
    library = Library(data.corpora)
    corpora = {ecosystem: library.read(ecosystem) for ecosystem in library.ecosystems}
    with data.dev.open(encoding="utf-8", newline="") as file:
        names = unlisted(csv.DictReader(file), corpora)
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    asked = {(query.ecosystem, parse_name(query.ecosystem, query.raw).identity): query.raw for query in names}
    entries = [(e, entry.name) for e, corpus in corpora.items() for entry in corpus.entries]
    listed = {(e, name.identity) for e, name in entries}
    while len(asked) < 2 * len(names):
        ecosystem, name = chance.choice(entries)
        raw = edited(name.raw, chance)
        try:
            key = (ecosystem, parse_name(ecosystem, raw).identity)
        except DomainError:
            continue
        if key not in listed:
            asked.setdefault(key, raw)
    bodies = [json.dumps({"ecosystem": e.value, "name": raw}) for (e, _), raw in asked.items()]
    chance.shuffle(bodies)
    return bodies


def play(data: Data, bodies: Path, configs: Sequence[Path], core: int) -> tuple[Rates, Beside]:
    """All rounds, then the load at half of what was reached, then single questions to idle servers.

    Args:
        data: lists and names.
        bodies: what to ask once.
        configs: with limits and without.
        core: where the servers run.
    """
    load_core = 1 - core
    rates: dict[str, list[float]] = {turn: [] for turn in TURNS}
    question, answer = PLACE / "question.json", PLACE / "answer.json"
    question.write_text(json.dumps(QUESTION) + "\n", encoding="utf-8")
    beside = Beside()
    for n in range(ROUNDS):
        # Fresh servers each round: in one that has seen the names they would be cached. The one that judges them is one
        # more, so that the two of which limits are the only difference have seen the same.
        with ExitStack() as stack:
            own, free, anew = (
                stack.enter_context(ours(core, data.corpora, config)) for config in (*configs, configs[0])
            )
            for server in (own, free):
                answer.write_bytes(server.ask(QUESTION))
            servers = {
                "bare": stack.enter_context(bare(core, answer, "asyncio")),
                "bare_uvloop": stack.enter_context(bare(core, answer, "uvloop")),
                "cached": own,
                "unlimited": free,
            }
            for turn in TURNS[n:] + TURNS[:n]:
                if turn == "uncached":
                    rates[turn].append(_uncached(anew, load_core, bodies))
                else:
                    rates[turn].append(drive(servers[turn].scan, load_core, SECONDS, "same.lua", question).rate)
            if n == ROUNDS - 1:
                os.sched_setaffinity(0, {load_core})
                beside = _beside({"bare": (servers["bare"], rates["bare"]), "ours": (own, rates["cached"])})
    return rates, beside


def _beside(sides: Mapping[str, tuple[Server, Sequence[float]]]) -> Beside:
    found = Beside({name: [] for name in sides})
    body = json.dumps(QUESTION).encode()
    for _ in range(OPEN_LOOP_WINDOWS):
        for name, (server, rate) in sides.items():
            half = statistics.median(rate) / 2
            found.latencies[name].append(load(server.scan, body, half, OPEN_LOOP_SECONDS, server.health))
    for name, (server, _) in sides.items():
        found.idle[name] = _idle(server)
    return found


def _uncached(server: Server, core: int, bodies: Path) -> float:
    before = server.metric("typosentinel_scans_total", cached="false")
    found = drive(server.scan, core, UNCACHED_SECONDS, "once.lua", bodies)
    judged_anew = server.metric("typosentinel_scans_total", cached="false") - before
    if judged_anew < found.requests * ALL_BUT:
        raise NotRun(f"{found.requests} requests were answered and only {judged_anew:.0f} names judged anew")
    return found.rate


def _idle(server: Server) -> list[float]:
    parts = urlsplit(server.health)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    taken = []
    for _ in range(IDLE_ASKED):
        begun = time.perf_counter()
        connection.request("GET", parts.path)
        connection.getresponse().read()
        taken.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.005)
    connection.close()
    return taken


def figures(rates: Rates, beside: Beside) -> dict[str, float]:
    """All figures, the agreed ones first."""
    bare, own, idle = beside.latencies["bare"], beside.latencies["ours"], beside.idle
    return {
        "bare_rps": statistics.median(rates["bare"]),
        "cached_rps": statistics.median(rates["cached"]),
        "uncached_rps": statistics.median(rates["uncached"]),
        "cached_ratio": ratio(rates["cached"], rates["bare"]),
        "uncached_ratio": ratio(rates["uncached"], rates["bare"]),
        "limits_cost": 1 - ratio(rates["cached"], rates["unlimited"]),
        "cached_ratio_uvloop": ratio(rates["cached"], rates["bare_uvloop"]),
        "uncached_ratio_uvloop": ratio(rates["uncached"], rates["bare_uvloop"]),
        "bare_uvloop_rps": statistics.median(rates["bare_uvloop"]),
        "half_load_p99_ratio": ratio([one.p99_ms for one in own], [one.p99_ms for one in bare]),
        "health_ratio": ratio([one.probe_ms for one in own], [one.probe_ms for one in bare]),
        "health_idle_ms": statistics.median(idle["ours"]),
        "health_idle_bare_ms": statistics.median(idle["bare"]),
        "half_load_p99_ms": statistics.median(one.p99_ms for one in own),
        "half_load_p99_bare_ms": statistics.median(one.p99_ms for one in bare),
        "half_load_failed": sum(one.failed for one in (*own, *bare)),
    }


WANTED: Wanted = {
    "cached_ratio": ("at least", 0.60),
    "uncached_ratio": ("at least", 0.40),
    "limits_cost": ("at most", 0.15),
    "half_load_p99_ratio": ("at most", 2.0),
    "health_ratio": ("at most", 1.7),
    "health_idle_ms": ("at most", 1.0),
    "half_load_failed": ("at most", 0),
}


def measure(data: Data) -> None:
    """Measure and print. Raises NotRun."""
    cores = sorted(os.sched_getaffinity(0))
    if cores[:2] != [0, 1]:
        raise NotRun("it needs the cores 0 and 1, one for the server and one for the load")
    PLACE.mkdir(parents=True, exist_ok=True)
    bodies, config, unlimited = PLACE / "bodies.ndjson", PLACE / "config.yaml", PLACE / "unlimited.yaml"
    steps = Steps(STEPS)
    with steps.step("draw names that no cache holds", "10 s"):
        bodies.write_text("\n".join(questions(data)) + "\n", encoding="utf-8")
    with ExitStack() as stack:
        with steps.step("start a Redis"):
            url = stack.enter_context(redis(1))
        unlimited.write_text(CONFIG.replace("{redis}", url), encoding="utf-8")
        config.write_text(CONFIG.replace("{redis}", url) + LIMITS, encoding="utf-8")
        with steps.step(f"{ROUNDS} rounds and a load at half rate", "2 minutes"):
            rates, beside = play(data, bodies, (config, unlimited), 0)
    measured = figures(rates, beside)
    rows = [["requests per second", "bare", "cached", "without limits", "uncached", "bare on uvloop"]]
    rounds = zip(*(rates[turn] for turn in TURNS), strict=True)
    for n, rates_of_round in enumerate(rounds, start=1):
        rows.append([f"round {n}", *map(said, map(round, rates_of_round))])
    print(columns(rows), end="\n\n")
    print(judged(measured, WANTED), end="\n\n")
    print("Heading for cached_ratio 0.70; 10,000 requests per second where bare passes 17,000.")
    report("http", measured, WANTED)


if __name__ == "__main__":
    sys.exit(main("bench-http", measure))
