"""The main job: a ScanService becomes pods that answer scans through their Service."""

import http.client
import json
import time

import pytest

from fleet import CHILDREN, Fleet
from kube import Kubectl


def test_scans_of_real_names_are_answered_by_pods_through_the_service(fleet: Fleet) -> None:
    """A squat is suspicious with its target named, the target itself is clean; in both ecosystems."""
    pypi = fleet.scan("PyPI", "reqeusts", "requests")
    npm = fleet.scan("npm", "lodahs", "lodash")

    assert _verdict(pypi, "reqeusts") == "suspicious"
    assert '"requests"' in _line(pypi, "reqeusts")
    assert _verdict(pypi, "requests") == "clean"
    assert _verdict(npm, "lodahs") == "suspicious"
    assert '"lodash"' in _line(npm, "lodahs")
    assert _verdict(npm, "lodash") == "clean"


def test_the_pods_count_what_was_sent(fleet: Fleet) -> None:
    """The counters of all pods together rise by the number of names, no more and no less."""
    before = sum(fleet.metric(pod, "typosentinel_scans_total") for pod in fleet.pods())
    fleet.scan("PyPI", "djnago", "flaks", "nunpy", "pandsa", "requests")
    after = sum(fleet.metric(pod, "typosentinel_scans_total") for pod in fleet.pods())

    assert after - before == 5


def test_every_condition_agrees_once_the_fleet_is_ready(fleet: Fleet) -> None:
    """Ready is True, so nothing reconciles or stalls, the policies are in use and every pod runs their settings."""
    fleet.kubectl.wait_until(
        lambda: fleet.conditions()["ScalingActive"][0] == "True", 90, lambda: f"ScalingActive: {fleet.conditions()}"
    )
    found = {kind: (status, reason) for kind, (status, reason, _) in fleet.conditions().items()}

    assert found == {
        "Ready": ("True", "Ready"),
        "Reconciling": ("False", "Settled"),
        "Stalled": ("False", "NotStalled"),
        "PolicyResolved": ("True", "PoliciesResolved"),
        "ReferencesResolved": ("True", "NoReferences"),
        "Available": ("True", "EndpointsReady"),
        "ConfigurationCurrent": ("True", "AllPodsCurrent"),
        "ScalingActive": ("True", "ValidMetricFound"),
        "Paused": ("False", "NotPaused"),
        "ScalingPaused": ("False", "NotPaused"),
        "OverrideActive": ("False", "NoOverride"),
    }


def test_the_autoscaler_shows_a_number(fleet: Fleet) -> None:
    """The CPU's use is measured, so `kubectl get hpa` shows a percentage instead of <unknown>."""

    def utilization() -> str:
        shown = fleet.kubectl.run("get", "hpa", fleet.child, "-n", fleet.namespace, "--no-headers")
        return "" if "<unknown>" in shown else shown

    shown = fleet.kubectl.wait_until(utilization, 90, "kubectl get hpa shows a percentage")

    assert "%/70%" in shown


def test_the_three_kinds_are_listed_with_useful_columns(fleet: Fleet) -> None:
    """`kubectl get typosentinel -A` is enough to see how the fleet is."""
    listed = fleet.kubectl.run("get", "typosentinel", "-n", fleet.namespace)
    (row,) = [line for line in listed.splitlines() if line.startswith("scanservice")]

    assert ["NAME", "READY", "REPLICAS", "AVAILABLE", "ENDPOINT", "AGE"] in [
        line.split() for line in listed.splitlines()
    ]
    assert row.split()[:5] == [
        f"scanservice.typosentinel.io/{fleet.name}",
        "True",
        "2",
        "2",
        f"http://{fleet.child}.{fleet.namespace}.svc:8080",
    ]


def test_every_child_is_owned_by_the_scan_service(fleet: Fleet) -> None:
    """Owner references make the garbage collector and the trees of GitOps tools work."""
    uid = fleet.kubectl.require("scanservice", fleet.name, fleet.namespace)["metadata"]["uid"]

    for kind, child in fleet.children().items():
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == ("ScanService", uid, True), kind


def test_a_second_apply_changes_no_child(fleet: Fleet) -> None:
    """What is as it should be is not written again."""
    # Other controllers write the status of some children; a window without any of that shows our own silence.
    windows = [_versions_around_an_apply(fleet) for _ in range(4)]

    assert any(before == after for before, after in windows)


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_deleted_child_is_back_within_ten_seconds(fleet: Fleet, kind: str) -> None:
    """Whatever is deleted comes back, as another object of the same name."""
    uid = fleet.kubectl.require(kind, fleet.child, fleet.namespace)["metadata"]["uid"]
    fleet.kubectl.delete(kind, fleet.child, fleet.namespace, wait=False)

    def is_back() -> bool:
        found = fleet.kubectl.get_json(kind, fleet.child, fleet.namespace)
        return found is not None and found["metadata"]["uid"] != uid

    fleet.kubectl.wait_until(is_back, 10, f"a new {kind}")
    fleet.wait_ready()


def test_a_malformed_request_is_answered_with_help(fleet: Fleet) -> None:
    """An ecosystem that does not exist: 4xx with code, message, suggestion and request id, never 500."""
    with fleet.forwarded() as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        body = json.dumps({"ecosystem": "PiPy", "name": "requests"})
        connection.request("POST", "/api/v1/scan", body, {"Content-Type": "application/json", "X-Request-ID": "e2e-1"})
        answer = connection.getresponse()
        error = json.loads(answer.read())["error"]
        connection.close()

    assert 400 <= answer.status < 500
    assert error["requestId"] == "e2e-1"
    assert "PyPI" in error["suggestion"]
    assert error["code"]
    assert error["message"]


def test_nothing_of_ours_is_ever_on_a_custom_resource(fleet: Fleet) -> None:
    """No annotation, label or finalizer; of the fields we own the status alone."""
    for kind in ("scanservice", "cachepolicy", "scalingpolicy"):
        found = fleet.kubectl.require(kind, fleet.name, fleet.namespace)
        meta = found["metadata"]
        assert ("annotations" in meta, "labels" in meta, "finalizers" in meta) == (False, False, False), kind
        ours = [
            entry for entry in meta["managedFields"] if "typosentinel" in entry["manager"] or "kopf" in entry["manager"]
        ]
        assert [(entry["subresource"], list(entry["fieldsV1"])) for entry in ours] == [("status", ["f:status"])], kind


def test_the_namespace_of_the_operator_can_be_restricted_too(release: Kubectl) -> None:
    """The operator's own pod fits the `restricted` level: the API server, asked beforehand, has no warning."""
    asked = release.attempt(
        *("label", "--dry-run=server", "--overwrite", "namespace", "typosentinel-system"),
        "pod-security.kubernetes.io/enforce=restricted",
    )

    assert (asked.code, asked.err) == (0, "")


def _versions_around_an_apply(fleet: Fleet) -> tuple[dict[str, str], dict[str, str]]:
    def versions() -> dict[str, str]:
        return {kind: child["metadata"]["resourceVersion"] for kind, child in fleet.children().items()}

    before = versions()
    fleet.apply_all()
    fleet.wait_ready()
    time.sleep(1.0)
    return before, versions()


def _line(printed: str, name: str) -> str:
    (line,) = [line for line in printed.splitlines() if line.split()[:1] == [name]]
    return line


def _verdict(printed: str, name: str) -> str:
    return _line(printed, name).split()[1]
