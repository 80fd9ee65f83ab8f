"""Kubernetes quantities as numbers."""

from decimal import Decimal

import pytest

from typosentinel_operator import quantities


@pytest.mark.parametrize(
    ("quantity", "wanted"),
    [
        ("500m", "0.5"),
        ("0.5", "0.5"),
        (2, "2"),
        ("1Ki", "1024"),
        ("1k", "1000"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1E", "1e18"),
        ("100n", "1e-7"),
        ("3u", "3e-6"),
        ("1Ei", "1152921504606846976"),
        ("0", "0"),
    ],
)
def test_a_quantity_is_a_number_of_its_base_unit(quantity: str | int, wanted: str) -> None:
    """Decimal and binary suffixes and exponents, without any rounding."""
    assert Decimal(wanted) == quantities.value(quantity)


@pytest.mark.parametrize("wrong", ["", "m", "abc", "1GiB", "0x10", "--1"])
def test_what_is_no_quantity_raises_an_arithmetic_error(wrong: str) -> None:
    """So that a caller can tell it from a number."""
    with pytest.raises(ArithmeticError):
        quantities.value(wrong)
