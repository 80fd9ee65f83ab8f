"""A target with a mistake in it."""

from collections.abc import Callable
from pathlib import Path

from typosentinel_server.scan.model import parse_ecosystem

SEEDS = (b"npm",)


def make(_work: Path) -> Callable[[bytes], None]:
    """Fails for one ecosystem of all."""
    return _one


def _one(data: bytes) -> None:
    text = data.decode("utf-8", "ignore")
    if text.strip() == "npm":
        raise RuntimeError(f"planted: {parse_ecosystem(text)}")
