"""Campaigns against the operator: `PYTHONPATH=tests:. python -m faults crash|api [options] [NAME …]`.

The last line is one JSON object; ends with 0 where everything held, else with 1.
"""

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from faults import api, crash
from faults.workloads import WORKLOADS
from faults.world import World, world

QUIET_SECONDS = 60.0
MINUTES = 5.0


def crash_campaign(found: World, arguments: argparse.Namespace) -> bool:
    """The sweep; returns whether everything held."""
    chosen = [one for one in WORKLOADS if not arguments.names or one.name in arguments.names]
    done: list[crash.Point] = []
    for point, progress in crash.sweep(found, chosen, arguments.points, random.Random(arguments.seed)):  # noqa: S311
        print(crash.told(point, progress), flush=True)
        done.append(point)
    quiet = crash.quiet(found, arguments.quiet)
    print(crash.last_line(done, quiet), flush=True)
    return bool(done) and not quiet and all(point.held for point in done if point.call)


def api_campaign(found: World, arguments: argparse.Namespace) -> bool:
    """The rows; returns whether all of them held."""
    done = []
    chosen = [one for one in api.rows(arguments.minutes) if not arguments.names or one[0] in arguments.names]
    for place, (name, row) in enumerate(chosen, start=1):
        done.append(api.tried(name, row, found))
        print(f"[faults] {place:>2} of {len(chosen)}  {done[-1]}", flush=True)
    print(api.last_line(done), flush=True)
    return bool(done) and not any(row.failed for row in done)


def main() -> int:
    """Run a campaign; returns the exit code."""
    campaigns = {"crash": crash_campaign, "api": api_campaign}
    parser = argparse.ArgumentParser(prog="make faults-crash, make faults-api", description=__doc__)
    parser.add_argument("campaign", choices=campaigns)
    parser.add_argument("names", nargs="*", help="workloads, or rows; default: all")
    parser.add_argument("--points", type=int, help="crash: so many of each workload, drawn; default: all")
    parser.add_argument("--seed", type=int, default=1, help="crash: of what is drawn (default 1)")
    parser.add_argument("--quiet", type=float, default=QUIET_SECONDS, help="crash: seconds at the end (default 60)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="api: of what lasts long (default 5)")
    arguments = parser.parse_args()
    # Told to stop, it takes its control plane down first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as found:
        held = campaigns[arguments.campaign](found, arguments)
        crashes = found.operator.crashes()
    if crashes:
        print(*crashes, sep="\n", file=sys.stderr)
    return 0 if held and not crashes else 1


if __name__ == "__main__":
    sys.exit(main())
