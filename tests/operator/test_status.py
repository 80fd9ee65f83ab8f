"""What was observed, as verdicts; the tables are in tests/sights.py."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import factories
from factories import deployment, observed, pod
from sights import (
    ALL,
    INVALID,
    JUST_NOW,
    MISSING,
    NO_KEY,
    NO_LISTS,
    OLD,
    OTHERS,
    READY,
    VOUCHED,
    WAITING,
    WRONG,
    of_list,
    was,
)
from typosentinel_operator import status
from typosentinel_operator.conditions import Verdict
from typosentinel_operator.names import Condition, Reason
from typosentinel_operator.observed import NoAnswer, Observed


def one(seen: Observed, aspect: str) -> Verdict:
    """The verdict about one aspect."""
    (found,) = [verdict for verdict in status.verdicts(seen) if verdict.type == aspect]
    return found


@pytest.mark.parametrize("sentence", READY)
def test_ready(sentence: str) -> None:
    """Ready is true when the spec is realised, and says why where it is not."""
    seen, (wanted, reason, part) = READY[sentence]
    ready = one(seen, Condition.READY)
    assert (wanted, reason) == (ready.status, ready.reason)
    assert part in ready.message


@pytest.mark.parametrize("sentence", ALL)
def test_kstatus_reads_it_right(sentence: str) -> None:
    """Exactly one of: current (Ready), in progress (Reconciling), failed (Stalled)."""
    seen = ALL[sentence]
    aspects = (Condition.READY, Condition.RECONCILING, Condition.STALLED)
    states = tuple(one(seen, aspect).status for aspect in aspects)
    assert sorted(states) == ["False", "False", "True"]


@pytest.mark.parametrize("sentence", ALL)
def test_every_aspect_is_judged_once_and_in_words(sentence: str) -> None:
    """A condition without a message helps nobody, and its reason must be one that the CRD admits."""
    verdicts = status.verdicts(ALL[sentence])
    wanted = {value for name, value in vars(Condition).items() if name.isupper()}
    assert wanted == {verdict.type for verdict in verdicts}
    assert len(wanted) == len(verdicts)
    known = {value for name, value in vars(Reason).items() if name.isupper()}
    assert all(verdict.message and verdict.reason in known for verdict in verdicts)


@pytest.mark.parametrize("sentence", OTHERS)
def test_stalled_says_what_ready_says(sentence: str) -> None:
    """Flux shows the one, kubectl the other."""
    seen = OTHERS[sentence]
    ready, stalled = one(seen, Condition.READY), one(seen, Condition.STALLED)
    assert (ready.reason, ready.message) == (stalled.reason, stalled.message)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (observed(), ("True", Reason.NO_POLICIES)),
        (observed(references=2), ("True", Reason.POLICIES_RESOLVED)),
        (observed(references=2, unresolved=(MISSING,)), ("False", Reason.POLICY_NOT_FOUND)),
        (observed(references=1, unresolved=(INVALID,)), ("False", Reason.INVALID_POLICY)),
        (observed(references=None, failure=(Reason.INVALID_SPEC, "spec.x")), ("Unknown", Reason.INVALID_SPEC)),
    ],
)
def test_policies_are_resolved_or_named(seen: Observed, wanted: tuple[str, str]) -> None:
    """A reference that leads nowhere is a condition, and what runs goes on."""
    verdict = one(seen, Condition.POLICY_RESOLVED)
    assert wanted == (verdict.status, verdict.reason)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (observed(), ("True", Reason.NO_REFERENCES)),
        (observed(config_maps=(VOUCHED,)), ("True", Reason.REFERENCES_RESOLVED)),
        (observed(config_maps=(VOUCHED, NO_LISTS)), ("False", Reason.CONFIG_MAP_NOT_FOUND)),
        (observed(config_maps=(NO_KEY,)), ("False", Reason.CONFIG_MAP_KEY_NOT_FOUND)),
        (observed(config_maps=(VOUCHED,), pods=(of_list("sha256:today", WRONG),)), ("False", Reason.LIST_REFUSED)),
        (observed(config_maps=(VOUCHED,), pods=(of_list("sha256:old", WRONG),)), ("True", Reason.REFERENCES_RESOLVED)),
        (observed(config_maps=None), ("Unknown", Reason.NOT_LOOKED_AT)),
        (observed(secrets=None), ("Unknown", Reason.NOT_LOOKED_AT)),
        (observed(secrets=None, config_maps=(NO_KEY,)), ("False", Reason.CONFIG_MAP_KEY_NOT_FOUND)),
        (
            observed(secrets=None, previous=(was(Condition.REFERENCES_RESOLVED, "False", Reason.SECRET_NOT_FOUND),)),
            ("False", Reason.SECRET_NOT_FOUND),
        ),
        (
            observed(config_maps=None, secrets=None, references=None, failure=(Reason.INVALID_SPEC, "spec.x")),
            ("Unknown", Reason.INVALID_SPEC),
        ),
    ],
)
def test_config_maps_exist_or_are_named(seen: Observed, wanted: tuple[str, str]) -> None:
    """And so is what is the matter with the list in one."""
    verdict = one(seen, Condition.REFERENCES_RESOLVED)
    assert wanted == (verdict.status, verdict.reason)


@pytest.mark.parametrize("aspect", [Condition.READY, Condition.REFERENCES_RESOLVED, Condition.CONFIGURATION_CURRENT])
@pytest.mark.parametrize("known", ["True", "False"])
def test_a_look_that_fails_is_no_news(aspect: str, known: Any) -> None:
    """What was missing may still be, and what was there may be so; pods that run as wanted say nothing of lists."""
    resolved = was(
        Condition.REFERENCES_RESOLVED,
        known,
        Reason.REFERENCES_RESOLVED if known == "True" else Reason.CONFIG_MAP_NOT_FOUND,
    )
    current = was(Condition.CONFIGURATION_CURRENT, known, Reason.CONFIGURATION_PROPAGATING)
    seen = observed(config_maps=None, secrets=None, previous=(resolved, current))
    assert one(seen, aspect).status == known


@pytest.mark.parametrize("sentence", WAITING)
def test_stalled_means_that_somebody_has_to_act(sentence: str) -> None:
    """What is there and wrong, and a rollout out of time; what is missing may come by itself."""
    seen, wanted = WAITING[sentence]
    assert one(seen, Condition.STALLED).status == str(wanted)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (observed(), ("True", Reason.ENDPOINTS_READY)),
        (observed(failure=(Reason.NAME_CONFLICT, "taken")), ("True", Reason.ENDPOINTS_READY)),
        (observed(deployment=deployment(2, readyReplicas=1)), ("True", Reason.ENDPOINTS_READY)),
        (observed(deployment=deployment(readyReplicas=0)), ("False", Reason.NO_ENDPOINTS)),
        (observed(deployment=None), ("False", Reason.NO_ENDPOINTS)),
        (observed(deployment=deployment(0)), ("False", Reason.SCALED_TO_ZERO)),
    ],
)
def test_available_means_that_scans_are_answered(seen: Observed, wanted: tuple[str, str]) -> None:
    """Whatever else is wrong: one ready pod answers."""
    verdict = one(seen, Condition.AVAILABLE)
    assert wanted == (verdict.status, verdict.reason)


@pytest.mark.parametrize(
    ("pods", "wanted"),
    [
        ((pod(),), ("True", Reason.ALL_PODS_CURRENT)),
        ((pod(), pod(None)), ("True", Reason.ALL_PODS_CURRENT)),
        ((), ("Unknown", Reason.NO_PODS)),
        ((pod(None),), ("Unknown", Reason.NO_PODS)),
        ((pod(), pod(report=NoAnswer("refused"))), ("Unknown", Reason.PODS_UNREACHABLE)),
        ((pod(), pod(digest=OLD)), ("False", Reason.CONFIGURATION_PROPAGATING)),
        ((pod(report=NoAnswer("refused")), pod(digest=OLD)), ("False", Reason.CONFIGURATION_PROPAGATING)),
    ],
)
def test_the_configuration_is_current_in_every_ready_pod(pods: tuple[Any, ...], wanted: tuple[str, str]) -> None:
    """A pod that does not answer is neither current nor stale: nobody knows."""
    verdict = one(observed(pods=pods), Condition.CONFIGURATION_CURRENT)
    assert wanted == (verdict.status, verdict.reason)


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ([{"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"}], ("True", "ValidMetricFound")),
        (
            [{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric", "message": "none"}],
            ("False", "FailedGetResourceMetric"),
        ),
        ([{"type": "AbleToScale", "status": "True"}], ("Unknown", Reason.AUTOSCALER_PENDING)),
        ([], ("Unknown", Reason.AUTOSCALER_PENDING)),
    ],
)
def test_scaling_is_active_when_the_autoscaler_says_so(
    conditions: list[dict[str, str]], wanted: tuple[str, str]
) -> None:
    """In its own words; before it has spoken nobody knows."""
    autoscaler = {"spec": {"minReplicas": 1}, "status": {"conditions": conditions}}
    verdict = one(observed(min_replicas=1, autoscaler=autoscaler), Condition.SCALING_ACTIVE)
    assert wanted == (verdict.status, verdict.reason)


def test_a_fixed_number_is_not_scaled() -> None:
    """That is no fault: Ready does not look at it."""
    verdict = one(observed(), Condition.SCALING_ACTIVE)
    assert (verdict.status, verdict.reason) == ("False", Reason.NO_SCALING_POLICY)


def test_the_fields_are_counts_selector_endpoint_and_hash() -> None:
    """What columns, the scale subresource and clients read."""
    wanted = {
        "replicas": 3,
        "readyReplicas": 2,
        "selector": "app.kubernetes.io/name=typosentinel-scanner,typosentinel.io/scanservice=front",
        "endpoint": "http://front-scanner.team-a.svc:8080",
        "configurationHash": factories.HASH,
    }
    assert wanted == status.fields(observed(deployment=deployment(3, readyReplicas=2)))


def test_what_is_not_known_is_not_a_field() -> None:
    """No Deployment counts zero pods; no document has no hash."""
    fields = status.fields(observed(deployment=None, wanted_hash=None))
    assert (fields["replicas"], fields["readyReplicas"]) == (0, 0)
    assert "configurationHash" not in fields


def test_a_verdict_depends_on_nothing_but_what_was_observed() -> None:
    """The time is observed too: it is passed in."""
    seen = observed(pods=(pod(JUST_NOW),))
    later = replace(seen, now=factories.NOW + timedelta(seconds=10))
    assert status.verdicts(seen) == status.verdicts(seen)
    assert one(later, Condition.READY).status == "True"
