"""Children that can't be put right in place: an older version, a backup or somebody by hand has left them so."""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

import factories
from children import Children
from faults.standins import StandIns
from kube import Kubectl, Manifest
from operator_process import Operator
from plane import Plane
from typosentinel_operator import names, recreation

REPLICAS = 2
READY_SECONDS = 60.0
BACK_SECONDS = recreation.RECREATE_SECONDS + 30.0
SAMPLE_SECONDS = 0.25
# What the API server gives an object, and what its controllers say of it.
OF_THE_SERVER = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


@pytest.fixture(scope="module")
def pods_answer(plane: Plane, kubectl: Kubectl) -> Iterator[None]:
    """Kubelets and scanners, as far as the operator can see them."""
    server = kubectl.run("config", "view", "--minify", "-o=jsonpath={.clusters[0].cluster.server}")
    with StandIns(server, plane.pki):
        yield


@dataclass(slots=True)
class Fleet:
    """A ScanService of two pods, one of whose children is replaced while nobody looks.

    Attributes:
        children: of the ScanService.
        before: those before they were replaced, by kind.
        fewest: pods that were ready at the worst moment since.
        pods: names of the pods that there were.
    """

    children: Children
    before: dict[str, Manifest] = field(default_factory=dict)
    fewest: int = REPLICAS
    pods: frozenset[str] = frozenset()

    def ready_pods(self) -> set[str]:
        """Names of the pods that the Service leads to."""
        chosen = f"{names.LABEL_NAME}={names.APP_NAME},{names.LABEL_SCAN_SERVICE}={self.children.name}"
        return {
            pod["metadata"]["name"]
            for pod in self.children.kubectl.list_json("pod", self.children.namespace, chosen)
            if "deletionTimestamp" not in pod["metadata"]
            and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
        }

    def is_ready(self) -> bool:
        """Whether the ScanService says so."""
        where = self.children
        return where.kubectl.condition("scanservice", where.name, where.namespace, "Ready")[0] == "True"

    def replace(self, kind: str, change: Callable[[Manifest], None]) -> None:
        """Put another object in a child's place, with the same owner and labels."""
        where = self.children
        made = copy.deepcopy(where.one(kind))
        for key in OF_THE_SERVER:
            made["metadata"].pop(key, None)
        made.pop("status", None)
        change(made)
        where.kubectl.delete(kind, where.child, where.namespace)
        where.kubectl.apply(made)
        self.before[kind] = where.one(kind)

    def is_another(self, kind: str) -> bool:
        """Whether it has been made anew since."""
        found = self.children.kubectl.get_json(kind, self.children.child, self.children.namespace)
        return found is not None and found["metadata"]["uid"] != self.before[kind]["metadata"]["uid"]


def narrower(manifest: Manifest) -> None:
    """A Deployment that asks for one label more, as an older version might have."""
    manifest["spec"]["selector"]["matchLabels"]["version"] = "old"
    manifest["spec"]["template"]["metadata"]["labels"]["version"] = "old"


def other(manifest: Manifest) -> None:
    """A Deployment of pods to which our Service does not lead."""
    manifest["spec"]["selector"]["matchLabels"] = {"app": "old"}
    manifest["spec"]["template"]["metadata"]["labels"] = {"app": "old", names.LABEL_MANAGED_BY: names.FIELD_MANAGER}


def headless(manifest: Manifest) -> None:
    """A Service without an address of its own."""
    for key in ("clusterIP", "clusterIPs"):
        manifest["spec"].pop(key)
    manifest["spec"]["clusterIP"] = "None"


def immutable(manifest: Manifest) -> None:
    """A ConfigMap with another document, for ever."""
    manifest["immutable"] = True
    manifest["data"][names.CONFIG_KEY] += "# old\n"


REPLACED: dict[str, tuple[str, Callable[[Manifest], None]]] = {
    "narrower": ("Deployment", narrower),
    "other": ("Deployment", other),
    "headless": ("Service", headless),
    "immutable": ("ConfigMap", immutable),
}


@pytest.fixture(scope="module")
def fleets(pods_answer: None, kubectl: Kubectl, process: Operator) -> Iterator[dict[str, Fleet]]:
    """All of them at once, from the operator's start to their being as they should; it takes the half minute once."""
    where = "t-recreation"
    kubectl.run("create", "namespace", where)
    found = {name: Fleet(Children(kubectl, where, name)) for name in REPLACED}
    process.start()
    policy = factories.scaling_policy(namespace=where, minReplicas=REPLICAS, maxReplicas=5)
    kubectl.apply(policy, *(factories.scan_service(name, where, replicas=REPLICAS) for name in REPLACED))
    # The one whose pods must go on, with an autoscaler, which is another way to a number of pods.
    kubectl.apply(factories.scan_service("narrower", where, scalingPolicyRef={"name": "steady"}))
    for fleet in found.values():
        kubectl.wait_until(fleet.is_ready, READY_SECONDS, f"{fleet.children.name} is ready")
    process.stop()
    for name, (kind, change) in REPLACED.items():
        found[name].replace(kind, change)
    # Pods of the old Deployment serve when the operator comes.
    serving = found["narrower"]
    kubectl.wait_until(lambda: len(serving.ready_pods()) == REPLICAS, READY_SECONDS, "the old pods serve")
    serving.pods = frozenset(serving.ready_pods())
    process.start()
    deadline = time.monotonic() + BACK_SECONDS
    while not all(fleet.is_another(REPLACED[name][0]) and fleet.is_ready() for name, fleet in found.items()):
        for fleet in found.values():
            fleet.fewest = min(fleet.fewest, len(fleet.ready_pods()))
        assert time.monotonic() < deadline, {
            name: (fleet.is_another(REPLACED[name][0]), fleet.children.await_observed()["status"]["conditions"][0])
            for name, fleet in found.items()
        }
        time.sleep(SAMPLE_SECONDS)
    yield found
    kubectl.delete("namespace", where, wait=False)


