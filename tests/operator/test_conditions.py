"""How a list of conditions is merged, and which of them turned."""

from typing import Any

import pytest

from typosentinel_operator import conditions
from typosentinel_operator.conditions import Transition, Verdict

LONG_AGO = "2026-01-01T00:00:00Z"
NOW = "2026-05-04T12:00:00Z"
READY = Verdict("Ready", "True", "Ready", "all is well")


def carried(**changes: Any) -> dict[str, Any]:
    """A condition as the object carries it."""
    return {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "all is well",
        "lastTransitionTime": LONG_AGO,
        "observedGeneration": 1,
        **changes,
    }


@pytest.mark.parametrize(
    ("before", "since"),
    [
        ([], NOW),
        ([carried()], LONG_AGO),
        ([carried(reason="Other")], LONG_AGO),
        ([carried(message="other words")], LONG_AGO),
        ([carried(observedGeneration=0)], LONG_AGO),
        ([carried(status="False")], NOW),
        ([carried(status="Unknown")], NOW),
        ([carried(type="Available")], NOW),
    ],
)
def test_the_transition_time_moves_only_with_the_status(before: list[dict[str, Any]], since: str) -> None:
    """Another reason or another sentence is no transition; metav1.Condition says so."""
    (merged,) = conditions.merge([READY], before, generation=2, now=NOW)
    assert since == merged["lastTransitionTime"]


def test_the_rest_of_a_condition_is_always_new() -> None:
    """Reason, message and generation are those of now."""
    before = [carried(reason="Old", message="old")]
    assert [carried(observedGeneration=2)] == conditions.merge([READY], before, generation=2, now=NOW)


def test_conditions_are_sorted_and_those_without_a_verdict_go() -> None:
    """Equal verdicts give equal lists, whatever the object carried."""
    verdicts = [READY, Verdict("Available", "True", "EndpointsReady", "")]
    merged = conditions.merge(verdicts, [carried(type="Outdated")], generation=1, now=NOW)
    wanted = ["Available", "Ready"]
    assert wanted == [condition["type"] for condition in merged]
    assert merged == conditions.merge(verdicts[::-1], merged, generation=1, now="2027-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ([], (Transition(READY, None),)),
        ([carried()], ()),
        ([carried(message="other words")], ()),
        ([carried(status="False")], (Transition(READY, "False"),)),
        ([carried(reason="Other")], (Transition(READY, "True"),)),
    ],
)
def test_another_status_or_reason_is_a_transition(before: list[dict[str, Any]], wanted: tuple[Transition]) -> None:
    """It carries the status before, so that who tells of it can tell a turn from a new reason."""
    assert wanted == conditions.transitions([READY], before)
