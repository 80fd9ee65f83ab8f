"""A quick client that creates ScanServices: each one as it is stored goes to standard output, the times to a file."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

from hack.bench.operator import fleet
from hack.bench.operator.apiserver import connected, path_of
from typosentinel_operator import names

CONCURRENCY = 32


async def create(session: aiohttp.ClientSession, manifests: Iterator[dict[str, Any]]) -> None:
    """Create one after another and print what is stored, a line each."""
    for manifest in manifests:
        async with session.post(
            path_of(names.SCAN_SERVICE, manifest["metadata"]["namespace"]), json=manifest
        ) as answer:
            stored = json.loads(await answer.read())
        sys.stdout.write(json.dumps(stored) + "\n")
        sys.stdout.flush()


async def create_all(options: argparse.Namespace) -> tuple[float, float]:
    """Create all, and return when that began and ended, in monotonic seconds."""
    manifests = fleet.services(options.run, options.count)
    async with connected(options.server, options.pki) as session:
        begun = time.monotonic()
        await asyncio.gather(*(create(session, manifests) for _ in range(CONCURRENCY)))
        return begun, time.monotonic()


def main() -> None:
    """Create, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--pki", type=Path, required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    begun, ended = asyncio.run(create_all(options))
    options.times.write_text(json.dumps({"begun": begun, "ended": ended}), encoding="utf-8")


if __name__ == "__main__":
    main()
