"""The decisions between the four calls of a reconciliation."""

from datetime import timedelta
from typing import Any

import pytest

import factories
from typosentinel_operator import names, policies, reconcile
from typosentinel_operator.names import Reason
from typosentinel_operator.observed import Policies, Unresolved

MISSING = Unresolved(Reason.POLICY_NOT_FOUND, "gone")
NOTHING: dict[str, list[dict[str, Any]]] = {kind.name: [] for kind in names.CHILD_KINDS}
EVERYTHING: dict[str, list[dict[str, Any]]] = {kind.name: [{}] for kind in names.CHILD_KINDS}


@pytest.mark.parametrize(
    ("cache", "scaling", "children", "held"),
    [
        (None, None, EVERYTHING, set()),
        (factories.cache_spec(), factories.scaling_spec(), EVERYTHING, set()),
        (MISSING, None, EVERYTHING, {"ConfigMap"}),
        (None, MISSING, EVERYTHING, {"HorizontalPodAutoscaler"}),
        (MISSING, MISSING, EVERYTHING, {"ConfigMap", "HorizontalPodAutoscaler"}),
        (MISSING, MISSING, NOTHING, set()),
    ],
)
def test_what_a_missing_policy_decides_about_stays_as_it_is(
    cache: Any, scaling: Any, children: dict[str, list[dict[str, Any]]], held: set[str]
) -> None:
    """What runs goes on running; what is not there yet is made without the policy."""
    assert held == reconcile._held(Policies(cache, scaling), children)


def unsettled(seconds: float, aspect: str = "Ready", status: str = "False") -> list[dict[str, Any]]:
    """One condition since so many seconds."""
    since = (factories.NOW - timedelta(seconds=seconds)).isoformat()
    return [{"type": aspect, "status": status, "lastTransitionTime": since}]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (unsettled(0), 1.0),
        (unsettled(10), 1.0),
        (unsettled(50), 5.0),
        (unsettled(3600), 30.0),
        (unsettled(50, "ConfigurationCurrent", "Unknown"), 5.0),
        (unsettled(50) + unsettled(0, "ConfigurationCurrent"), 1.0),
        (unsettled(0, "Ready", "True"), None),
        (unsettled(0, "ScalingActive"), None),
    ],
)
def test_what_moves_is_looked_at_soon_and_what_rests_rarely(
    written: list[dict[str, Any]], wanted: float | None
) -> None:
    """A pod becomes ready for five seconds without any event telling so."""
    assert wanted == reconcile._again(written, factories.NOW)


@pytest.mark.parametrize(
    ("annotation", "wanted"),
    [
        ("", False),
        ("sha256:a", False),
        ("sha256:a@2026-05-04T11:59:59.000+00:00", True),
        ("sha256:a@2026-05-04T11:59:56.000+00:00", False),
        ("sha256:b@2026-05-04T11:59:59.000+00:00", False),
        ("sha256:a@garbage", False),
        ("sha256:a@2026-05-04T11:59:59.000", False),
    ],
)
def test_a_kubelet_is_asked_again_only_after_a_while(annotation: str, *, wanted: bool) -> None:
    """Whatever somebody wrote into the annotation."""
    assert wanted == reconcile._asked_lately(annotation, "sha256:a", factories.NOW)


def test_a_key_reads_like_kubectl() -> None:
    """It stands in every line of the log."""
    wanted = "ScanService team-a/front"
    assert wanted == str(reconcile.Key(names.SCAN_SERVICE, "team-a", "front"))


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, ()),
        ({"replicas": 2}, ()),
        ({"cachePolicyRef": {"name": "small"}}, ((names.CACHE_POLICY, "small"),)),
        (
            {"scalingPolicyRef": {"name": "steady"}, "cachePolicyRef": {"name": "small"}},
            ((names.CACHE_POLICY, "small"), (names.SCALING_POLICY, "steady")),
        ),
    ],
)
def test_a_scan_service_says_which_policies_it_refers_to(spec: dict[str, Any], wanted: tuple[Any, ...]) -> None:
    """Their status counts their users, so a change of a ScanService concerns them too."""
    assert wanted == policies.referred(factories.scan_service(**spec))
