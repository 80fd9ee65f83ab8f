"""The engine beside its peers, one core, one run, alternating rounds: `BENCH_DATA=DIR make bench-engine`.

Questions are the bench's names that are on no list, shuffled, each asked once of each contestant. All of them have the
same lists; hack/bench/README.md says what each figure means.
"""

import csv
import os
import shutil
import statistics
import sys
from collections.abc import Mapping

from hack.bench import typomania
from hack.bench.data import OUT, Data, main
from hack.bench.names import unlisted, write_lists
from hack.bench.report import Wanted, columns, judged, report, said
from hack.bench.rounds import LONG_LIST, ROUNDS, SHORT_LIST, Rounds, growth, load_seconds, percentile_us, play
from hack.cluster.progress import Steps
from typosentinel_server.engines import Library

STEPS = 4


def figures(rounds: Rounds, load: Mapping[str, float], grows: Mapping[str, float]) -> dict[str, float]:
    """All figures, the agreed ones first."""
    us = {
        f"{name}_p{percent}_us": percentile_us(taken, percent)
        for name, taken in rounds.taken.items()
        for percent in (50, 99)
    }
    return {
        "p50_us": us.pop("ours_p50_us"),
        "p99_us": us.pop("ours_p99_us"),
        "names_per_s": statistics.median(rounds.rates),
        "load_s": load["warm"],
        "load_cold_s": load["cold"],
        "load_first_s": load["first"],
        "grown_mb": rounds.grown_mb[0],
        "grown_anonymous_mb": rounds.grown_mb[1],
        **grows,
        **us,
    }


def wanted(measured: Mapping[str, float]) -> Wanted:
    """The bounds; one of them is what a peer took in the same run."""
    return {
        "p50_us": ("at most", measured["typomania_p50_us"]),
        "p99_us": ("at most", 300.0),
        "names_per_s": ("at least", 20_000.0),
        "load_s": ("at most", 1.0),
        "grown_mb": ("at most", 120.0),
        "growth": ("at most", 2.0),
    }


def peers_table(rounds: Rounds) -> str:
    """The contestants side by side, microseconds a name; percentiles are medians of the rounds'."""
    rows = [["us a name", "names", "p50", "p90", "p99", "worst"]]
    for name, taken in rounds.taken.items():
        cuts = [said(percentile_us(taken, percent)) for percent in (50, 90, 99)]
        rows.append([name, str(sum(map(len, taken))), *cuts, said(max(map(max, taken)) / 1000)])
    return columns(rows)


def measure(data: Data) -> None:
    """Measure and print. Raises NotRun."""
    library = Library(data.corpora)
    corpora = {ecosystem: library.read(ecosystem) for ecosystem in library.ecosystems}
    with data.dev.open(encoding="utf-8", newline="") as file:
        queries = unlisted(csv.DictReader(file), corpora)
    steps = Steps(STEPS)
    lists = OUT / "lists"
    shutil.rmtree(lists, ignore_errors=True)
    write_lists(corpora, lists)
    with steps.step("build typomania", "20 s, the first time"):
        rust = typomania.build()
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    with steps.step("load all engines in fresh processes"):
        load = load_seconds(data.corpora)
    with steps.step(f"{ROUNDS} rounds of {len(queries)} names", "a minute, most of it rapidfuzz's"):
        rounds = play(data.corpora, lists, rust, queries)
    with steps.step(f"a list of {LONG_LIST:,} names beside one of {SHORT_LIST:,}"):
        grows = growth(corpora, queries)
    measured = figures(rounds, load, grows)
    bounds = wanted(measured)
    names = sum(len(corpus.entries) for corpus in corpora.values())
    print(f"{names} names in {len(corpora)} lists; {len(queries)} unlisted names asked, each once; core {core}.")
    print(f"typomania was spared {rounds.skipped} names that are not ASCII: it panics on them.\n")
    print(peers_table(rounds), end="\n\n")
    print(judged(measured, bounds), end="\n\n")
    print("Heading for p99_us 100 and names_per_s 50,000.")
    report("engine", measured, bounds, queries=len(queries), typomania_skipped=rounds.skipped)


if __name__ == "__main__":
    sys.exit(main("bench-engine", measure))
