"""Which transitions and writes deserve an Event."""

import pytest

from typosentinel_operator import events
from typosentinel_operator.apply import Change
from typosentinel_operator.conditions import Status, Transition, Verdict
from typosentinel_operator.names import Condition, Reason


@pytest.mark.parametrize(
    ("aspect", "before", "now", "reason", "wanted"),
    [
        (Condition.READY, "False", "True", Reason.READY, "Normal"),
        (Condition.READY, "True", "False", Reason.PODS_NOT_READY, "Warning"),
        (Condition.STALLED, "False", "True", Reason.NAME_CONFLICT, "Warning"),
        (Condition.STALLED, "True", "False", Reason.NOT_STALLED, "Normal"),
        (Condition.POLICY_RESOLVED, "True", "False", Reason.POLICY_NOT_FOUND, "Warning"),
        (Condition.CONFIGURATION_CURRENT, "Unknown", "True", Reason.ALL_PODS_CURRENT, "Normal"),
    ],
)
def test_a_condition_that_turns_is_told(aspect: str, before: str, now: Status, reason: str, wanted: str) -> None:
    """A turn for the worse is a warning, and Stalled is worse when it is true."""
    turned = Transition(Verdict(aspect, now, reason, "words"), before)
    expected = [(wanted, reason, f"{aspect} is {now}: words")]
    assert expected == events.of_transitions([turned])


@pytest.mark.parametrize(
    ("aspect", "before", "now", "reason"),
    [
        (Condition.READY, None, "False", Reason.ROLLING_OUT),
        (Condition.READY, None, "True", Reason.READY),
        (Condition.READY, "False", "False", Reason.PODS_NOT_READY),
        (Condition.STALLED, None, "False", Reason.NOT_STALLED),
        (Condition.RECONCILING, "False", "True", Reason.PROGRESSING),
        (Condition.RECONCILING, "True", "False", Reason.SETTLED),
        (Condition.SCALING_ACTIVE, "True", "Unknown", Reason.AUTOSCALER_PENDING),
    ],
)
def test_what_is_no_news_is_not_told(aspect: str, before: str | None, now: Status, reason: str) -> None:
    """First values, new reasons of the same state, what mirrors Ready, and what nobody knows."""
    assert events.of_transitions([Transition(Verdict(aspect, now, reason, "words"), before)]) == []


@pytest.mark.parametrize(
    ("aspect", "now", "reason"),
    [
        (Condition.READY, "False", Reason.POLICY_NOT_FOUND),
        (Condition.READY, "False", Reason.INVALID_POLICY),
        (Condition.REFERENCES_RESOLVED, "False", Reason.CONFIG_MAP_KEY_NOT_FOUND),
        (Condition.REFERENCES_RESOLVED, "False", Reason.LIST_REFUSED),
        (Condition.STALLED, "True", Reason.INVALID_SPEC),
        (Condition.STALLED, "True", Reason.NAME_CONFLICT),
        (Condition.STALLED, "True", Reason.APPLY_REFUSED),
    ],
)
def test_what_somebody_has_to_act_on_is_told_at_once(aspect: str, now: Status, reason: str) -> None:
    """Even where it is a condition's first value, or a new reason of the same state."""
    for before in (None, now):
        told = events.of_transitions([Transition(Verdict(aspect, now, reason, "words"), before)])
        assert told == [("Warning", reason, f"{aspect} is {now}: words")]


def test_every_write_is_told() -> None:
    """Who asks why an object changed finds the operator's word for it."""
    change = Change(Reason.CHILD_REPAIRED, "Deployment front-scanner had been changed")
    wanted = [("Normal", Reason.CHILD_REPAIRED, "Deployment front-scanner had been changed")]
    assert wanted == events.of_changes([change])
