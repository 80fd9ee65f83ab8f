"""The operator process on a real API server: its rights, its probes, its end."""

import time

import pytest

import factories
from children import Children
from kube import Kubectl, Manifest
from operator_process import RESYNC_SECONDS, Operator
from plane import Plane
from rights import granted, needed, needed_of_leases

MANY = 8


def test_the_rendered_chart_grants_what_is_needed_and_no_more(chart: list[Manifest], kubectl: Kubectl) -> None:
    """Every test here runs with these rights, so they suffice; this one says that there are no others."""
    role = "sentinel-operator"
    (rules,) = [
        found["rules"] for found in chart if found["kind"] == "ClusterRole" and found["metadata"]["name"] == role
    ]
    assert needed() == granted(rules)
    (rules,) = [found["rules"] for found in chart if found["metadata"]["name"] == f"{role}-lease" and "rules" in found]
    assert needed_of_leases(role) == granted(rules)
    identity = "--as=system:serviceaccount:typosentinel-system:sentinel-operator"
    for verb, resource in (("get", "secrets"), ("update", "scanservices.typosentinel.io"), ("create", "pods")):
        assert kubectl.attempt("auth", "can-i", verb, resource, identity, "-A").out.strip() == "no"
    status = ("patch", "scanservices.typosentinel.io", "--subresource=status")
    assert kubectl.run("auth", "can-i", *status, identity, "-A").strip() == "yes"


def test_the_probes_answer(operator: Operator) -> None:
    """Alive, ready, and with numbers."""
    assert operator.ask("/livez") == (200, "ok\n")
    assert operator.ask("/readyz") == (200, "ok\n")
    code, text = operator.ask("/metrics")
    assert code == 200
    for metric in ("workqueue_depth", "reconciles_total", "resync_age_seconds", "build_info"):
        assert f"typosentinel_operator_{metric}" in text


def test_told_to_stop_it_ends_at_once_and_well(operator: Operator) -> None:
    """A rollout of the operator must not wait for a deadline."""
    started = time.monotonic()
    assert operator.stop() == 0
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("no_operator")
def test_killed_in_the_middle_of_its_work_it_goes_on_after_a_restart(
    kubectl: Kubectl, namespace: str, process: Operator
) -> None:
    """Level-based: what is half done is seen and finished, whoever began it."""
    names = [f"service-{n}" for n in range(MANY)]
    policy = factories.scaling_policy(namespace=namespace)
    kubectl.apply(
        policy, *(factories.scan_service(name, namespace, scalingPolicyRef={"name": "steady"}) for name in names)
    )
    process.start(wait=False)
    kubectl.wait_until(
        lambda: kubectl.list_json("serviceaccount,configmap", namespace, "typosentinel.io/scanservice"),
        20,
        "the work has begun",
        every=0.01,
    )
    process.kill()
    kinds = "serviceaccount,configmap,service,deployment,poddisruptionbudget,horizontalpodautoscaler"
    assert len(kubectl.list_json(kinds, namespace, "typosentinel.io/scanservice")) < 6 * MANY
    process.start()
    for name in names:
        children = Children(kubectl, namespace, name)
        children.await_all(scaled=True)
        children.await_observed()


@pytest.mark.usefixtures("no_operator")
def test_what_changed_while_nobody_was_there_is_caught_up_with(
    kubectl: Kubectl, namespace: str, process: Operator
) -> None:
    """A ScanService that came, a child that went, and a policy that changed."""
    children = Children(kubectl, namespace, "front")
    kubectl.apply(
        factories.cache_policy(namespace=namespace),
        factories.scan_service(namespace=namespace, cachePolicyRef={"name": "small"}),
    )
    process.start()
    children.await_all()
    process.stop()
    kubectl.delete("service", children.child, namespace)
    kubectl.apply(
        factories.cache_policy(namespace=namespace, memory={"maxEntries": 9}),
        factories.scan_service("late", namespace),
    )
    process.start()
    children.await_all()
    Children(kubectl, namespace, "late").await_all()
    kubectl.wait_until(lambda: "maxEntries: 9" in children.configuration(), 10, "the policy's change is seen")


def test_scanners_that_are_to_outlive_their_service_do(kubectl: Kubectl, namespace: str, operator: Operator) -> None:
    """`kubectl delete --cascade=orphan`: who gave them the owner that has gone would have them removed."""
    children = Children(kubectl, namespace, "front")
    kubectl.apply(factories.scan_service(namespace=namespace))
    before = children.await_all()
    kubectl.run("delete", "scanservice", "front", f"--namespace={namespace}", "--cascade=orphan")
    time.sleep(2 * RESYNC_SECONDS)
    after = children.by_kind()
    assert {kind: found["metadata"]["uid"] for kind, found in after.items()} == {
        kind: found["metadata"]["uid"] for kind, found in before.items()
    }
    assert not any("ownerReferences" in found["metadata"] for found in after.values())
    kubectl.apply(factories.scan_service(namespace=namespace))
    owner = kubectl.require("scanservice", "front", namespace)["metadata"]["uid"]
    kubectl.wait_until(
        lambda: all(
            [one["uid"] for one in found["metadata"].get("ownerReferences", [])] == [owner]
            for found in children.by_kind().values()
        ),
        20,
        "the next one of that name has adopted them",
    )


def test_an_api_server_that_goes_away_is_waited_for(
    kubectl: Kubectl, namespace: str, operator: Operator, plane: Plane
) -> None:
    """The operator stays alive, and once the API server is back it does what was asked for."""
    children = Children(kubectl, namespace, "front")
    kubectl.apply(factories.scan_service(namespace=namespace))
    children.await_all()
    plane.down()
    try:
        time.sleep(3)
        assert operator.running
        assert operator.ask("/livez")[0] == 200
    finally:
        plane.up()
    kubectl.delete("service", children.child, namespace)
    kubectl.apply(factories.scan_service("late", namespace))
    children.await_all()
    Children(kubectl, namespace, "late").await_all()
