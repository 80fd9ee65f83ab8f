"""Which of several forms a caller would rather have, by its header Accept (RFC 9110, 12.5.1)."""

from collections.abc import Sequence
from typing import Final

# More than any client sends; the rest of a longer header is not looked at.
MAX_CHARACTERS: Final = 1000


def preferred(accept: str, offers: Sequence[str]) -> str:
    """The offer with the highest quality, the first of equals, and the first of all where none is wanted.

    Args:
        accept: the header; empty where there is none.
        offers: media types without parameters, such as `application/json`.
    """
    if not accept:
        return offers[0]
    ranges = dict(map(_range, accept[:MAX_CHARACTERS].lower().split(",")))
    return max(offers, key=lambda offer: _quality(ranges, offer))


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            quality = _number(value.strip())
    return kind, quality


def _number(text: str) -> float:
    digits = text.replace(".", "", 1)
    return min(1.0, float(text)) if digits.isdecimal() and digits.isascii() else 0.0


def _quality(ranges: dict[str, float], offer: str) -> float:
    for kind in (offer, offer.partition("/")[0] + "/*", "*/*"):
        if kind in ranges:
            return ranges[kind]
    return 0.0
