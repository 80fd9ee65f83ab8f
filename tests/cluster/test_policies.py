"""Policies on a real API server: changed, missing, deleted, given up."""

import json
import subprocess
import time

import pytest

import factories
from children import AUTOSCALER, KINDS, Children
from kube import Kubectl, Manifest
from operator_process import RESYNC_SECONDS

SOON = 10.0
pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def children(kubectl: Kubectl, namespace: str) -> Children:
    """Those of the ScanService `front`."""
    return Children(kubectl, namespace, "front")


def both(where: str, name: str = "front") -> Manifest:
    """A ScanService that refers to both policies."""
    return factories.scan_service(name, where, cachePolicyRef={"name": "small"}, scalingPolicyRef={"name": "steady"})


def condition(children: Children, aspect: str, status: str, reason: str) -> None:
    """Wait until the ScanService has this condition."""
    wanted = (aspect, status, reason)
    children.kubectl.wait_for_condition("scanservice", children.name, children.namespace, wanted, SOON)


def test_a_change_reaches_every_service_that_refers_to_the_policy(children: Children) -> None:
    """ConfigMap and autoscaler of both, and of no third."""
    where, kubectl = children.namespace, children.kubectl
    policies = [factories.cache_policy(namespace=where), factories.scaling_policy(namespace=where)]
    kubectl.apply(*policies, both(where), both(where, "back"), factories.scan_service("alone", where))
    users = [children, Children(kubectl, where, "back")]
    alone = Children(kubectl, where, "alone")
    for user in users:
        user.await_all(scaled=True)
    alone.await_all()
    untouched = alone.one("ConfigMap")["metadata"]["resourceVersion"]
    kubectl.apply(
        factories.cache_policy(namespace=where, memory={"maxEntries": 4321, "ttl": "7m"}),
        factories.scaling_policy(namespace=where, minReplicas=3, maxReplicas=9),
    )
    for user in users:
        kubectl.wait_until(
            lambda user=user: "4321" in user.configuration() and "7m" in user.configuration(),  # type: ignore[misc]
            SOON,
            f"{user.name}'s configuration follows",
        )
        kubectl.wait_until(
            lambda user=user: user.one(AUTOSCALER)["spec"]["maxReplicas"] == 9,  # type: ignore[misc]
            SOON,
            f"{user.name}'s autoscaler follows",
        )
    assert untouched == alone.one("ConfigMap")["metadata"]["resourceVersion"]
    for kind, name in (("cachepolicy", "small"), ("scalingpolicy", "steady")):
        kubectl.wait_for_condition(kind, name, where, ("Ready", "True", "Accepted"), SOON)
        kubectl.wait_until(
            lambda kind=kind, name=name: kubectl.require(kind, name, where)["status"]["users"] == 2,  # type: ignore[misc]
            SOON,
            f"{kind} {name} counts two users",
        )


def test_a_missing_policy_is_a_condition_and_pods_run_without_it(children: Children) -> None:
    """With an Event, and everything that the policy does not decide about; made later, the policy is used."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.apply(both(where))
    children.await_all()
    condition(children, "PolicyResolved", "False", "PolicyNotFound")
    condition(children, "Ready", "False", "PolicyNotFound")
    condition(children, "Stalled", "False", "NotStalled")
    kubectl.wait_until(lambda: ("Warning", "PolicyNotFound") in children.events(), SOON, "an Event warns of it")
    assert "cache" not in children.configuration()
    kubectl.apply(factories.cache_policy(namespace=where), factories.scaling_policy(namespace=where))
    condition(children, "PolicyResolved", "True", "PoliciesResolved")
    children.await_all(scaled=True)
    assert "maxEntries: 100" in children.configuration()


def test_of_a_deleted_policy_everything_stays(children: Children) -> None:
    """ConfigMap and autoscaler are not touched; only the condition tells."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.apply(factories.cache_policy(namespace=where), factories.scaling_policy(namespace=where), both(where))
    children.await_all(scaled=True)
    condition(children, "PolicyResolved", "True", "PoliciesResolved")

    def kept() -> tuple[str, str, Manifest]:
        autoscaler = children.one(AUTOSCALER)
        return children.configuration(), autoscaler["metadata"]["uid"], autoscaler["spec"]

    before = kept()
    kubectl.delete("cachepolicy", "small", where)
    kubectl.delete("scalingpolicy", "steady", where)
    condition(children, "PolicyResolved", "False", "PolicyNotFound")
    time.sleep(RESYNC_SECONDS * 1.2)
    assert before == kept()
    kubectl.apply(factories.cache_policy(namespace=where, memory={"maxEntries": 77}))
    kubectl.wait_until(lambda: "maxEntries: 77" in children.configuration(), SOON, "the new policy is used")


