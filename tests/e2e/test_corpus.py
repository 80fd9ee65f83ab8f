"""Lists of popular names out of a ConfigMap, in real pods: missing, made, changed, damaged."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from fleet import Fleet
from kube import Kubectl
from origin import bundle_files

# The kubelet looks at mounted ConfigMaps about once a minute.
KUBELET_SECONDS = 150.0


@pytest.fixture(scope="module")
def fleet(release: Kubectl, namespace: str) -> Fleet:
    """A ScanService of one pod whose lists are in a ConfigMap that is not there yet."""
    fleet = Fleet(release, namespace, "own")
    spec = {
        "ecosystems": ["RubyGems"],
        "corpus": {"source": {"configMapRef": {"name": "names"}}},
        "resources": {"requests": {"cpu": "50m"}},
    }
    meta = {"name": fleet.name, "namespace": namespace}
    release.apply({"apiVersion": "typosentinel.io/v1alpha1", "kind": "ScanService", "metadata": meta, "spec": spec})
    return fleet


def publish(fleet: Fleet, files: dict[str, bytes]) -> None:
    """Put these files into the ConfigMap, and nothing else."""
    data = {name: base64.b64encode(content).decode() for name, content in files.items()}
    meta = {"name": "names", "namespace": fleet.namespace}
    fleet.kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "binaryData": data})


def health(fleet: Fleet) -> dict[str, Any]:
    """What the only pod says of itself."""
    (pod,) = fleet.pods()
    path = f"/api/v1/namespaces/{fleet.namespace}/pods/{pod['metadata']['name']}:8080/proxy/health"
    found: dict[str, Any] = json.loads(fleet.kubectl.run("get", "--raw", path))
    return found


def wait_for_names(fleet: Fleet, wanted: int) -> float:
    """Wait until the pod compares with so many names; returns the seconds that it took."""
    started = time.monotonic()
    fleet.kubectl.wait_until(
        lambda: [entry["names"] for entry in health(fleet)["corpus"]] == [wanted],
        KUBELET_SECONDS,
        lambda: f"the pod has {wanted} names: {health(fleet)['corpus']} {health(fleet)['corpusSource']}",
        every=1.0,
    )
    return time.monotonic() - started


def test_without_its_config_map_the_pod_answers_from_the_built_in_lists(fleet: Fleet) -> None:
    """The condition names what is missing, and nothing crashes."""
    kubectl = fleet.kubectl
    kubectl.wait_for_condition(
        "scanservice", fleet.name, fleet.namespace, ("ReferencesResolved", "False", "ConfigMapNotFound"), 30
    )
    kubectl.wait_for_condition("scanservice", fleet.name, fleet.namespace, ("Available", "True", "EndpointsReady"), 60)
    found = health(fleet)

    assert found["corpusSource"]["fallback"] is True
    assert "it holds no list" in found["corpusSource"]["lastError"]
    assert found["corpus"][0]["names"] > 500
    assert 'ConfigMap "names"' in fleet.conditions()["Ready"][2]


def test_lists_are_taken_when_the_config_map_is_made_and_when_it_changes(
    fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    """In the same pod, without a restart; a name of ours is then known, and a squat of it suspicious."""
    (before,) = fleet.pods()
    publish(fleet, bundle_files(100))
    fleet.wait_ready()
    record_property("made_seconds", round(wait_for_names(fleet, 100), 1))
    publish(fleet, bundle_files(120))
    record_property("changed_seconds", round(wait_for_names(fleet, 120), 1))
    (after,) = fleet.pods()

    assert health(fleet)["status"] == "ok"
    assert health(fleet)["corpusSource"]["fallback"] is False
    assert before["metadata"]["uid"] == after["metadata"]["uid"]
    assert [status["restartCount"] for status in after["status"]["containerStatuses"]] == [0]
    assert "clean" in fleet.scan("RubyGems", "package-110")
    assert "suspicious" in fleet.scan("RubyGems", "raisl")


def test_a_damaged_config_map_is_refused_and_the_old_lists_stay(fleet: Fleet) -> None:
    """The pod stays ready and says why; scans go on."""
    publish(fleet, bundle_files(130) | {"manifest.json": bundle_files(140)["manifest.json"]})
    fleet.kubectl.wait_until(
        lambda: health(fleet)["corpusSource"]["lastError"],
        KUBELET_SECONDS,
        lambda: f"the pod refuses the lists: {health(fleet)['corpusSource']}",
        every=1.0,
    )
    found = health(fleet)
    (pod,) = fleet.pods()

    assert "manifest.json says" in found["corpusSource"]["lastError"]
    assert (found["status"], found["corpus"][0]["names"]) == ("degraded", 120)
    assert fleet.metric(pod, "typosentinel_corpus_refreshes_total", {"result": "checksum"}) >= 1
    assert "suspicious" in fleet.scan("RubyGems", "raisl")
