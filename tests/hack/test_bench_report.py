import json

import pytest
from hack.bench import report


@pytest.mark.parametrize(
    ("value", "bound", "short"),
    [
        (0.8, ("at least", 0.78), False),
        (0.7, ("at least", 0.78), True),
        (0.78, ("at least", 0.78), False),
        (2.0, ("at most", 2.0), False),
        (2.1, ("at most", 2.0), True),
        (None, ("at most", 2.0), False),
    ],
)
def test_what_falls_short(value: float | None, bound: report.Bound, short: bool) -> None:  # noqa: FBT001 - a parameter
    """A bound itself is met; what was not measured misses nothing."""
    assert report.falls_short(value, bound) is short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (11667, "11,667"),
        (0.0172, "0.0172"),
        (1.0, "1.000"),
        (77.686, "77.69"),
        (8357.8, "8,358"),
    ],
)
def test_figures_are_said_with_four_digits(value: float | None, text: str) -> None:
    """Counts are said as they are, figures with four digits."""
    assert report.said(value) == text


def test_a_table_marks_what_falls_short() -> None:
    """A table has all figures, bounds where there are some, and marks."""
    wanted: report.Wanted = {"p99_us": ("at most", 300.0), "names_per_s": ("at least", 20_000.0)}
    assert report.judged({"p99_us": 250.0, "names_per_s": 10_000.0, "load_s": 0.5}, wanted).splitlines() == [
        "figure       measured           wanted",
        "---------------------------------------------",
        "p99_us          250.0      at most 300",
        "names_per_s    10,000  at least 20,000  SHORT",
        "load_s         0.5000",
    ]


def test_the_last_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line has the figures, the bounds, those missed, and details."""
    report.report("b", {"a": 1.23456789, "n": None}, {"a": ("at most", 1), "n": ("at most", 1)}, runs=5)
    assert json.loads(capsys.readouterr().out) == {
        "bench": "b",
        "figures": {"a": 1.23457, "n": None},
        "wanted": {"a": "at most 1", "n": "at most 1"},
        "short": ["a"],
        "runs": 5,
    }
