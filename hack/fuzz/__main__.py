"""Fuzz all targets, one after another: `python -m hack.fuzz [--seconds N]`.

Ends with 0 where nothing was found, 1 where something was, 2 where the fuzzer cannot run here.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from hack.fuzz.running import ROOT, run_target

TARGETS = ("hack.fuzz.names", "hack.fuzz.corpora", "hack.fuzz.lines")
FOLDER = ROOT / "build" / "fuzz"


def main() -> int:
    """Fuzz and tell; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together (default 600)")
    seconds = max(1, parser.parse_args().seconds // len(TARGETS))
    if find_spec("atheris") is None:
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"[fuzz] NOT RUN: there is no atheris for Python {version} on {sys.platform}.", file=sys.stderr)
        print(
            "[fuzz] Python 3.11 to 3.13 on Linux x86-64 has it: make clean; make PYTHON=python3.11 fuzz",
            file=sys.stderr,
        )
        return 2
    total = findings = 0
    failed = False
    for module in TARGETS:
        name = module.rpartition(".")[2]
        print(f"[fuzz] {name}: {seconds} s …", flush=True)
        outcome = run_target(module, seconds, FOLDER)
        total += outcome.executions
        findings += len(outcome.findings)
        failed |= not outcome.well
        if outcome.told:
            print(outcome.told)
        for path in outcome.findings:
            print(f"[fuzz] {name}: FOUND {shown(path)}")
        print(f"[fuzz] {name}: {outcome.executions:,} executions, coverage {outcome.coverage}", flush=True)
    print(f"[fuzz] {len(TARGETS)} targets, {total:,} executions, {findings} findings; logs in {shown(FOLDER)}")
    return 1 if failed else 0


def shown(path: Path) -> str:
    """The path as seen from the project's folder."""
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