def test_a_reference_that_is_given_up_prunes_the_autoscaler(children: Children) -> None:
    """And nothing else."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.apply(factories.scaling_policy(namespace=where))
    kubectl.apply(factories.scan_service(namespace=where, scalingPolicyRef={"name": "steady"}))
    before = children.await_all(scaled=True)
    kubectl.apply(factories.scan_service(namespace=where, replicas=2))
    after = children.await_all()
    for kind in KINDS:
        assert before[kind]["metadata"]["uid"] == after[kind]["metadata"]["uid"], kind
    kubectl.wait_until(lambda: children.one("Deployment")["spec"]["replicas"] == 2, SOON, "two replicas")
    condition(children, "ScalingActive", "False", "NoScalingPolicy")


def test_switching_to_a_scaling_policy_never_loses_a_pod(children: Children) -> None:
    """Three replicas stay three: a field that its only owner drops would fall back to one."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.apply(factories.scaling_policy(namespace=where, minReplicas=2, maxReplicas=5))
    kubectl.apply(factories.scan_service(namespace=where, replicas=3))
    children.await_all()
    kubectl.wait_until(lambda: children.one("Deployment")["spec"]["replicas"] == 3, SOON, "three replicas")
    watch = [*kubectl.path, "get", "deployment", children.child, f"--namespace={where}", "--watch", "-o=json"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as watching:
        try:
            time.sleep(0.5)
            kubectl.apply(factories.scan_service(namespace=where, scalingPolicyRef={"name": "steady"}))
            children.await_all(scaled=True)
            time.sleep(RESYNC_SECONDS * 1.2)
        finally:
            watching.terminate()
        text = watching.stdout.read() if watching.stdout else ""
    seen = [found["spec"]["replicas"] for found in objects(text)]
    assert len(seen) > 1
    assert set(seen) == {3}
    owners = [
        entry["manager"]
        for entry in children.one("Deployment")["metadata"]["managedFields"]
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    ]
    assert "typosentinel-operator" not in owners


def test_kubectl_scale_works_where_the_number_is_fixed(children: Children) -> None:
    """As with a Deployment."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.apply(factories.scan_service(namespace=where))
    children.await_all()
    kubectl.run("scale", "scanservice", "front", f"--namespace={where}", "--replicas=4")
    kubectl.wait_until(lambda: children.one("Deployment")["spec"]["replicas"] == 4, SOON, "four replicas")
    status = kubectl.require("scanservice", "front", where)["status"]
    assert status["endpoint"] == f"http://front-scanner.{where}.svc:8080"
    assert kubectl.require("deployment", "front-scanner", where)["spec"]["selector"]["matchLabels"] == dict(
        pair.split("=") for pair in status["selector"].split(",")
    )


def test_kubectl_scale_is_refused_where_a_policy_decides(children: Children) -> None:
    """With the sentence that an apply would get."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.apply(factories.scan_service(namespace=where, scalingPolicyRef={"name": "steady"}))
    answer = kubectl.attempt("scale", "scanservice", "front", f"--namespace={where}", "--replicas=4")
    assert answer.code == 1
    assert "replicas and scalingPolicyRef exclude each other" in answer.err


def objects(text: str) -> list[Manifest]:
    """The objects of a stream of JSON."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        manifest, at = decoder.raw_decode(text, at)
        found.append(manifest)
    return found


def test_a_missing_config_map_is_a_condition_and_pods_run_without_it(children: Children) -> None:
    """With an Event; made later it is seen at the next look, and deleted later it is a condition again."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.apply(factories.scan_service("front", where, corpus={"source": {"configMapRef": {"name": "names"}}}))
    children.await_all()
    condition(children, "ReferencesResolved", "False", "ConfigMapNotFound")
    condition(children, "Ready", "False", "ConfigMapNotFound")
    condition(children, "Stalled", "False", "NotStalled")
    kubectl.wait_until(lambda: ("Warning", "ConfigMapNotFound") in children.events(), SOON, "an Event warns of it")
    volumes = children.one("Deployment")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "names", "optional": True} in [
        {key: volume["configMap"].get(key) for key in ("name", "optional")}
        for volume in volumes
        if "configMap" in volume
    ]
    kubectl.run("create", "configmap", "names", "-n", where, "--from-literal=pypi.csv=rank,name\n1,requests")
    condition(children, "ReferencesResolved", "True", "ReferencesResolved")
    kubectl.delete("configmap", "names", where)
    condition(children, "ReferencesResolved", "False", "ConfigMapNotFound")


