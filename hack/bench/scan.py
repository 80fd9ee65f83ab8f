"""How long one scan takes, beside rapidfuzz's extractOne over the same list in the same run: `make bench-scan`.

Queries are names that are not on the list, so none ends early: letters of listed names are changed by a seeded
generator. Rounds alternate between the two, and each figure is the median of its rounds.
"""

import gc
import random
import resource
import statistics
import string
import sys
import time

from rapidfuzz import process
from rapidfuzz.distance import OSA

from hack.bench.report import report
from typosentinel_server.engines import Library, build_engines
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Ecosystem, Package

ROUNDS = 5
OURS_PER_ROUND = 2_000
PEER_PER_ROUND = 200
SEED = 20261121


def edited(name: str, chance: random.Random) -> str:
    """The name with one or two letters changed, left out, added or swapped."""
    letters = list(name)
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(len(letters))
        letter = chance.choice(string.ascii_lowercase)
        match chance.randrange(4):
            case 0:
                letters[at] = letter
            case 1 if len(letters) > 1:
                del letters[at]
            case 2:
                letters.insert(at, letter)
            case _:
                letters[at], letters[at - 1] = letters[at - 1], letters[at]
    return "".join(letters)


def queries(listed: list[str], count: int) -> list[str]:
    """Names that are not on the list, the same ones in every run."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    known = set(listed)
    found: list[str] = []
    while len(found) < count:
        name = edited(chance.choice(listed), chance)
        if name not in known and name[0].isalnum() and name[-1].isalnum():
            found.append(name)
    return found


def ours(engine: Engine, names: list[str]) -> list[float]:
    """Seconds for each name."""
    taken = []
    for name in names:
        package = Package(Ecosystem.PYPI, name, None)
        started = time.perf_counter()
        engine.scan(package)
        taken.append(time.perf_counter() - started)
    return taken


def peer(listed: list[str], names: list[str]) -> list[float]:
    """Seconds for each name."""
    taken = []
    for name in names:
        started = time.perf_counter()
        process.extractOne(name, listed, scorer=OSA.distance, score_cutoff=2)
        taken.append(time.perf_counter() - started)
    return taken


def main() -> int:
    """Measure and report; returns 0 once it has measured."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    engines = build_engines(Library())
    load = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    engine = engines.engine("PyPI")
    listed = [entry.name.text for entry in engine.corpus.entries]
    names = queries(listed, OURS_PER_ROUND)
    print(
        f"{len(listed)} PyPI names, {sum(len(c.entries) for c in engines.corpora)} in all; {ROUNDS} rounds", flush=True
    )
    rounds = [(ours(engine, names), peer(listed, names[:PEER_PER_ROUND])) for _ in range(ROUNDS)]

    def median_of(index: int, percentile: int) -> float:
        cuts = [statistics.quantiles(taken[index], n=100)[percentile - 1] for taken in rounds]
        return statistics.median(cuts) * 1e6

    figures = {
        "p50_us": median_of(0, 50),
        "p99_us": median_of(0, 99),
        "rapidfuzz_p50_us": median_of(1, 50),
        "load_s": load,
        "grown_mb": grown,
    }
    figures["speedup_p50"] = figures["rapidfuzz_p50_us"] / figures["p50_us"]
    wanted = {"p99_us": ("at most", 300.0), "load_s": ("at most", 1.0), "speedup_p50": ("at least", 10.0)}
    report("scan", figures, wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
