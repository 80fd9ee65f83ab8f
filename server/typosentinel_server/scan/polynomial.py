"""The hash of a text as a polynomial in its letters, modulo 2^64: it grows letter by letter, and parts of it add up.

_native.c computes the same, so the numbers stand there, too.
"""

from typing import Final

BASE: Final = 0x9E3779B97F4A7C15
LETTER: Final = 0xBF58476D1CE4E5B9
MODULUS: Final = 2**64


def power(exponent: int) -> int:
    """What a letter at that place counts."""
    return pow(BASE, exponent, MODULUS)


def letter(code: int) -> int:
    """What a letter is worth, by its byte."""
    return (code + 1) * LETTER % MODULUS


def whole(text: bytes) -> int:
    """The hash of a text."""
    return sum(letter(code) * power(place) for place, code in enumerate(text)) % MODULUS
