"""Types of fields that the kinds share."""

import pytest
from pydantic import TypeAdapter, ValidationError

from typosentinel_operator import fields
from typosentinel_operator.fields import Duration, ObjectName


@pytest.mark.parametrize(
    ("duration", "wanted"),
    [("5m", 300.0), ("1h30m", 5400.0), ("250ms", 0.25), ("1h1m1s1ms", 3661.001), ("90s", 90.0), ("0s", 0.0)],
)
def test_a_duration_has_a_length_in_seconds(duration: str, wanted: float) -> None:
    """Each unit counts once, and `ms` is not read as minutes."""
    assert wanted == pytest.approx(fields.seconds(TypeAdapter(Duration).validate_python(duration)))


@pytest.mark.parametrize("wrong", ["", "5", "m", "5 m", "-5m", "1.5h", "5M", "1d", "5m\n", "1h1m1s1ms1h", "100000s"])
def test_what_is_no_duration_is_refused(wrong: str) -> None:
    """No sign, no fraction, no unit of our own making, and no end of line behind it."""
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(wrong)


@pytest.mark.parametrize("wrong", ["", "-a", "a-", "A", "a.b", "a/b", "a" * 64])
def test_a_reference_names_a_dns_label(wrong: str) -> None:
    """What Kubernetes would never store under this name is refused before anybody looks for it."""
    with pytest.raises(ValidationError):
        TypeAdapter(ObjectName).validate_python(wrong)
