"""What annotations ask for, and what follows from it."""

from datetime import timedelta
from typing import Any

import pytest

import factories
from typosentinel_operator import events, names, readiness, reconcile, status
from typosentinel_operator.conditions import Verdict, transitions
from typosentinel_operator.interventions import Interventions, Override, Pause, read
from typosentinel_operator.names import Condition, Reason
from typosentinel_operator.scalingspec import ScalingBehavior, ScalingPolicySpec, ScalingRules

SOON = (factories.NOW + timedelta(hours=1)).isoformat()
PAST = (factories.NOW - timedelta(seconds=1)).isoformat()
WHOLE = {"override-replicas": "8", "override-until": SOON, "override-reason": "a sale"}


def asked(**annotations: str) -> Interventions:
    """What a ScanService of two pods with these annotations of ours asks for."""
    return asked_of(annotations, scaled=False)


def asked_of(annotations: dict[str, str], *, scaled: bool) -> Interventions:
    """The same of one whose pods an autoscaler may decide about."""
    manifest = factories.scan_service(**({"scalingPolicyRef": {"name": "steady"}} if scaled else {"replicas": 2}))
    manifest["metadata"]["annotations"] = {
        f"typosentinel.io/{key.replace('_', '-')}": value for key, value in annotations.items()
    }
    return read(manifest, factories.NOW)


def with_override(**changes: str | None) -> dict[str, str]:
    """A whole override with some annotations changed, or left out."""
    changed = WHOLE | {key.replace("_", "-"): value for key, value in changes.items()}
    return {key: value for key, value in changed.items() if value is not None}


def test_nothing_is_asked_for_by_default() -> None:
    """No annotations, or those of others."""
    assert read(factories.scan_service(), factories.NOW) == Interventions()
    assert asked(something_else="all") == Interventions()


@pytest.mark.parametrize("value", list(Pause))
def test_a_pause_is_understood(value: Pause) -> None:
    """In each of its three forms; only one of them freezes everything."""
    found = asked(paused=value.value)
    assert found == Interventions(pause=value)
    assert found.frozen == (value is Pause.ALL)


@pytest.mark.parametrize("value", ["", "true", "ALL", "scale-in,scale-out", "x" * 5000])
def test_a_pause_that_nobody_understands_pauses_nothing(value: str) -> None:
    """And says what may be written."""
    found = asked(paused=value)
    assert found.pause is None
    assert "all, scale-in, scale-out" in str(found.pause_trouble)
    assert len(str(found.pause_trouble)) < 200


def test_an_override_has_a_number_an_end_and_a_reason() -> None:
    """All three, in effect until its end."""
    found = asked(**WHOLE)
    assert found.override == Override(8, factories.NOW + timedelta(hours=1), "a sale")
    assert (found.ended, found.override_trouble) == (None, None)


def test_an_override_ends_by_itself() -> None:
    """Its annotations are nothing but history then."""
    found = asked(**with_override(override_until=PAST))
    assert found.override is None
    assert found.ended is not None
    assert asked(**with_override(override_until=factories.NOW.isoformat())).override is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"override_until": None}, "not given: typosentinel.io/override-until"),
        ({"override_reason": None}, "not given: typosentinel.io/override-reason"),
        ({"override_replicas": None}, "not given: typosentinel.io/override-replicas"),
        ({"override_reason": "  "}, "not given: typosentinel.io/override-reason"),
        ({"override_until": "tomorrow"}, "give a time with its zone"),
        ({"override_until": "2026-11-21T18:00:00"}, "give a time with its zone"),
        ({"override_replicas": "many"}, "give a number from 0 to 1000"),
        ({"override_replicas": "-1"}, "give a number from 0 to 1000"),
        ({"override_replicas": "1001"}, "give a number from 0 to 1000"),
        ({"override_replicas": "9" * 5000}, "give a number from 0 to 1000"),
        ({"override_replicas": "00100000"}, "give a number from 0 to 1000"),
        ({"override_until": "9999-12-31T23:59:59-05:00"}, "give a time with its zone"),
        ({"override_until": "0001-01-01T00:00:00+05:00"}, "give a time with its zone"),
        ({"override_replicas": "\u0668"}, "give a number from 0 to 1000"),
    ],
)
def test_half_an_override_is_none(changes: dict[str, str | None], words: str) -> None:
    """What has no end, no reason or no number changes nothing, and the message says what is missing."""
    found = asked(**with_override(**changes))
    assert (found.override, found.ended) == (None, None)
    assert words in str(found.override_trouble)