@pytest.mark.parametrize("name", REPLACED)
def test_a_child_that_cannot_be_changed_is_made_anew(name: str, fleets: dict[str, Fleet]) -> None:
    """Once, and an Event says so; the ScanService is Ready again."""
    children = fleets[name].children
    reasons = [reason for _, reason in children.events()]
    assert reasons.count("ChildRecreated") == 1
    selector = {names.LABEL_NAME: names.APP_NAME, names.LABEL_SCAN_SERVICE: name}
    assert children.one("Deployment")["spec"]["selector"] == {"matchLabels": selector}
    assert children.one("Service")["spec"]["clusterIP"] != "None"
    assert not children.one("ConfigMap").get("immutable")
    assert "# old" not in children.configuration()


def test_pods_of_a_deployment_go_on_until_others_have_taken_their_place(fleets: dict[str, Fleet]) -> None:
    """The new Deployment adopts them and rolls them away as it does with any older version."""
    fleet = fleets["narrower"]
    assert fleet.fewest >= REPLICAS
    kubectl = fleet.children.kubectl
    kubectl.wait_until(
        lambda: len(fleet.ready_pods()) == REPLICAS and not fleet.ready_pods() & fleet.pods,
        READY_SECONDS,
        "all pods are of the new Deployment",
    )


def test_nothing_is_left_that_belongs_to_nobody(fleets: dict[str, Fleet], kubectl: Kubectl) -> None:
    """No ReplicaSet without its Deployment, and no pod of one that has gone."""
    where = fleets["other"].children.namespace

    def owners(kinds: str) -> set[str]:
        found = kubectl.list_json(kinds, where)
        return {owner["uid"] for one in found for owner in one["metadata"].get("ownerReferences", [{"uid": "nobody"}])}

    def uids(kind: str) -> set[str]:
        return {one["metadata"]["uid"] for one in kubectl.list_json(kind, where)}

    kubectl.wait_until(lambda: owners("replicaset") <= uids("deployment"), 30, "every ReplicaSet has its Deployment")
    kubectl.wait_until(lambda: owners("pod") <= uids("replicaset"), 30, "every pod has its ReplicaSet")


def test_a_service_of_another_type_is_put_right_in_place(operator: Operator, kubectl: Kubectl, namespace: str) -> None:
    """Types may be changed, there and back; the object stays."""
    children = Children(kubectl, namespace, "front")
    kubectl.apply(factories.scan_service(namespace=namespace))
    children.await_all()
    uid = children.one("Service")["metadata"]["uid"]
    for change in (
        {"type": "NodePort"},
        {"type": "LoadBalancer"},
        {"type": "ExternalName", "externalName": "elsewhere.example"},
        {"selector": {"app": "other"}},
    ):
        kubectl.patch("service", children.child, namespace, {"spec": change})

        def right() -> bool:
            spec = children.one("Service")["spec"]
            only = {names.LABEL_NAME: names.APP_NAME, names.LABEL_SCAN_SERVICE: "front"}
            return (spec["type"], spec["selector"]) == ("ClusterIP", only) and bool(spec.get("clusterIP"))

        kubectl.wait_until(right, 10, f"{change} is put right")
    assert children.one("Service")["metadata"]["uid"] == uid
    assert "ChildRecreated" not in [reason for _, reason in children.events()]


def test_a_young_child_is_left_for_half_a_minute_and_a_foreign_one_for_ever(
    operator: Operator, kubectl: Kubectl, namespace: str
) -> None:
    """Whoever makes it wrong again and again does not make us take the scanners away each time."""
    kubectl.apply(factories.scan_service(namespace=namespace), factories.scan_service("taken", namespace))
    mine, theirs = (Children(kubectl, namespace, name) for name in ("front", "taken"))
    mine.await_all()
    theirs.await_all()
    operator.stop()
    Fleet(mine).replace("Deployment", other)

    def foreign(manifest: Manifest) -> None:
        other(manifest)
        manifest["metadata"]["ownerReferences"][0] |= {"kind": "Other", "name": "somebody", "uid": "7"}
        manifest["metadata"]["ownerReferences"][0]["apiVersion"] = "example.com/v1"

    kept = Fleet(theirs)
    kept.replace("Deployment", foreign)
    operator.start()
    wanted = ("Ready", "False", "ChildUnchangeable")
    kubectl.wait_for_condition("scanservice", "front", namespace, wanted, 10)
    assert kubectl.condition("scanservice", "front", namespace, "Stalled") == ("False", "NotStalled")
    kubectl.wait_for_condition("scanservice", "taken", namespace, ("Stalled", "True", "NameConflict"), 10)
    made = mine.one("Deployment")["metadata"]

    def anew() -> bool:
        found = kubectl.get_json("deployment", mine.child, namespace)
        return found is not None and found["metadata"]["uid"] != made["uid"]

    kubectl.wait_until(anew, BACK_SECONDS, "the Deployment is made anew")
    assert not kept.is_another("Deployment")
    assert theirs.one("Deployment")["spec"]["selector"] == {"matchLabels": {"app": "old"}}
