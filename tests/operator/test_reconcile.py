"""The decisions between the four calls of a reconciliation."""

from datetime import timedelta
from typing import Any

import pytest

import factories
from typosentinel_operator import names, passes, reconcile, relations, specs
from typosentinel_operator.cachespec import REDIS_URL_REFERENCE, CachePolicySpec
from typosentinel_operator.desired import autoscaler, mounts, serverconfig, workload
from typosentinel_operator.fields import SecretKeyReference
from typosentinel_operator.interventions import Interventions, Override
from typosentinel_operator.names import Reason
from typosentinel_operator.observed import ConfigMapView, Policies, SecretView, Unresolved

MISSING = Unresolved(Reason.POLICY_NOT_FOUND, "gone")


def inputs_with(cache: Any, *children: dict[str, Any]) -> Any:
    """What the builders are given for a ScanService with such a CachePolicy."""
    service = factories.scan_service(cachePolicyRef={"name": "small"})
    service["metadata"]["uid"] = "u1"
    spec = specs.parse(specs.ScanServiceSpec, service)
    objects = {child["kind"]: child for child in children}
    return passes.inputs_of(service, spec, Policies(cache, None), "image:1", objects)


def test_without_its_policy_the_cache_stays_as_it_is() -> None:
    """What runs goes on running; a policy that is there decides, and without both the scanner's own settings do."""
    present = serverconfig.config_map(factories.inputs(cache=factories.cache_spec(maxEntries=77)))

    assert inputs_with(MISSING, present).cache.memory.max_entries == 77
    assert inputs_with(factories.cache_spec(maxEntries=5), present).cache.memory.max_entries == 5
    assert inputs_with(MISSING).cache is None


@pytest.mark.parametrize(
    "text", ["[garbage", "cache: []", "cache: {redis: 3}", "cache: {memory: {maxEntries: many}}", "cache: {disk: {}}"]
)
def test_a_config_map_that_somebody_spoilt_tells_nothing(text: str) -> None:
    """Until the policy is back the scanner's own settings hold."""
    assert inputs_with(MISSING, {"kind": "ConfigMap", "data": {"config.yaml": text}}).cache is None


WHOLE_CACHE = {
    "memory": {"maxEntries": 5, "maxBytes": "8Mi", "ttl": "90s"},
    "redis": {
        "external": {"urlSecretRef": {"name": "redis", "key": "address"}},
        "ttl": "2h",
        "timeout": "20ms",
        "maxConnections": 8,
    },
    "evidence": {"maxEntries": 7, "maxBytes": "1Mi", "ttl": "1m"},
    "staleWhileRevalidate": "30s",
    "compression": {"minBytes": 100},
    "encryption": {"keySecretRef": {"name": "cache-key", "key": "key"}},
    "preload": {"popular": 10, "names": [{"ecosystem": "PyPI", "name": "requests"}]},
}


def test_without_its_policy_the_cache_keeps_its_secrets_too() -> None:
    """Document and mounts say the same as before, byte for byte."""
    before = factories.inputs(cache=CachePolicySpec.model_validate(WHOLE_CACHE))
    document, deployment = serverconfig.config_map(before), workload.deployment(before)
    now = inputs_with(MISSING, document, deployment).cache

    assert now == before.cache
    after = factories.inputs(cache=now)
    assert (serverconfig.config_map(after), workload.deployment(after)) == (document, deployment)


def test_what_lost_its_secret_is_left_out_of_a_cache_without_policy() -> None:
    """The rest stays."""
    before = factories.inputs(cache=CachePolicySpec.model_validate(WHOLE_CACHE))
    now = inputs_with(MISSING, serverconfig.config_map(before)).cache

    assert (now.redis, now.encryption) == (None, None)
    assert now.memory == CachePolicySpec.model_validate(WHOLE_CACHE).memory


OVERRIDE = Interventions(override=Override(8, factories.NOW, "a release"))


def decided(policy: Any, asked: Interventions, scaler: dict[str, Any] | None) -> Any:
    """What the builders are given for a ScanService whose number of pods a policy decides about."""
    service = factories.scan_service(scalingPolicyRef={"name": "steady"})
    service["metadata"]["uid"] = "u1"
    objects = {} if scaler is None else {names.AUTOSCALER.name: scaler}
    spec = specs.parse(specs.ScanServiceSpec, service)
    return passes.inputs_of(service, spec, Policies(None, policy), "image:1", objects, asked)


def scaler_of(given: Any) -> dict[str, Any]:
    """The autoscaler that is made of such inputs."""
    return autoscaler.autoscaler(given, given.scaling)


