"""Policies in real pods: a change is in effect without a restart, and a broken one takes nothing down."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from fleet import Fleet
from kube import Kubectl


def test_a_cache_policys_change_is_in_effect_in_every_pod_within_ten_seconds(
    fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    """Seen in the pods' own metrics; the pods are the same ones and none has restarted."""
    before = {pod["metadata"]["uid"] for pod in fleet.pods()}
    assert len(before) == 2, "minReplicas is 2, and Ready means that so many answer"
    started = time.monotonic()
    fleet.apply_all(max_entries=7777, ttl="3m")

    def in_effect() -> bool:
        seen = [
            tuple(
                fleet.metric(pod, f"typosentinel_cache_{name}", {"tier": "memory"})
                for name in ("max_entries", "ttl_seconds")
            )
            for pod in fleet.pods()
        ]
        return seen == [(7777.0, 180.0)] * 2

    fleet.kubectl.wait_until(in_effect, 10, "both pods run with the new policy")
    record_property("in_effect_seconds", round(time.monotonic() - started, 1))
    after = {pod["metadata"]["uid"]: _restarts(pod) for pod in fleet.pods()}

    assert after == dict.fromkeys(before, 0)
    fleet.wait_ready()


def test_the_hash_in_the_status_is_the_one_that_the_pods_report(fleet: Fleet) -> None:
    """Operator and servers mean the same document when they speak of a configuration."""
    wanted = fleet.kubectl.require("scanservice", fleet.name, fleet.namespace)["status"]["configurationHash"]

    assert [fleet.metric(pod, "typosentinel_configuration_info", {"hash": wanted}) for pod in fleet.pods()] == [
        1.0,
        1.0,
    ]


def test_a_deleted_policy_is_a_condition_and_what_ran_goes_on(fleet: Fleet) -> None:
    """The pods keep their settings and their number; when the policy comes back, so does Ready."""
    before = fleet.children()
    fleet.kubectl.delete("cachepolicy", fleet.name, fleet.namespace)
    fleet.kubectl.delete("scalingpolicy", fleet.name, fleet.namespace)
    try:
        fleet.kubectl.wait_for_condition(
            "scanservice", fleet.name, fleet.namespace, ("PolicyResolved", "False", "PolicyNotFound"), 10
        )
        during = fleet.children()

        assert during["configmap"]["data"] == before["configmap"]["data"]
        assert during["horizontalpodautoscaler"]["spec"] == before["horizontalpodautoscaler"]["spec"]
        assert during["deployment"]["spec"] == before["deployment"]["spec"]
        assert "suspicious" in fleet.scan("PyPI", "reqeusts")
    finally:
        fleet.apply_all(max_entries=7777, ttl="3m")
        fleet.wait_ready()


def test_an_image_that_cannot_be_had_leaves_the_old_pods_answering(fleet: Fleet, server_image: str) -> None:
    """Ready says why in the kubelet's words; scans go on; the good image mends it."""
    _patch(fleet, {"image": "localhost/no-such-scanner:0"})
    try:
        fleet.kubectl.wait_until(
            lambda: "Image" in fleet.conditions()["Ready"][2],
            60,
            lambda: f"Ready names the image's trouble; now {fleet.conditions()['Ready']}",
        )

        assert fleet.conditions()["Ready"][0] == "False"
        assert fleet.conditions()["Available"][0] == "True"
        assert "suspicious" in fleet.scan("PyPI", "reqeusts", image=server_image)
    finally:
        _patch(fleet, {"image": None})
        fleet.wait_ready()


def test_impossible_values_are_refused_at_admission_with_the_field(fleet: Fleet) -> None:
    """The API server itself says which field is wrong."""
    scan_service = fleet.manifests()[2]
    answer = fleet.kubectl.try_apply(scan_service | {"spec": scan_service["spec"] | {"replicas": 2}})

    assert answer.code != 0
    assert "replicas and scalingPolicyRef exclude each other" in answer.err


def test_deleting_the_scan_service_leaves_nothing(fleet: Fleet) -> None:
    """All children and pods go with it; the policies stay, they are the user's."""
    fleet.kubectl.delete("scanservice", fleet.name, fleet.namespace)
    kinds = "deployment,replicaset,pod,service,endpointslice,configmap,hpa,pdb,serviceaccount"

    def left() -> list[str]:
        own = {"kube-root-ca.crt", "default"}
        found = fleet.kubectl.list_json(kinds, fleet.namespace)
        return [f"{item['kind']}/{item['metadata']['name']}" for item in found if item["metadata"]["name"] not in own]

    fleet.kubectl.wait_until(lambda: not left(), 60, lambda: f"nothing is left; still there: {left()}")

    assert fleet.kubectl.get_json("cachepolicy", fleet.name, fleet.namespace) is not None


def _patch(fleet: Fleet, spec: dict[str, Any]) -> None:
    fleet.kubectl.patch("scanservice", fleet.name, fleet.namespace, {"spec": spec}, by="somebody")


def _restarts(pod: dict[str, Any]) -> int:
    return sum(container["restartCount"] for container in pod["status"]["containerStatuses"])


def test_the_leading_operator_can_be_killed(release: Kubectl) -> None:
    """The other one takes over, and soon there are two again."""
    system = "typosentinel-system"
    selector = "app.kubernetes.io/name=typosentinel-operator"

    def leader() -> str:
        found = release.get_json("lease", "typosentinel-operator", system)
        return found["spec"]["holderIdentity"] if found else ""

    killed = leader()
    before = {pod["metadata"]["name"] for pod in release.list_json("pod", system, selector)}
    assert killed in before
    release.run("delete", "pod", killed, "-n", system, "--grace-period=0", "--force")
    release.wait_until(lambda: leader() not in {"", killed}, 60, "another one leads")

    def are_back() -> bool:
        found = [pod for pod in release.list_json("pod", system, selector) if pod["metadata"]["name"] != killed]
        ready = [status["ready"] for pod in found for status in pod["status"].get("containerStatuses", [])]
        return ready == [True] * len(before)

    release.wait_until(are_back, 60, "there are as many operator pods as before, and all are ready")


@pytest.fixture(autouse=True)
def _the_fleet_is_whole(request: pytest.FixtureRequest) -> None:
    """Each test begins with a Ready fleet where it asks for one."""
    if "fleet" in request.fixturenames:
        fleet: Fleet = request.getfixturevalue("fleet")
        if fleet.kubectl.get_json("scanservice", fleet.name, fleet.namespace) is not None:
            fleet.wait_ready()
