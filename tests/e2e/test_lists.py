"""Allow-list and private names out of ConfigMaps, in a real pod: missing, made, changed, wrong, without their key."""

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from fleet import Fleet
from kube import Kubectl

# The operator looks every 30 s, finds that a pod has an older list, and has its kubelet look.
CHANGE_SECONDS = 60.0
HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: "
PRIVATE = HEAD + "PrivateNames\nnames: {PyPI: [acme-billing]}\n"
Manifest = dict[str, Any]


def allow_list(*names: str) -> str:
    """An allow-list of these names."""
    entries = "".join(f"- {{ecosystem: PyPI, name: {name}, reason: our own fork}}\n" for name in names)
    return f"{HEAD}AllowList\nentries:\n{entries}"


@pytest.fixture(scope="module")
def fleet(release: Kubectl, namespace: str) -> Fleet:
    """A ScanService of one pod that refers to lists in ConfigMaps that are not there yet."""
    fleet = Fleet(release, namespace, "known")
    spec = {
        "ecosystems": ["PyPI"],
        "corpus": {"privateNamesRef": {"name": "own"}},
        "detection": {"allowListRef": {"name": "vouched"}},
        "resources": {"requests": {"cpu": "50m"}},
    }
    meta = {"name": fleet.name, "namespace": namespace}
    release.apply({"apiVersion": "typosentinel.io/v1alpha1", "kind": "ScanService", "metadata": meta, "spec": spec})
    return fleet


def publish(fleet: Fleet, name: str, key: str, text: str) -> None:
    """Make this the ConfigMap's only key."""
    meta = {"name": name, "namespace": fleet.namespace}
    fleet.kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {key: text}})


def look_now(fleet: Fleet) -> None:
    """Have the operator look at once: it would within 30 s, and a change of the object wakes it."""
    look = f"e2e/look={time.time()}"
    fleet.kubectl.run("annotate", "scanservice", fleet.name, "-n", fleet.namespace, "--overwrite", look)


def the_pod(fleet: Fleet) -> tuple[str, str, int]:
    """Name, uid and restarts of the only ready pod."""
    (pod,) = fleet.pods()
    (container,) = pod["status"]["containerStatuses"]
    return pod["metadata"]["name"], pod["metadata"]["uid"], container["restartCount"]


def told(fleet: Fleet, path: str = "health") -> Manifest:
    """What the only pod says of itself."""
    raw = f"/api/v1/namespaces/{fleet.namespace}/pods/{the_pod(fleet)[0]}:8080/proxy/{path}"
    found: Manifest = json.loads(fleet.kubectl.run("get", "--raw", raw))
    return found


def of_list(fleet: Fleet, name: str = "allowList") -> Manifest:
    """What the pod says of one of its lists."""
    lists: list[Manifest] = told(fleet)["lists"]
    (found,) = [entry for entry in lists if entry["name"] == name]
    return found


def wait_for_list(fleet: Fleet, serving: str, name: str = "allowList") -> Manifest:
    """Wait until the pod serves the list like this; its kubelet is made to look, as the operator does it."""

    def found() -> Manifest | None:
        pod, _, _ = the_pod(fleet)
        look = f"e2e/look={time.time()}"
        fleet.kubectl.run("annotate", "pod", pod, "-n", fleet.namespace, "--overwrite", look)
        seen = of_list(fleet, name)
        return seen if seen["serving"] == serving else None

    seen = fleet.kubectl.wait_until(found, CHANGE_SECONDS, lambda: f"{name} is {serving}: {told(fleet)}", every=2.0)
    assert seen is not None
    return seen


