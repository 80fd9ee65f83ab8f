"""The methods of detection, for people and for programs."""

import textwrap
from collections.abc import Sequence
from typing import Any

from typosentinel_server.scan.methods import Method

WIDTH = 88
MARGIN = 11


def table(methods: Sequence[Method]) -> str:
    """One method a line: its name, an example, what it catches."""
    rows = [("METHOD", "EXAMPLE", "CATCHES"), *((m.name, _example(m), m.catches) for m in methods)]
    first, second = (max(len(row[n]) for row in rows) for n in (0, 1))
    return "\n".join(f"{name:<{first}}  {example:<{second}}  {catches}" for name, example, catches in rows)


def page(method: Method) -> str:
    """One method in full."""
    rows = (
        ("catches", method.catches),
        ("example", _example(method)),
        ("cost", method.cost),
        ("limits", method.limits),
        ("needs", method.needs),
    )
    lines = [_paragraph(name, text) for name, text in rows if text]
    return "\n".join([f"{method.name}: {method.title.lower()}", *lines])


def as_dict(method: Method) -> dict[str, Any]:
    """A method as JSON has it, on the command line and over HTTP."""
    return {
        "name": method.name,
        "title": method.title,
        "catches": method.catches,
        "example": {"ecosystem": method.ecosystem.value, "name": method.attack, "target": method.target},
        "cost": method.cost,
        "limits": method.limits,
        "needs": method.needs or None,
    }


def _example(method: Method) -> str:
    return f"{method.attack} for {method.target} ({method.ecosystem})"


def _paragraph(name: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"  {name:<{MARGIN - 2}}",
        subsequent_indent=" " * MARGIN,
        break_long_words=False,
        break_on_hyphens=False,
    )
