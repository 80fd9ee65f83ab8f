"""The Python contestants: `python -m hack.bench.contestants NAME DIRECTORY`, started by hack/bench/contest.py.

`ours`, `ours-batch` and `idle` take a directory of corpora as `--corpus` does; `idle` imports the same, loads nothing
and answers at once. `rapidfuzz` and `symspellpy` take the lists of normalised names that hack/bench/names.py writes.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hack.bench.data import COMPILED
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.errors import NameRefused
from typosentinel_server.scan.model import Package, parse_ecosystem
from typosentinel_server.shelf import Shelf

CUTOFF = 2
PREFIX = 7

Pair = tuple[str, str]
Answer = Callable[[list[Pair]], list[int]]


def ours(directory: Path) -> Answer:
    """Our engine, one name at a time."""
    engines = _engines(directory)

    def answer(pairs: list[Pair]) -> list[int]:
        taken = []
        for package in _packages(pairs):
            engine = engines.engine(package.ecosystem)
            started = time.perf_counter_ns()
            try:  # noqa: SIM105 - what the linter likes better would be in the time
                engine.scan(package)
            except NameRefused:
                pass  # foreign letters that look like nothing: a refusal is an answer, and takes its time
            taken.append(time.perf_counter_ns() - started)
        return taken

    return answer


def ours_batch(directory: Path) -> Answer:
    """Our engine over a whole chunk; one figure."""
    engines = _engines(directory)

    def answer(pairs: list[Pair]) -> list[int]:
        packages = _packages(pairs)
        started = time.perf_counter_ns()
        scan_all(engines, packages)
        return [time.perf_counter_ns() - started]

    return answer


def _engines(directory: Path) -> Engines:
    Library.shelf = Shelf(COMPILED)
    return build_engines(Library(directory))


def scan_all(engines: Engines, packages: list[Package]) -> int:
    """Judge all of them by the fastest public way; returns how many were refused."""
    return sum(isinstance(found, NameRefused) for found in engines.scan_many(packages))


def idle(_directory: Path) -> Answer:
    """Nothing but the imports: what memory is compared with."""
    return lambda pairs: [0 for _ in _packages(pairs)]


def rapidfuzz(directory: Path) -> Answer:
    """The nearest listed name within distance two, by scanning the list in C++."""
    from rapidfuzz import process  # noqa: PLC0415 - not in the processes whose memory is measured
    from rapidfuzz.distance import OSA  # noqa: PLC0415

    lists = dict(_lists(directory))

    def answer(pairs: list[Pair]) -> list[int]:
        taken = []
        for ecosystem, name in pairs:
            listed = lists[ecosystem]
            started = time.perf_counter_ns()
            process.extractOne(name, listed, scorer=OSA.distance, score_cutoff=CUTOFF)
            taken.append(time.perf_counter_ns() - started)
        return taken

    return answer


def symspellpy(directory: Path) -> Answer:
    """The nearest listed name within distance two, by deletions looked up in a dictionary."""
    from symspellpy import SymSpell, Verbosity  # noqa: PLC0415 - as above
    from symspellpy.editdistance import DistanceAlgorithm, EditDistance  # noqa: PLC0415

    dictionaries = {}
    for ecosystem, listed in _lists(directory):
        # Its distance in C++, the fastest that it has.
        comparer = EditDistance(DistanceAlgorithm.DAMERAU_OSA_FAST)
        dictionaries[ecosystem] = SymSpell(CUTOFF, PREFIX, distance_comparer=comparer)
        for n, name in enumerate(listed):
            dictionaries[ecosystem].create_dictionary_entry(name, len(listed) - n)

    def answer(pairs: list[Pair]) -> list[int]:
        taken = []
        for ecosystem, name in pairs:
            dictionary = dictionaries[ecosystem]
            started = time.perf_counter_ns()
            dictionary.lookup(name, Verbosity.TOP, max_edit_distance=CUTOFF)
            taken.append(time.perf_counter_ns() - started)
        return taken

    return answer


CONTESTANTS: dict[str, Callable[[Path], Answer]] = {
    "ours": ours,
    "ours-batch": ours_batch,
    "idle": idle,
    "rapidfuzz": rapidfuzz,
    "symspellpy": symspellpy,
}


def _packages(pairs: list[Pair]) -> list[Package]:
    return [Package(parse_ecosystem(ecosystem), name) for ecosystem, name in pairs]


def _lists(directory: Path) -> Iterator[tuple[str, list[str]]]:
    for path in sorted(directory.glob("*.txt")):
        yield path.stem, path.read_text(encoding="utf-8").splitlines()


def main() -> int:
    """Load, then answer until the input ends; returns 0."""
    name, directory = sys.argv[1:]
    started = time.perf_counter_ns()
    answer = CONTESTANTS[name](Path(directory))
    print(json.dumps({"load_ns": time.perf_counter_ns() - started}), flush=True)
    pairs: list[Pair] = []
    for line in io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8"):
        ecosystem, tab, rest = line.rstrip("\n").partition("\t")
        if tab:
            pairs.append((ecosystem, rest))
        else:
            print(*answer(pairs), flush=True)
            pairs = []
    return 0


if __name__ == "__main__":
    sys.exit(main())
