"""How the campaigns on faults count: windows, and verdicts that are right for the evidence that there was."""

import json

import pytest
from hack.faults.quota import Got, Quota, judge, most, per_window
from hack.faults.row import Row
from hack.faults.scene import opened, state
from hack.faults.steady import Right, Steady
from hack.faults.wire import Answered

FIELDS = dict.fromkeys(
    ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-window", "ratelimit-policy", "ratelimit"), "1"
)
RIGHT = Right("suspicious", "advisory")


def said(verdict: str, *states: str, status: int = 200) -> Answered:
    """A scan's answer."""
    body = {"verdict": verdict, "evidence": [{"state": one} for one in states]}
    return Answered(status, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (said("suspicious", "used", "absent"), True),
        (said("advisory", "used", "used"), False),
        (said("advisory", "timeout", "unavailable"), True),
        (said("suspicious", "timeout", "unavailable"), False),
        (said("advisory", "used", "timeout"), True),
        (said("clean", "used", "timeout"), False),
        (said("suspicious", "used", status=500), False),
    ],
)
def test_a_verdict_is_right_for_the_evidence_that_there_was(answer: Answered, *, right: bool) -> None:
    """With all of it, with none, with some; anything but 200 is wrong."""
    assert (Steady((), {"name": RIGHT}, 1.0).judged("name", answer)[0] == "") is right


def test_what_is_counted_within_a_window_was_asked_and_answered_there() -> None:
    """A request whose answer came after the window may have been counted after it."""
    assert most([(0.0, 0.1), (0.5, 0.6), (0.9, 1.1), (1.2, 1.3)], 1.0) == 3
    assert most([(0.0, 0.1), (0.5, 1.6), (0.9, 1.9)], 1.0) == 1


def test_windows_one_after_another_are_whole() -> None:
    """What comes after the last whole one counts for none."""
    assert per_window([0.1, 0.2, 1.0, 2.5, 3.4], 0.0, 3.5, 1.0) == [2, 1, 1]


def test_answers_lack_no_field_of_either_family() -> None:
    """Allowed or not; and whoever is refused is told when to come again."""
    got = Got()
    got.took(0.0, Answered(200, FIELDS, b""))
    got.took(0.0, Answered(429, FIELDS | {"retry-after": "1"}, b""))
    assert (len(got.allowed), len(got.asked), got.wrong) == (1, 2, [])
    got.took(0.0, Answered(429, FIELDS, b""))
    got.took(0.0, Answered(200, {}, b""))
    got.took(0.0, Answered(503, FIELDS, b""))
    assert len(got.wrong) == 3


@pytest.mark.parametrize(("allowed", "fault"), [(100, ""), (102, "were allowed"), (96, "only 96")])
def test_a_limit_is_judged_from_both_sides(allowed: int, fault: str) -> None:
    """One in a hundred above it, three below."""
    moments = [n * 0.999 / allowed + second for second in range(3) for n in range(allowed)]
    asked = [n / 300 for n in range(1000)]
    row = Row("limit")
    judge(row, Quota(100, 1, 100), [Got([(at, at) for at in moments], asked)])
    assert [fault in one for one in row.failed] == ([True] if fault else [])


def test_a_breaker_that_tries_is_not_closed() -> None:
    """Open and half-open alike."""
    for now in ("open", "half-open", "closed"):
        found = {
            f'typosentinel_circuit_breaker_state{{name="a",state="{one}"}}': float(one == now)
            for one in ("closed", "open", "half-open")
        }
        assert state(found, "a") == now
        assert opened(found, "a") is (now != "closed")
