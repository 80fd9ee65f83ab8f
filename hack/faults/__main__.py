"""Attack a server of our own in every way that is known here: `python -m hack.faults [--slow N] [--restarts N]`.

The last line is one JSON object with the rows; ends with 0 where all of them held, else with 1.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from hack.faults import rows
from hack.faults.bodies import ENCODINGS
from hack.faults.restarts import restarts
from hack.faults.row import Row
from hack.faults.slow import Kind
from hack.faults.target import Target, target

SLOW_EVERY = {Kind.HEAD: 10.0, Kind.BODY: 10.0, Kind.READER: 1.0}
DESCRIPTORS = 16_384

Attack = Callable[[Target], Awaitable[Row]]


def attacks(slow: int, bomb_mib: int, chunks: int) -> list[Attack]:
    """All attacks, each with a server of its own."""
    every: list[Attack] = [
        lambda t, kind=kind: rows.slow(t, kind, slow, every=SLOW_EVERY[kind], within=rows.CLOSED_WITHIN)  # type: ignore[misc]
        for kind in Kind
    ]
    every += [lambda t, encoding=encoding: rows.bombs(t, encoding, bomb_mib) for encoding in ENCODINGS]  # type: ignore[misc]
    every.append(lambda t: rows.tiny_chunks(t, chunks))
    return every


async def campaign(arguments: argparse.Namespace) -> list[Row]:
    """Runs all attacks, one after another, and says how each went."""
    done: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for attack in attacks(arguments.slow, arguments.bomb_mib, arguments.chunks):
            with target(Path(folder)) as one:
                row = await attack(one)
            errors = [line for line in one.log if '"level": "error"' in line]
            row.wants(not errors, f"the server logged {len(errors)} errors, the first: {errors[:1]}")
            done.append(told(row))
        if arguments.restarts:
            done.append(told(await restarts(Path(folder), arguments.restarts, arguments.rate)))
    return done


def told(row: Row) -> Row:
    """The row, shown."""
    print(f"[faults] {row}", flush=True)
    return row


def main() -> int:
    """Attack; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make faults-http", description=__doc__)
    parser.add_argument("--slow", type=int, default=2000, help="slow clients of each kind (default 2000)")
    parser.add_argument("--bomb-mib", type=int, default=10 * 1024, help="what a bomb unpacks to (default 10240)")
    parser.add_argument("--chunks", type=int, default=1_000_000, help="chunks of one byte (default 1000000)")
    parser.add_argument("--restarts", type=int, default=6, help="restarts under load (default 6)")
    parser.add_argument("--rate", type=float, default=400.0, help="requests a second meanwhile (default 400)")
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    done = asyncio.run(campaign(arguments))
    failed = [row.name for row in done if row.failed]
    found = {row.name: row.figures for row in done}
    print(json.dumps({"faults": "http", "rows": found, "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
