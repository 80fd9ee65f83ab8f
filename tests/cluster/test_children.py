"""Children on a real API server: made, mended, left alone, removed."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import factories
from children import AUTOSCALER, KINDS, Children
from kube import Kubectl, Manifest
from operator_process import IMAGE, RESYNC_SECONDS, Operator
from typosentinel_operator import names

BACK_SECONDS = 10.0
pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def children(kubectl: Kubectl, namespace: str) -> Children:
    """Those of the ScanService `front`."""
    return Children(kubectl, namespace, "front")


def fleet(where: str) -> list[Manifest]:
    """A ScanService with both policies and with quantities that the API server writes in another way."""
    metrics = [
        {"name": name, "type": "Resource", "resource": {"name": name, "averageUtilization": 50}}
        for name in ("memory", "cpu")
    ]
    behavior = {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    return [
        factories.cache_policy(namespace=where),
        factories.scaling_policy(namespace=where, minReplicas=2, maxReplicas=5, metrics=metrics, behavior=behavior),
        factories.scan_service(
            namespace=where,
            cachePolicyRef={"name": "small"},
            scalingPolicyRef={"name": "steady"},
            resources={"requests": {"cpu": "0.1"}, "limits": {"cpu": 1, "memory": "1024Mi"}},
        ),
    ]


@pytest.fixture
def scaled(children: Children) -> Children:
    """That fleet, with all its children."""
    children.kubectl.apply(*fleet(children.namespace))
    children.await_all(scaled=True)
    return children


def test_every_child_is_owned_by_its_scan_service(scaled: Children) -> None:
    """Controlled, by uid: the garbage collector and Argo CD go by it."""
    owner = scaled.kubectl.require("scanservice", "front", scaled.namespace)
    for kind, manifest in scaled.by_kind().items():
        assert manifest["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "typosentinel.io/v1alpha1",
                "kind": "ScanService",
                "name": "front",
                "uid": owner["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ], kind
        assert manifest["metadata"]["name"] == "front-scanner", kind


def test_a_scaled_deployment_starts_at_its_floor(scaled: Children) -> None:
    """Without waiting for the autoscaler's first look."""
    scaled.kubectl.wait_until(
        lambda: scaled.one("Deployment")["spec"]["replicas"] == 2, BACK_SECONDS, "two replicas are wanted"
    )


