"""The operator beside what its client library can do at most: `make bench-operator`.

hack/bench/README.md says what each figure means.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from hack.bench.operator import turns
from hack.bench.operator.figures import growth, middle, ratio
from hack.bench.operator.ground import Ground, ground
from hack.bench.operator.turns import Operated, OperatorEnded, Turn
from hack.bench.report import Figures, Wanted, columns, judged, report, said
from hack.cluster.failures import ClusterError
from hack.cluster.progress import Steps, say

COUNTS = "100,300,1000"
ROUNDS = 3
# Seconds for each ScanService, beyond those for all of them.
PATIENCE = 1.0
WANTED: Wanted = {
    "ratio": ("at least", 0.6),
    "quiet_writes_per_min": ("at most", 0.0),
    "rss_mb": ("at most", 200.0),
    # No worse than linear, and a tenth for the noise of three rounds.
    "growth": ("at most", 1.1),
}
COLUMNS = ("operator", "kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler")


@dataclass(slots=True)
class Rounds:
    """All turns with one number of ScanServices."""

    count: int
    ours: list[Operated] = field(default_factory=list)
    limits: list[Turn] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """The operator's, the median."""
        return middle(turn.seconds for turn in self.ours)

    @property
    def limit_seconds(self) -> float | None:
        """The limit's, the median."""
        return middle(turn.seconds for turn in self.limits)

    def figures(self) -> dict[str, float | None]:
        """What is agreed on, for this number."""
        writes = middle(float(turn.writes.total()) for turn in self.ours)
        return {
            "seconds": self.seconds,
            "limit_seconds": self.limit_seconds,
            "ratio": ratio([turn.seconds for turn in self.limits], [turn.seconds for turn in self.ours]),
            "ready_seconds": middle(turn.ready_seconds for turn in self.ours),
            "reconcile_p95_ms": middle(turn.p95_ms for turn in self.ours),
            "writes_per_object": None if writes is None else writes / self.count,
            "reads_per_object": (middle(float(turn.reads.total()) for turn in self.ours) or 0.0) / self.count,
            "quiet_writes_per_min": next(
                (turn.quiet_writes for turn in self.ours if turn.quiet_writes is not None), None
            ),
            "rss_mb": max((turn.memory.peak for turn in self.ours if turn.memory), default=None),
        }


def play(found: Ground, counts: Sequence[int], options: argparse.Namespace, steps: Steps) -> Iterator[Rounds]:
    """All rounds; operator and limit take turns in who is first. Where one does not get there, more are no use."""
    for count in counts:
        rounds = Rounds(count)
        for number in range(options.rounds):
            for who in ("operator", "limit") if number % 2 == 0 else ("limit", "operator"):
                run = f"{who}-{count}-{number}"
                with steps.step(f"{count} ScanServices, round {number + 1}: {who}"):
                    turn = take(found, rounds, run, options, last=number == options.rounds - 1)
                say(
                    f"      {turn.there} of {count} in {said(turn.seconds)} s, created in {said(turn.create_seconds)} s"
                )
                found.clear(run)
            if rounds.ours[-1].seconds is None:
                say(f"{count} ScanServices were not there in time; no more of that")
                yield rounds
                return
        yield rounds


def take(found: Ground, rounds: Rounds, run: str, options: argparse.Namespace, *, last: bool) -> Turn:
    """One turn; `run` says whose."""
    if run.startswith("limit"):
        rounds.limits.append(turns.limit(found, run, rounds.count, options.patience))
        return rounds.limits[-1]
    under = (sys.executable, "-m", "cProfile", "-o", str(options.profile.absolute())) if options.profile else ()
    rounds.ours.append(turns.operated(found, run, rounds.count, options.patience, quiet=last, under=under))
    return rounds.ours[-1]


def table(done: Sequence[Rounds]) -> str:
    """One row for each number of ScanServices, so that one sees where time goes."""
    heading = ["n", "create s", "converge s", "limit s", "ratio", "ready s", "p50 ms", "p95 ms", "writes", "reads"]
    heading += [
        "MiB peak",
        "MiB",
        *(f"{name} CPU s" for name in COLUMNS),
        "limit: its CPU s",
        "limit: kube-apiserver CPU s",
    ]
    rows = [heading]
    for one in done:
        ours = one.ours
        figures = one.figures()
        cells = [
            middle(turn.create_seconds for turn in ours),
            figures["seconds"],
            figures["limit_seconds"],
            figures["ratio"],
            figures["ready_seconds"],
            middle(turn.p50_ms for turn in ours),
            figures["reconcile_p95_ms"],
            *(middle(float(found.total()) for found in which) for which in _requests(ours)),
            figures["rss_mb"],
            middle(turn.memory.now if turn.memory else None for turn in ours),
            *(middle(turn.cpu.get(name) for turn in ours) for name in COLUMNS),
            middle(turn.cpu.get("limit") for turn in one.limits),
            middle(turn.cpu.get("kube-apiserver") for turn in one.limits),
        ]
        rows.append([str(one.count), *(said(cell) for cell in cells)])
    # Many figures and few numbers of objects: a row for each figure reads better.
    return columns([list(row) for row in zip(*rows, strict=True)])


def _requests(ours: Sequence[Operated]) -> tuple[list[Counter[str]], list[Counter[str]]]:
    return [turn.writes for turn in ours], [turn.reads for turn in ours]


def requests(done: Sequence[Rounds]) -> str:
    """What the operator asked of the API server, by what it was, for each ScanService; of the last round."""
    last = [(one.count, one.ours[-1].writes + one.ours[-1].reads) for one in done]
    kinds = sorted({kind for _, counts in last for kind in counts}, key=lambda kind: -last[-1][1][kind])
    rows = [["requests for each", *(f"n = {count}" for count, _ in last)]]
    rows += [[kind, *(said(counts[kind] / count) for count, counts in last)] for kind in kinds]
    return columns(rows)


def figures(done: Sequence[Rounds]) -> Figures:
    """Those of the most ScanServices, and how time grows with the number."""
    return done[-1].figures() | {"growth": growth({one.count: one.seconds for one in done})}


def stop(number: int, _: FrameType | None) -> None:
    """Told to stop, it takes its control plane down first, and hears it once."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-operator", description=__doc__)
    parser.add_argument("--counts", default=COUNTS, help=f"numbers of ScanServices (default {COUNTS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of operator and limit (default {ROUNDS})")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds to wait for each (default 1)")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="where cProfile writes what the operator did")
    options = parser.parse_args()
    counts = sorted({int(part) for part in options.counts.split(",")})
    signal.signal(signal.SIGTERM, stop)
    try:
        done = measure(counts, options)
    except (AssertionError, ClusterError, ConnectionError, OperatorEnded, subprocess.SubprocessError) as error:
        say(f"make bench-operator: {error}")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    measured = figures(done)
    print(table(done), requests(done), judged(measured, WANTED), sep="\n\n", end="\n\n")
    report("operator", measured, WANTED, by_count={one.count: one.figures() for one in done})
    return 0


def measure(counts: Sequence[int], options: argparse.Namespace) -> list[Rounds]:
    """All rounds on a cluster of their own."""
    steps = Steps(2 * options.rounds * len(counts))
    with tempfile.TemporaryDirectory(prefix="bench-operator-") as folder, ground(Path(folder), counts[-1]) as found:
        return list(play(found, counts, options, steps))


if __name__ == "__main__":
    sys.exit(main())