def asked(fleet: Fleet, name: str) -> Manifest:
    """The answer to a scan through the Service."""
    with fleet.forwarded() as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        body = json.dumps({"ecosystem": "PyPI", "name": name})
        connection.request("POST", "/api/v1/scan", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        found: Manifest = json.loads(answer.read())
        connection.close()
    assert answer.status == 200, found
    return found


def wait_for_verdict(fleet: Fleet, name: str, verdict: str) -> None:
    """Wait until a scan through the Service says so."""
    fleet.kubectl.wait_until(
        lambda: asked(fleet, name)["verdict"] == verdict,
        CHANGE_SECONDS,
        lambda: f"{name} is {verdict}: {told(fleet)['lists']}",
        every=1.0,
    )


def wait_for(fleet: Fleet, aspect: str, status: str, reason: str) -> str:
    """Wait for a condition; returns its message."""
    look_now(fleet)
    wanted = (aspect, status, reason)
    fleet.kubectl.wait_for_condition("scanservice", fleet.name, fleet.namespace, wanted, CHANGE_SECONDS)
    return fleet.conditions()[aspect][2]


@pytest.fixture
def vouched(fleet: Fleet) -> Fleet:
    """The fleet with both lists in use, in whatever state the test before has left it."""
    publish(fleet, "own", "private-names.yaml", PRIVATE)
    publish(fleet, "vouched", "allow-list.yaml", allow_list("reqeusts"))
    look_now(fleet)
    wait_for_verdict(fleet, "reqeusts", "clean")
    wait_for_verdict(fleet, "acme-billing", "suspicious")
    fleet.wait_ready()
    return fleet


def test_without_its_config_maps_the_pod_answers_and_says_so(fleet: Fleet) -> None:
    """The condition names field, ConfigMap and what to do; the pod is ready and complains."""
    message = wait_for(fleet, "ReferencesResolved", "False", "ConfigMapNotFound")
    wait_for(fleet, "Available", "True", "EndpointsReady")
    complaints = told(fleet, "ready")["degraded"]

    for name, field in (("vouched", "spec.detection.allowListRef"), ("own", "spec.corpus.privateNamesRef")):
        assert f'ConfigMap "{name}" of {field} does not exist' in message
    assert "create it or correct the reference" in message
    assert [line.partition(":")[0] for line in complaints] == ["allowList", "privateNames"]
    assert asked(fleet, "reqeusts")["verdict"] == "suspicious"
    assert asked(fleet, "acme-billing")["findings"] == []


def test_lists_take_effect_when_their_config_maps_are_made(
    fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    """In the same pod: an allowance with its reason in the answer, and a private name asked for in public."""
    before = the_pod(fleet)
    started = time.monotonic()
    publish(fleet, "own", "private-names.yaml", PRIVATE)
    publish(fleet, "vouched", "allow-list.yaml", allow_list("reqeusts"))
    fleet.wait_ready()
    record_property("made_seconds", round(time.monotonic() - started, 1))
    allowed, private = asked(fleet, "reqeusts"), asked(fleet, "acme-billing")

    assert (allowed["verdict"], {finding["cleared"] for finding in allowed["findings"]}) == ("clean", {True})
    assert [(a["entry"], a["reason"]) for a in allowed["allowances"]] == [("reqeusts", "our own fork")]
    assert private["verdict"] == "suspicious"
    assert [finding["technique"] for finding in private["findings"]] == ["dependency-confusion"]
    assert told(fleet)["status"] == "ok"
    assert the_pod(fleet) == before


def test_a_changed_list_takes_effect_in_the_same_pod(
    vouched: Fleet, record_property: Callable[[str, object], None]
) -> None:
    """Ready says when: the operator knows what every pod has seen."""
    before = the_pod(vouched)
    started = time.monotonic()
    publish(vouched, "vouched", "allow-list.yaml", allow_list("djnago"))
    wait_for_verdict(vouched, "djnago", "clean")
    record_property("changed_seconds", round(time.monotonic() - started, 1))
    vouched.wait_ready()

    assert asked(vouched, "reqeusts")["verdict"] == "suspicious"
    assert the_pod(vouched) == before


def test_a_wrong_list_is_a_condition_and_stops_no_pod(vouched: Fleet) -> None:
    """The pod keeps the last good list; one made meanwhile starts without, answers, and takes the mended one."""
    publish(vouched, "vouched", "allow-list.yaml", allow_list("djnago") + "- {ecosystem: PyPI, name: flaks}\n")
    message = wait_for(vouched, "ReferencesResolved", "False", "ListRefused")
    assert 'ConfigMap "vouched" of spec.detection.allowListRef is refused by 1 of 1 pods' in message
    assert "allow-list.yaml:5: entries.1: reason is missing" in message
    assert vouched.conditions()["Ready"][:2] == ("False", "ListRefused")
    assert (of_list(vouched)["serving"], asked(vouched, "reqeusts")["verdict"]) == ("earlier", "clean")

    name, uid, _ = the_pod(vouched)
    vouched.kubectl.run("delete", "pod", name, "-n", vouched.namespace, "--wait=true")
    vouched.kubectl.wait_until(
        lambda: len(vouched.pods()) == 1 and the_pod(vouched)[1] != uid, CHANGE_SECONDS, "a new pod is ready"
    )
    (pod,) = vouched.pods()
    assert the_pod(vouched)[2] == 0
    assert of_list(vouched)["serving"] == "none"
    assert asked(vouched, "reqeusts")["verdict"] == "suspicious"
    assert vouched.metric(pod, "typosentinel_knowledge_refused", {"list": "allowList"}) == 1
    assert vouched.metric(pod, "typosentinel_knowledge_refused", {"list": "privateNames"}) == 0

    publish(vouched, "vouched", "allow-list.yaml", allow_list("reqeusts"))
    look_now(vouched)
    wait_for_verdict(vouched, "reqeusts", "clean")
    vouched.wait_ready()
    assert the_pod(vouched)[2] == 0


def test_a_deleted_config_map_leaves_the_last_good_list(vouched: Fleet) -> None:
    """The pod sees that its file has gone, and goes on with what was in it."""
    before = the_pod(vouched)
    vouched.kubectl.delete("configmap", "vouched", vouched.namespace)
    vouched.kubectl.delete("configmap", "own", vouched.namespace)
    assert 'ConfigMap "vouched"' in wait_for(vouched, "ReferencesResolved", "False", "ConfigMapNotFound")
    seen = wait_for_list(vouched, "earlier")
    wait_for_list(vouched, "earlier", "privateNames")

    assert seen["lastError"].endswith("allow-list.yaml:1: No such file or directory")
    assert asked(vouched, "reqeusts")["verdict"] == "clean"
    assert asked(vouched, "acme-billing")["verdict"] == "suspicious"
    assert the_pod(vouched) == before


def test_a_config_map_without_its_key_leaves_the_last_good_list(vouched: Fleet) -> None:
    """The condition names the key that is wanted and the one that is there."""
    before = the_pod(vouched)
    publish(vouched, "vouched", "allow.yaml", allow_list("djnago"))
    message = wait_for(vouched, "ReferencesResolved", "False", "ConfigMapKeyNotFound")
    wait_for_list(vouched, "earlier")

    assert 'ConfigMap "vouched" of spec.detection.allowListRef has no key allow-list.yaml, but allow.yaml' in message
    assert asked(vouched, "reqeusts")["verdict"] == "clean"
    assert the_pod(vouched) == before


def test_a_reference_to_what_is_not_there_leaves_pods_and_lists_alone(vouched: Fleet) -> None:
    """No rollout to pods without the list; when the new ConfigMap is made, there is one."""
    before = the_pod(vouched)
    refer(vouched, "other")
    try:
        assert 'ConfigMap "other"' in wait_for(vouched, "ReferencesResolved", "False", "ConfigMapNotFound")
        assert the_pod(vouched) == before
        assert asked(vouched, "reqeusts")["verdict"] == "clean"
        publish(vouched, "other", "allow-list.yaml", allow_list("djnago"))
        look_now(vouched)
        wait_for_verdict(vouched, "djnago", "clean")
    finally:
        refer(vouched, "vouched")
    vouched.wait_ready()
    wait_for_verdict(vouched, "reqeusts", "clean")


def refer(fleet: Fleet, name: str) -> None:
    """Let the ScanService name this ConfigMap for its allow-list."""
    change = {"spec": {"detection": {"allowListRef": {"name": name}}}}
    fleet.kubectl.patch("scanservice", fleet.name, fleet.namespace, change)