def test_an_autoscaler_has_at_least_one_pod() -> None:
    """Kubernetes refuses another floor; a fixed number may be 0."""
    none = with_override(override_replicas="0")
    assert asked(**none).override is not None
    assert "from 1 to 1000" in str(asked_of(none, scaled=True).override_trouble)


@pytest.mark.parametrize(
    ("pause", "wanted", "present", "becomes"),
    [
        (None, 2, 5, 2),
        (Pause.SCALE_IN, 2, 5, 5),
        (Pause.SCALE_IN, 7, 5, 7),
        (Pause.SCALE_OUT, 7, 5, 5),
        (Pause.SCALE_OUT, 2, 5, 2),
        (Pause.SCALE_OUT, 2, None, 2),
        (Pause.SCALE_IN, 2, 0, 2),
    ],
)
def test_a_fixed_number_goes_in_one_direction_only(
    pause: Pause | None, wanted: int, present: int | None, becomes: int
) -> None:
    """The other one is paused; a Deployment that is made now has what is wanted."""
    assert Interventions(pause=pause).replicas(wanted, present) == becomes


def policy(**changes: Any) -> ScalingPolicySpec:
    """Two to five pods."""
    return ScalingPolicySpec(min_replicas=2, max_replicas=5).model_copy(update=changes)


def test_an_autoscaler_is_paused_by_its_behaviour_and_its_bounds() -> None:
    """Bounds are enforced whatever the behaviour says, so that they give way to what is there."""
    slow = ScalingBehavior(scale_down=ScalingRules(stabilization_window_seconds=60))
    held = Interventions(pause=Pause.SCALE_IN).scaling(policy(behavior=slow), 9)
    assert held.behavior is not None
    assert held.behavior.scale_down == ScalingRules(stabilization_window_seconds=60, select_policy="Disabled")
    assert held.behavior.scale_up is None
    assert (held.min_replicas, held.max_replicas) == (2, 9)

    held = Interventions(pause=Pause.SCALE_OUT).scaling(policy(), 1)
    assert held.behavior is not None
    assert held.behavior.scale_up == ScalingRules(select_policy="Disabled")
    assert held.behavior.scale_down is None
    assert (held.min_replicas, held.max_replicas) == (1, 5)


def test_bounds_that_are_kept_stay() -> None:
    """Nothing else of the policy changes, nor where there is no Deployment yet."""
    for pause in (Pause.SCALE_IN, Pause.SCALE_OUT):
        for present in (3, None):
            held = Interventions(pause=pause).scaling(policy(), present)
            assert (held.min_replicas, held.max_replicas) == (2, 5)
    assert Interventions(pause=Pause.SCALE_OUT).scaling(policy(), 0).min_replicas == 1
    assert Interventions(pause=Pause.ALL).scaling(policy(), 9) == policy()


def test_an_override_goes_before_all_else() -> None:
    """Floor and ceiling are the number, whatever is paused."""
    override = Override(8, factories.NOW, "a sale")
    for pause in (None, Pause.SCALE_IN, Pause.SCALE_OUT):
        found = Interventions(pause=pause, override=override)
        assert found.replicas(2, 9) == 8
        assert (found.scaling(policy(), 9).min_replicas, found.scaling(policy(), 9).max_replicas) == (8, 8)


def verdicts(found: Interventions, **changes: Any) -> dict[str, Verdict]:
    """Conditions by type."""
    return {one.type: one for one in status.verdicts(factories.observed(interventions=found, **changes))}


