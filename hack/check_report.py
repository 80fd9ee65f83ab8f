"""Fail where a JUnit report shows a test that did not run: `python hack/check_report.py REPORT.xml`.

A skipped, deselected or expected failure is a test that proves nothing, and a tier without tests proves less.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main() -> int:
    """Read one report; returns the exit code."""
    path = Path(sys.argv[1])
    # Our own pytest wrote it a moment ago.
    suite = ET.parse(path).getroot().find("testsuite")  # noqa: S314
    if suite is None:
        print(f"{path}: no test suite in it", file=sys.stderr)
        return 1
    counts = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
    print(f"{path}: " + ", ".join(f"{value} {key}" for key, value in counts.items()))
    idle = counts["tests"] == 0 or counts["skipped"] > 0
    return 1 if idle or counts["failures"] or counts["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
