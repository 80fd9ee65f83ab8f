"""Do to Redis and to a provider whatever happens to them, under load: `python -m hack.faults.shared [--rate N]`.

Two servers in processes of their own share a Redis; then three share one limit. The last line is one JSON object with
the rows; ends with 0 where all of them held, else with 1.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from hack.faults.__main__ import told
from hack.faults.outages import OUTAGES, Pace
from hack.faults.quota import Quota, shared_limit
from hack.faults.row import Row
from hack.faults.scene import scene

QUOTAS = (Quota(1000, 2, 500), Quota(20, 2, 20))


async def campaign(rate: float, fault: float, demand: float) -> list[Row]:
    """All faults on one scene, one after another, then each limit with servers of its own."""
    done: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        async with scene(Path(folder), rate) as made:
            done += [told(await outage(made, Pace(fault=fault))) for outage in OUTAGES]
        errors = [line for target in made.targets for line in target.log if '"level": "error"' in line]
        done[-1].wants(not errors, f"the servers logged {len(errors)} errors, the first: {errors[:1]}")
        done += [told(await shared_limit(Path(folder), quota, demand)) for quota in QUOTAS]
    return done


def main() -> int:
    """Run it all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make faults-redis", description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0, help="scans a second (default 300)")
    parser.add_argument("--fault", type=float, default=5.0, help="seconds that a fault lasts (default 5)")
    parser.add_argument("--demand", type=float, default=12.0, help="seconds of demand on each limit (default 12)")
    arguments = parser.parse_args()
    done = asyncio.run(campaign(arguments.rate, arguments.fault, arguments.demand))
    failed = [row.name for row in done if row.failed]
    print(json.dumps({"faults": "redis", "rows": {row.name: row.figures for row in done}, "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