def test_conditions_say_what_is_asked_for() -> None:
    """Each with its own reason; that nothing is asked for is said, too."""
    override = Override(8, factories.NOW + timedelta(hours=1), "a sale")
    cases = {
        Condition.PAUSED: [
            (Interventions(), "False", Reason.NOT_PAUSED),
            (Interventions(pause=Pause.ALL), "True", Reason.PAUSED),
            (Interventions(pause=Pause.SCALE_IN), "False", Reason.NOT_PAUSED),
            (Interventions(pause_trouble="what?"), "False", Reason.INVALID_ANNOTATION),
        ],
        Condition.SCALING_PAUSED: [
            (Interventions(), "False", Reason.NOT_PAUSED),
            (Interventions(pause=Pause.SCALE_IN), "True", Reason.SCALE_IN_PAUSED),
            (Interventions(pause=Pause.SCALE_OUT), "True", Reason.SCALE_OUT_PAUSED),
            (Interventions(pause=Pause.SCALE_OUT, override=override), "False", Reason.NOT_PAUSED),
        ],
        Condition.OVERRIDE_ACTIVE: [
            (Interventions(), "False", Reason.NO_OVERRIDE),
            (Interventions(override=override), "True", Reason.OVERRIDE_IN_EFFECT),
            (Interventions(ended=override), "False", Reason.OVERRIDE_ENDED),
            (Interventions(override_trouble="what?"), "False", Reason.INVALID_ANNOTATION),
        ],
    }
    for aspect, table in cases.items():
        for found, wanted, reason in table:
            verdict = verdicts(found)[aspect]
            assert (verdict.status, verdict.reason) == (wanted, reason), found
    assert verdicts(Interventions(override=override))[Condition.OVERRIDE_ACTIVE].message == (
        "8 pods until 2026-05-04T13:00:00Z: a sale"
    )


def test_what_waits_for_the_end_of_a_pause_is_not_ready() -> None:
    """And told; where nothing waits, a pause changes nothing about being ready."""
    frozen = Interventions(pause=Pause.ALL)
    assert readiness.verdict(factories.observed(interventions=frozen)).status == "True"
    waits = ("Deployment is to change: spec.template",)
    verdict = readiness.verdict(factories.observed(interventions=frozen, withheld=waits))
    assert (verdict.status, verdict.reason) == ("False", Reason.PAUSED)
    assert waits[0] in verdict.message


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (Interventions(), Interventions(pause=Pause.ALL), [("Normal", Reason.PAUSED)]),
        (Interventions(pause=Pause.ALL), Interventions(), [("Normal", Reason.NOT_PAUSED)]),
        (Interventions(), Interventions(pause_trouble="what?"), [("Warning", Reason.INVALID_ANNOTATION)]),
        (
            Interventions(override=Override(8, factories.NOW, "a sale")),
            Interventions(ended=Override(8, factories.NOW, "a sale")),
            [("Normal", Reason.OVERRIDE_ENDED)],
        ),
    ],
)
def test_both_edges_are_events(before: Interventions, after: Interventions, kinds: list[tuple[str, str]]) -> None:
    """Neither is a warning, because somebody wants it; what nobody understands is one."""
    previous = status.document(factories.observed(interventions=before), 1)["conditions"]
    turned = transitions(status.verdicts(factories.observed(interventions=after)), previous)
    assert [(kind, reason) for kind, reason, _ in events.of_transitions(turned)] == kinds


def test_the_end_of_an_override_is_not_slept_through() -> None:
    """The next look is at its end, or sooner."""
    override = Override(8, factories.NOW + timedelta(seconds=12), "a sale")
    seen = factories.observed(interventions=Interventions(override=override))
    assert reconcile._sooner(None, seen) == 12
    assert reconcile._sooner(30.0, seen) == 12
    assert reconcile._sooner(1.0, seen) == 1.0
    assert reconcile._sooner(None, factories.observed()) is None


def test_the_annotations_are_the_documented_ones() -> None:
    """People write them by hand."""
    assert names.ANNOTATION_PAUSED == "typosentinel.io/paused"
    assert tuple(f"typosentinel.io/{key}" for key in WHOLE) == names.OVERRIDE_ANNOTATIONS
