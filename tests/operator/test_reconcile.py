"""The decisions between the four calls of a reconciliation."""

from datetime import timedelta
from typing import Any

import pytest

import factories
from typosentinel_operator import names, policies, reconcile, specs
from typosentinel_operator.desired import serverconfig, workload
from typosentinel_operator.names import Reason
from typosentinel_operator.observed import ConfigMapView, Policies, Unresolved

MISSING = Unresolved(Reason.POLICY_NOT_FOUND, "gone")


def inputs_with(cache: Any, config_map: dict[str, Any] | None) -> Any:
    """What the builders are given for a ScanService with such a CachePolicy."""
    service = factories.scan_service(cachePolicyRef={"name": "small"})
    service["metadata"]["uid"] = "u1"
    spec = specs.parse(specs.ScanServiceSpec, service)
    return reconcile.inputs_of(service, spec, Policies(cache, None), "image:1", config_map)


def test_without_its_policy_the_cache_stays_as_it_is() -> None:
    """What runs goes on running; a policy that is there decides, and without both the scanner's own settings do."""
    present = serverconfig.config_map(factories.inputs(cache=factories.cache_spec(maxEntries=77)))

    assert inputs_with(MISSING, present).cache.memory.max_entries == 77
    assert inputs_with(factories.cache_spec(maxEntries=5), present).cache.memory.max_entries == 5
    assert inputs_with(MISSING, None).cache is None
    assert inputs_with(MISSING, {"data": {"config.yaml": "[garbage"}}).cache is None


@pytest.mark.parametrize(("scaling", "kept"), [(None, False), (MISSING, True)])
def test_without_its_policy_the_autoscaler_stays(scaling: Any, *, kept: bool) -> None:
    """It goes only when nobody refers to a policy any more."""
    assert kept == (names.AUTOSCALER.name in reconcile._kept((), Policies(None, scaling)))


@pytest.mark.parametrize(
    ("views", "wanted"),
    [
        ([ConfigMapView(specs.ALLOW_LIST_REFERENCE, "new", MISSING)], {specs.ALLOW_LIST_REFERENCE: "vouched"}),
        ([ConfigMapView(specs.ALLOW_LIST_REFERENCE, "new", digest="sha256:a")], {}),
        ([ConfigMapView(specs.CORPUS_REFERENCE, "new", MISSING)], {}),
    ],
)
def test_a_config_map_stays_mounted_until_another_can_be_used(
    views: list[ConfigMapView], wanted: dict[str, str]
) -> None:
    """Where there was none before, the missing one is mounted: when it is made, no pod has to be made anew."""
    spec = specs.ScanServiceSpec.model_validate({"detection": {"allowListRef": {"name": "vouched"}}})
    now = reconcile.Pass({}, {}, config_maps=tuple(views))
    assert reconcile._mounts_kept(now) == {}
    now.applied.objects[names.DEPLOYMENT.name] = workload.deployment(factories.inputs(spec=spec))
    assert reconcile._mounts_kept(now) == wanted


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
