"""What becomes of others' log records."""

import logging
import sys

import kopf
import pytest

from typosentinel_operator import telemetry


def record(logger: str, error: Exception) -> logging.LogRecord:
    """What a library logs with a trace."""
    try:
        raise error
    except type(error):
        return logging.LogRecord(logger, logging.ERROR, "x.py", 1, "failed", None, sys.exc_info())


@pytest.mark.parametrize(
    ("logger", "error", "passes", "with_trace"),
    [
        ("kopf.reactor", kopf.PermanentError("refused"), True, False),
        ("asyncio", kopf.PermanentError("refused"), False, False),
        ("kopf.reactor", ValueError("a bug of ours"), True, True),
        ("asyncio", ValueError("a bug of ours"), True, True),
    ],
)
def test_a_watch_that_fails_takes_one_line(logger: str, error: Exception, *, passes: bool, with_trace: bool) -> None:
    """The trace through kopf tells nothing, and asyncio's repetition even less; our own bugs keep theirs."""
    made = record(logger, error)
    assert telemetry._watches_fail_in_one_line(made) == passes
    assert bool(made.exc_info) == with_trace


def test_what_has_no_trace_passes() -> None:
    """Most of it."""
    made = logging.LogRecord("asyncio", logging.INFO, __file__, 1, "well", (), None)
    assert telemetry._watches_fail_in_one_line(made)
