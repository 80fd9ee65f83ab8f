"""Write docs/reference/methods.md from the scanner's table of methods: `python -m hack.gen_methods [--check]`."""

import sys
from collections.abc import Iterator

from hack.generated import ROOT, write_or_check
from typosentinel_server.scan.methods import METHODS, Method

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


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, {OUT: rendered()}))
