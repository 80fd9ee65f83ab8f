"""Write docs/reference/methods.md from the scanner's table of methods: `python hack/gen_methods.py [--check]`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from typosentinel_server.scan.methods import METHODS, Method

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "reference" / "methods.md"
HEAD = """\
# Methods

Generated from the scanner's own table by `make generate`. `typosentinel methods [NAME]` and `GET /api/v1/methods` tell
the same; a test scans every example with the built-in lists. [Detection](../detection.md) tells how findings add up.
"""


def rendered() -> str:
    """The page."""
    return HEAD + "".join("\n" + "\n".join(_section(method)) + "\n" for method in METHODS)


def _section(method: Method) -> Iterator[str]:
    yield f"## {method.name}"
    yield f"{method.title}: {method.catches}."
    yield ""
    yield f"- Example: `{method.attack}` for `{method.target}` ({method.ecosystem})."
    yield f"- Cost: {method.cost}."
    yield f"- Limits: {method.limits}"
    if method.needs:
        yield f"- Needs: {method.needs}."


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where the page differs")
    check = parser.parse_args().check
    if OUT.exists() and OUT.read_text() == rendered():
        return 0
    if check:
        print(f"not current: {OUT.relative_to(ROOT)} (make generate)")
        return 1
    OUT.write_text(rendered())
    print(f"written: {OUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