def test_the_image_is_the_one_that_the_operator_was_told(children: Children) -> None:
    """By TYPOSENTINEL_SERVER_IMAGE."""
    children.kubectl.apply(factories.scan_service(namespace=children.namespace))
    children.await_all()
    (container,) = children.one("Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE


def test_a_deleted_child_comes_back(scaled: Children) -> None:
    """Each of them, within ten seconds, as another object."""
    before = {kind: manifest["metadata"]["uid"] for kind, manifest in scaled.by_kind().items()}
    kinds = ",".join((*KINDS, AUTOSCALER))
    started = time.monotonic()
    selector = f"--selector={names.LABEL_SCAN_SERVICE}=front"
    scaled.kubectl.run("delete", kinds, selector, f"--namespace={scaled.namespace}", "--wait=false")

    def anew() -> bool:
        now = {kind: manifest["metadata"]["uid"] for kind, manifest in scaled.by_kind().items()}
        return set(now) == set(before) and all(now[kind] != uid for kind, uid in before.items())

    scaled.kubectl.wait_until(anew, BACK_SECONDS, "every child is back")
    assert time.monotonic() - started < BACK_SECONDS


def with_container(**changes: Any) -> Manifest:
    """A change of the Deployment's only container."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "server", **changes}]}}}}


def container(manifest: Manifest) -> Manifest:
    """The Deployment's container."""
    found: Manifest = manifest["spec"]["template"]["spec"]["containers"][0]
    return found


def resource_metric(name: str, utilization: int) -> Manifest:
    """A metric as an HPA has it."""
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


# sentence → (kind, change, what has to hold again)
DRIFT: dict[str, tuple[str, Manifest, Callable[[Manifest], bool]]] = {
    "another image": (
        "Deployment",
        with_container(image="other:1"),
        lambda found: bool(container(found)["image"] == IMAGE and container(found).get("livenessProbe")),
    ),
    "labels taken off": (
        "Service",
        {"metadata": {"labels": {names.LABEL_COMPONENT: None}}},
        lambda found: found["metadata"]["labels"].get(names.LABEL_COMPONENT) == "scanner",
    ),
    "another selector of pods": (
        "Service",
        {"spec": {"selector": {"app": "other"}}},
        lambda found: bool(
            found["spec"]["selector"] == {names.LABEL_NAME: names.APP_NAME, names.LABEL_SCAN_SERVICE: "front"}
        ),
    ),
    "another configuration": (
        "ConfigMap",
        {"data": {names.CONFIG_KEY: "logLevel: Debug\n"}},
        lambda found: "ServerConfiguration" in found["data"][names.CONFIG_KEY],
    ),
    "another ceiling": (
        AUTOSCALER,
        {"spec": {"maxReplicas": 50}},
        lambda found: found["spec"]["maxReplicas"] == 5,
    ),
    "a metric that somebody added": (
        AUTOSCALER,
        {"spec": {"metrics": [resource_metric(name, 50) for name in ("cpu", "memory", "ephemeral-storage")]}},
        lambda found: len(found["spec"]["metrics"]) == 2,
    ),
    "the owner taken off": (
        "ConfigMap",
        {"metadata": {"ownerReferences": None}},
        lambda found: [owner["name"] for owner in found["metadata"].get("ownerReferences", [])] == ["front"],
    ),
    "no budget": (
        "PodDisruptionBudget",
        {"spec": {"maxUnavailable": "100%"}},
        lambda found: found["spec"]["maxUnavailable"] == 1,
    ),
    "a token for scanners": (
        "ServiceAccount",
        {"automountServiceAccountToken": True},
        lambda found: found["automountServiceAccountToken"] is False,
    ),
}


def test_what_somebody_changes_is_put_right(scaled: Children) -> None:
    """Every one of these changes, each with an Event that says so."""
    for kind, change, _ in DRIFT.values():
        scaled.kubectl.patch(kind, scaled.child, scaled.namespace, change)
    for sentence, (kind, _, holds) in DRIFT.items():
        scaled.kubectl.wait_until(
            lambda kind=kind, holds=holds: holds(scaled.one(kind)),  # type: ignore[misc] # bound on purpose
            BACK_SECONDS,
            f"{sentence} is put right",
        )
    scaled.kubectl.wait_until(
        lambda: ("Normal", "ChildRepaired") in scaled.events(), BACK_SECONDS, "an Event tells of it"
    )


def test_a_child_that_lost_our_labels_is_found_by_its_name(scaled: Children) -> None:
    """Of every kind: watches see it no more, and it is no stranger's for that."""
    before = {kind: found["metadata"]["uid"] for kind, found in scaled.by_kind().items()}
    off = {"metadata": {"labels": {names.LABEL_MANAGED_BY: None, names.LABEL_SCAN_SERVICE: None}}}
    for kind in (*KINDS, AUTOSCALER):
        scaled.kubectl.patch(kind, scaled.child, scaled.namespace, off)

    def back() -> bool:
        labels = [scaled.one(kind)["metadata"].get("labels", {}) for kind in (*KINDS, AUTOSCALER)]
        return all(one.get(names.LABEL_MANAGED_BY) == names.FIELD_MANAGER for one in labels)

    scaled.kubectl.wait_until(back, BACK_SECONDS, "every child has its labels")
    assert before == {kind: found["metadata"]["uid"] for kind, found in scaled.by_kind().items()}


def test_replicas_that_somebody_changes_are_put_right(children: Children) -> None:
    """Where the number is fixed, it is ours."""
    children.kubectl.apply(factories.scan_service(namespace=children.namespace, replicas=3))
    children.await_all()
    children.kubectl.run("scale", "deployment", children.child, f"--namespace={children.namespace}", "--replicas=7")
    children.kubectl.wait_until(
        lambda: children.one("Deployment")["spec"]["replicas"] == 3, BACK_SECONDS, "three replicas again"
    )


def test_what_others_add_is_left_alone(scaled: Children) -> None:
    """A mesh's annotation and a team's label are not ours to remove."""
    added = {"metadata": {"annotations": {"mesh.example/inject": "true"}, "labels": {"team": "security"}}}
    for kind in KINDS:
        scaled.kubectl.patch(kind, scaled.child, scaled.namespace, added)
    time.sleep(RESYNC_SECONDS * 1.2)
    for kind in KINDS:
        meta = scaled.one(kind)["metadata"]
        assert (meta["annotations"]["mesh.example/inject"], meta["labels"]["team"]) == ("true", "security"), kind


def test_at_rest_nothing_is_written(scaled: Children, operator: Operator) -> None:
    """A second apply, two resyncs and a restart of the operator change no resourceVersion of anything."""
    scaled.await_observed()

    def settled() -> bool:
        conditions = scaled.one(AUTOSCALER).get("status", {}).get("conditions", [])
        return any(condition["type"] == "ScalingActive" for condition in conditions)

    scaled.kubectl.wait_until(settled, 40, "the autoscaler has spoken", every=1)

    def quiet() -> bool:
        before = scaled.versions()
        time.sleep(RESYNC_SECONDS * 1.3)
        # Namespaces of the tests before this one may still be on their way out.
        everybody = {found["metadata"]["namespace"] for found in scaled.kubectl.list_json("scanservice")}
        return everybody == {scaled.namespace} and before == scaled.versions()

    scaled.kubectl.wait_until(quiet, 60, "all others have come to rest")
    before = scaled.versions()
    scaled.kubectl.apply(*fleet(scaled.namespace))
    operator.stop()
    operator.start()
    time.sleep(RESYNC_SECONDS * 2.3)
    assert before == scaled.versions()
    ours = {what: count for what, count in operator.writes().items() if count}
    assert ours == {}


@pytest.fixture
def mirror(kubectl: Kubectl, namespace: str) -> Iterator[None]:
    """An admission policy that gives every container in the namespace another image, as mirrors of registries do."""
    change = (
        'JSONPatch{op: "replace", path: "/spec/template/spec/containers/0/image", '
        'value: "mirror.example/" + object.spec.template.spec.containers[0].image.replace("mirror.example/", "")}'
    )
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments"],
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": namespace}}
    policy = {
        "matchConstraints": {"resourceRules": [rule], "namespaceSelector": selector},
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{change}]"}}],
    }
    kubectl.apply(
        head | {"kind": "MutatingAdmissionPolicy", "spec": policy},
        head | {"kind": "MutatingAdmissionPolicyBinding", "spec": {"policyName": namespace}},
    )
    yield
    kubectl.delete("mutatingadmissionpolicybinding", namespace)
    kubectl.delete("mutatingadmissionpolicy", namespace)


