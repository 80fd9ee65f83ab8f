"""Programs that tests and benchmarks run beside ours: `python -m hack.programs redis-server wrk` installs them."""

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # sudo runs the file itself
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hack.cluster import packages
from hack.cluster.failures import ClusterError
from hack.cluster.privilege import become_root

# Command: Debian package.
KNOWN = {"redis-server": "redis-server", "redis-cli": "redis-tools", "wrk": "wrk", "chromium": "chromium"}


def main() -> int:
    """Install; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="+", choices=sorted(KNOWN))
    wanted = packages.missing({name: KNOWN[name] for name in parser.parse_args().commands}, with_cni=False)
    if not wanted:
        return 0
    print(f"[programs] installing {', '.join(wanted)} …", flush=True)
    try:
        packages.check_installable(wanted)
        become_root(Path(__file__).resolve(), sys.argv[1:])
        packages.install(wanted)
    except ClusterError as error:
        print(error.report(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
