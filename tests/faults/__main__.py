"""Campaigns against the operator: `PYTHONPATH=tests:. python -m faults crash [--points N] [WORKLOAD …]`.

The last line is one JSON object; ends with 0 where everything held, else with 1.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from faults import crash
from faults.workloads import WORKLOADS
from faults.world import world

QUIET_SECONDS = 60.0


def main() -> int:
    """Run a campaign; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make faults-crash", description=__doc__)
    parser.add_argument("campaign", choices=["crash"])
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(one.name for one in WORKLOADS)}; default: all")
    parser.add_argument("--points", type=int, help="drawn from each workload; default: every write, in three ways")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default 1)")
    parser.add_argument("--quiet", type=float, default=QUIET_SECONDS, help="seconds at the end (default 60)")
    arguments = parser.parse_args()
    chosen = [one for one in WORKLOADS if not arguments.workloads or one.name in arguments.workloads]
    done: list[crash.Point] = []
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as found:
        for point, progress in crash.sweep(found, chosen, arguments.points, random.Random(arguments.seed)):  # noqa: S311
            print(crash.told(point, progress), flush=True)
            done.append(point)
        quiet = crash.quiet(found, arguments.quiet)
        crashes = found.operator.crashes()
    print(*crashes, sep="\n")
    print(crash.last_line(done, quiet), flush=True)
    return 1 if quiet or crashes or not all(point.held for point in done if point.call) or not done else 0


if __name__ == "__main__":
    sys.exit(main())