@pytest.mark.usefixtures("mirror")
def test_a_field_that_admission_changes_back_is_not_written_for_ever(children: Children, operator: Operator) -> None:
    """One write shows that it is no use; the rest of the Deployment is still put right."""
    # The API server takes up an admission policy a moment after it has been made.
    time.sleep(2.0)
    children.kubectl.apply(factories.scan_service(namespace=children.namespace, replicas=1))
    children.await_all()
    assert container(children.one("Deployment"))["image"] == f"mirror.example/{IMAGE}"
    uid = children.one("Deployment")["metadata"]["uid"]
    time.sleep(2.5 * RESYNC_SECONDS)

    # Each write that admission changes leaves a line in the log.
    assert len([line for line in operator.log.read_text().splitlines() if uid in line]) == 1
    assert ("Normal", "ChildRepaired") not in children.events()

    children.kubectl.run("scale", "deployment", children.child, f"--namespace={children.namespace}", "--replicas=7")
    children.kubectl.wait_until(
        lambda: children.one("Deployment")["spec"]["replicas"] == 1, BACK_SECONDS, "the number is put right"
    )


def test_applying_the_same_objects_again_changes_nothing(children: Children) -> None:
    """As a pipeline does, every few minutes."""
    wanted = [
        factories.cache_policy(namespace=children.namespace),
        factories.scan_service(namespace=children.namespace, cachePolicyRef={"name": "small"}, replicas=0),
    ]
    children.kubectl.apply(*wanted)
    children.await_all()
    children.await_observed()
    time.sleep(3)
    before = children.versions()
    children.kubectl.apply(*wanted)
    time.sleep(3)
    assert before == children.versions()


def test_deleting_the_scan_service_leaves_nothing(scaled: Children) -> None:
    """No child, no ReplicaSet, no pod; the policies are the user's and stay."""
    scaled.kubectl.wait_until(
        lambda: scaled.kubectl.list_json("replicaset", scaled.namespace), BACK_SECONDS, "a ReplicaSet is there"
    )
    scaled.kubectl.delete("scanservice", "front", scaled.namespace)
    kinds = ",".join((*KINDS, AUTOSCALER, "replicaset", "pod", "endpointslice"))

    def left() -> list[str]:
        own = {"default", "kube-root-ca.crt"}
        found = scaled.kubectl.list_json(kinds, scaled.namespace)
        return [f"{item['kind']}/{item['metadata']['name']}" for item in found if item["metadata"]["name"] not in own]

    scaled.kubectl.wait_until(lambda: not left(), 30, lambda: f"nothing is left: {left()}")
    time.sleep(RESYNC_SECONDS)
    assert left() == []
    assert len(scaled.kubectl.list_json("cachepolicy,scalingpolicy", scaled.namespace)) == 2