def test_without_its_policy_an_override_begins_and_ends_all_the_same() -> None:
    """The autoscaler remembers what the policy said, whatever an override makes of it."""
    policy = factories.scaling_spec(minReplicas=2, maxReplicas=5, behavior={"scaleDown": {"selectPolicy": "Min"}})
    before = scaler_of(decided(policy, Interventions(), None))
    pinned = scaler_of(decided(MISSING, OVERRIDE, before))
    after = scaler_of(decided(MISSING, Interventions(ended=OVERRIDE.override), pinned))

    assert (pinned["spec"]["minReplicas"], pinned["spec"]["maxReplicas"]) == (8, 8)
    assert after == before == scaler_of(decided(MISSING, Interventions(), before))


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"minReplicas": "many"}', '{"of": "a later version"}'])
def test_an_autoscaler_that_remembers_nothing_stays_as_it_is(text: str | None) -> None:
    """One that an older version has made, or that somebody has spoilt."""
    scaler = scaler_of(decided(factories.scaling_spec(), Interventions(), None))
    scaler["metadata"]["annotations"] = {} if text is None else {names.ANNOTATION_SCALING_POLICY: text}
    given = decided(MISSING, OVERRIDE, scaler)
    assert (given.scaling, given.replicas) == (None, None)


def test_an_override_needs_no_policy_that_was_ever_there() -> None:
    """Nobody else decides about the number; without the override it is left to the policy that is to come."""
    assert decided(MISSING, OVERRIDE, None).replicas == 8
    assert decided(MISSING, Interventions(), None).replicas is None


@pytest.mark.parametrize(("trouble", "wanted"), [(MISSING, "redis"), (None, None)])
def test_a_secret_stays_mounted_until_another_can_be_used(trouble: Unresolved | None, wanted: str | None) -> None:
    """A reference to one that is not there must not cost pods the one that they have."""
    view = SecretView(REDIS_URL_REFERENCE, SecretKeyReference(name="new", key="url"), trouble)
    now = passes.Pass({}, {}, secrets=(view,))
    assert passes.secrets_kept(now) == {}
    cache = CachePolicySpec.model_validate(WHOLE_CACHE)
    now.applied.objects[names.DEPLOYMENT.name] = workload.deployment(factories.inputs(cache=cache))
    assert {reference.name for reference in passes.secrets_kept(now).values()} == ({wanted} if wanted else set())
    now.secrets = None
    assert passes.secrets_kept(now) == mounts.mounted_secrets(now.applied.objects[names.DEPLOYMENT.name])


@pytest.mark.parametrize(
    ("changes", "wanted", "first"),
    [
        # Fixed, and so in the manifest already.
        ({"replicas": 3}, 4, None),
        ({"replicas": None, "scaling": factories.scaling_spec(minReplicas=2, maxReplicas=5)}, None, 2),
        ({"replicas": None, "scaling": factories.scaling_spec(minReplicas=2, maxReplicas=5)}, 4, 4),
        ({"replicas": None, "scaling": factories.scaling_spec(minReplicas=2, maxReplicas=5)}, 9, 5),
        # The policy is not to be had: the autoscaler that it has left knows, or nobody.
        ({"replicas": None}, 4, 4),
        ({"replicas": None}, None, None),
    ],
)
def test_a_deployment_begins_with_as_many_pods_as_its_autoscaler_wanted(
    changes: dict[str, Any], wanted: int | None, first: int | None
) -> None:
    """In the very request that makes it; nothing else is made otherwise than it is kept."""
    inputs = factories.inputs(**changes)
    autoscalers = [] if wanted is None else [{"status": {"desiredReplicas": wanted}}]
    assert passes.first_replicas(inputs, autoscalers) == first
    made = workload.begun(workload.deployment(inputs), first)
    assert made["spec"].get("replicas") == (changes["replicas"] if first is None else first)
    assert workload.begun(workload.service(inputs), first) == workload.service(inputs)


@pytest.mark.parametrize(("scaling", "kept"), [(None, False), (MISSING, True)])
def test_without_its_policy_the_autoscaler_stays(scaling: Any, *, kept: bool) -> None:
    """It goes only when nobody refers to a policy any more."""
    assert kept == (names.AUTOSCALER.name in passes.kept((), Policies(None, scaling)))


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
    now = passes.Pass({}, {}, config_maps=tuple(views))
    assert passes.mounts_kept(now) == {}
    now.applied.objects[names.DEPLOYMENT.name] = workload.deployment(factories.inputs(spec=spec))
    assert passes.mounts_kept(now) == wanted


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
    assert wanted == relations.policies(factories.scan_service(**spec))
