"""Ask a running server everything: `python -m hack.fuzz.api [--seconds N] [--bodies N]`.

schemathesis tries both documents with all checks, again and again with other seeds until the time is over; then come
bodies that were right once. Ends with 0 where nothing was found. The last line is JSON.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from hack.fuzz.api.running import broken_bodies, examine, served

EXAMPLES = 200


def main() -> int:
    """Ask and tell; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz-api", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="for schemathesis (default 120)")
    parser.add_argument("--bodies", type=int, default=100_000, help="broken bodies (default 100,000)")
    given = parser.parse_args()
    cases, breaks, server_errors, seed = 0, 0, 0, 0
    with TemporaryDirectory(prefix="fuzz-api-") as work, served(Path(work)) as server:
        end = time.monotonic() + given.seconds
        while time.monotonic() < end or seed == 0:
            seed += 1
            for name, url, token in (("public", server.url, None), ("admin", server.admin_url, server.token)):
                found = examine(url, token, EXAMPLES, seed, Path(work))
                cases += found.cases
                breaks += not found.well
                print(f"[fuzz-api] {name}, seed {seed}: {found.cases:,} cases, {'well' if found.well else 'FOUND'}")
                if not found.well:
                    print(found.told)
        answers = asyncio.run(broken_bodies(server.url, given.bodies, seed))
    for what, count in sorted(answers.items()):
        print(f"[fuzz-api] bodies: {count:,} answers {what}")
        breaks += not what.isdecimal()
        server_errors += count if what.startswith(("500", "502", "504")) else 0
    figures = {"cases": cases, "bodies": given.bodies, "server_errors": server_errors, "contract_breaks": breaks}
    print(json.dumps(figures))
    return 1 if breaks or server_errors else 0


if __name__ == "__main__":
    sys.exit(main())