def test_a_name_that_is_taken_is_a_condition_and_the_other_object_stays(children: Children) -> None:
    """Who was there first keeps the name; the ScanService goes on once it is free."""
    where = children.namespace
    foreign = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": children.child, "namespace": where, "labels": {"owner": "somebody"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "theirs"}},
            "template": {
                "metadata": {"labels": {"app": "theirs"}},
                "spec": {"containers": [{"name": "c", "image": "theirs:1"}]},
            },
        },
    }
    children.kubectl.apply(foreign)
    spec = children.one("Deployment")["spec"]
    children.kubectl.apply(factories.scan_service(namespace=where))
    for wanted in (("Ready", "False", "NameConflict"), ("Stalled", "True", "NameConflict")):
        children.kubectl.wait_for_condition("scanservice", "front", where, wanted, BACK_SECONDS)
    children.kubectl.wait_until(
        lambda: ("Warning", "NameConflict") in children.events(), BACK_SECONDS, "an Event warns of it"
    )
    found = children.one("Deployment")
    assert spec == found["spec"]
    assert found["metadata"]["labels"] == {"owner": "somebody"}
    assert "ownerReferences" not in found["metadata"]
    children.kubectl.delete("deployment", children.child, where)
    children.await_all()
    children.kubectl.wait_for_condition("scanservice", "front", where, ("Stalled", "False", "NotStalled"), BACK_SECONDS)


def test_with_an_autoscaler_of_somebodys_nobody_fights(children: Children) -> None:
    """For a number that is fixed: it is a condition, and both rest; once it is gone, the number is put right."""
    where = children.namespace
    service = factories.scan_service(namespace=where, replicas=1)
    children.kubectl.apply(service)
    children.await_all()
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": children.child}
    theirs = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "theirs", "namespace": where},
        "spec": {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 4},
    }
    children.kubectl.apply(theirs)
    # The autoscaler is looked at by Kubernetes every 15 seconds.
    wanted = ("Ready", "False", "ForeignAutoscaler")
    children.kubectl.wait_for_condition("scanservice", "front", where, wanted, BACK_SECONDS + 20)
    children.kubectl.wait_for_condition("scanservice", "front", where, ("Stalled", "True", wanted[2]), BACK_SECONDS)
    version = children.one("Deployment")["metadata"]["generation"]
    time.sleep(RESYNC_SECONDS)
    found = children.one("Deployment")
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (3, version)
    children.kubectl.delete("horizontalpodautoscaler", "theirs", where)
    children.kubectl.wait_until(
        lambda: children.one("Deployment")["spec"]["replicas"] == 1, 40, "the number is that of the spec again"
    )


def test_what_users_wrote_is_the_users(scaled: Children) -> None:
    """No annotation, label or finalizer, and no field but the status is ours or kopf's."""
    where = scaled.namespace
    scaled.await_observed()
    scaled.kubectl.wait_for_condition("cachepolicy", "small", where, ("Ready", "True", "Accepted"), BACK_SECONDS)
    for found in scaled.kubectl.list_json("scanservice,cachepolicy,scalingpolicy", where):
        meta = found["metadata"]
        assert not {"annotations", "labels", "finalizers"} & meta.keys(), meta
        others = [entry for entry in meta["managedFields"] if entry["manager"] != "kubectl"]
        assert [(entry["manager"], entry.get("subresource")) for entry in others] == [(names.FIELD_MANAGER, "status")]
        assert {key for entry in others for key in entry["fieldsV1"]} == {"f:status"}


def test_children_of_another_name_are_pruned(scaled: Children) -> None:
    """Of every kind, as an older version may have left them: ours by owner and label, and no longer wanted."""
    where = scaled.namespace
    for kind in (*KINDS, AUTOSCALER):
        left = scaled.one(kind)
        meta = {key: left["metadata"][key] for key in ("labels", "namespace", "ownerReferences")}
        kept = {key: value for key, value in left.items() if key not in {"metadata", "status"}}
        for address in ("clusterIP", "clusterIPs"):
            kept.get("spec", {}).pop(address, None)
        scaled.kubectl.apply(kept | {"metadata": meta | {"name": "front-older"}})

    def older() -> list[str]:
        found = scaled.kubectl.list_json(",".join((*KINDS, AUTOSCALER)), where)
        return [one["kind"] for one in found if one["metadata"]["name"] == "front-older"]

    scaled.kubectl.wait_until(lambda: not older(), BACK_SECONDS, lambda: f"{older()} are pruned")
    assert set(scaled.by_kind()) == {*KINDS, AUTOSCALER}
    assert ("Normal", "ChildPruned") in scaled.events()