def test_a_config_map_without_its_key_is_a_condition(children: Children) -> None:
    """It names the key that is wanted and those that are there."""
    where, kubectl = children.namespace, children.kubectl
    kubectl.run("create", "configmap", "vouched", "-n", where, "--from-literal=allow.yaml=x")
    kubectl.apply(factories.scan_service("front", where, detection={"allowListRef": {"name": "vouched"}}))
    children.await_all()
    condition(children, "ReferencesResolved", "False", "ConfigMapKeyNotFound")
    found = kubectl.require("scanservice", "front", where)["status"]["conditions"]
    (message,) = [one["message"] for one in found if one["type"] == "ReferencesResolved"]
    assert 'ConfigMap "vouched" of spec.detection.allowListRef has no key allow-list.yaml, but allow.yaml' in message
    kubectl.patch("configmap", "vouched", where, {"data": {"allow-list.yaml": "y"}})
    condition(children, "ReferencesResolved", "True", "ReferencesResolved")
    kubectl.patch("configmap", "vouched", where, {"data": None, "binaryData": {"allow-list.yaml": "eQ=="}})
    time.sleep(RESYNC_SECONDS + 1)
    condition(children, "ReferencesResolved", "True", "ReferencesResolved")


def test_a_reference_to_what_is_not_there_leaves_pods_what_they_mount(children: Children) -> None:
    """A rollout would make pods without the list; once the new ConfigMap is there it is mounted."""
    where, kubectl = children.namespace, children.kubectl

    def mounted() -> list[str]:
        volumes = children.one("Deployment")["spec"]["template"]["spec"]["volumes"]
        return [volume["configMap"]["name"] for volume in volumes if volume["name"] == "allow-list"]

    kubectl.run("create", "configmap", "vouched", "-n", where, "--from-literal=allow-list.yaml=x")
    kubectl.apply(factories.scan_service("front", where, detection={"allowListRef": {"name": "vouched"}}))
    children.await_all()
    condition(children, "ReferencesResolved", "True", "ReferencesResolved")
    kubectl.apply(factories.scan_service("front", where, detection={"allowListRef": {"name": "other"}}))
    condition(children, "ReferencesResolved", "False", "ConfigMapNotFound")
    assert mounted() == ["vouched"]
    kubectl.run("create", "configmap", "other", "-n", where, "--from-literal=allow-list.yaml=x")
    kubectl.wait_until(lambda: mounted() == ["other"], SOON, lambda: f"the other one is mounted: {mounted()}")
