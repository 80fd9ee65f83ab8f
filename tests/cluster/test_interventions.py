"""Pauses and overrides on a real API server."""

from datetime import UTC, datetime, timedelta

import pytest

import factories
from children import AUTOSCALER, Children
from faults.audit import AuditLog
from kube import Kubectl
from operator_process import Operator
from plane import Plane
from release import ACCOUNT

SOON = 10.0
OVERRIDE_SECONDS = 12
pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def children(kubectl: Kubectl, namespace: str) -> Children:
    """Those of the ScanService `front`."""
    return Children(kubectl, namespace, "front")


def annotate(children: Children, **annotations: str | None) -> None:
    """Write annotations of ours, or take them off, as somebody does by hand."""
    ours = {f"typosentinel.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    children.kubectl.patch("scanservice", children.name, children.namespace, {"metadata": {"annotations": ours}})


def condition(children: Children, aspect: str, status: str, reason: str) -> None:
    """Wait until the ScanService has this condition."""
    wanted = (aspect, status, reason)
    children.kubectl.wait_for_condition("scanservice", children.name, children.namespace, wanted, SOON)


def replicas(children: Children) -> int:
    """Pods that are wanted."""
    found: int = children.one("Deployment")["spec"]["replicas"]
    return found


def becomes(children: Children, wanted: int, seconds: float = SOON) -> None:
    """Wait until so many pods are wanted."""
    children.kubectl.wait_until(
        lambda: replicas(children) == wanted, seconds, lambda: f"{wanted} replicas; there are {replicas(children)}"
    )


def test_while_it_is_paused_nothing_is_written(children: Children, operator: Operator, plane: Plane) -> None:
    """Neither a change of the spec nor drift nor a deleted child; afterwards all of it."""
    kubectl, where = children.kubectl, children.namespace
    kubectl.apply(factories.scan_service(namespace=where, replicas=1))
    children.await_all()
    annotate(children, paused="all")
    condition(children, "Paused", "True", "Paused")
    # Not the operator's own count: it may be busy elsewhere, in a namespace that is going.
    log = AuditLog(plane.audit_log)
    log.skip()
    kubectl.apply(factories.scan_service(namespace=where, replicas=3))
    kubectl.delete("service", children.child, where)
    condition(children, "Ready", "False", "Paused")
    message = next(
        one["message"]
        for one in kubectl.require("scanservice", "front", where)["status"]["conditions"]
        if one["type"] == "Paused"
    )
    assert "Service is to be made" in message
    assert "Deployment is to change: " in message
    assert replicas(children) == 1
    assert "Service" not in children.by_kind()
    written = {
        f"{entry.verb} {entry.resource}/{entry.subresource}"
        for entry in log.entries()
        if entry.writes and entry.namespace == where and entry.user.endswith(f":{ACCOUNT}")
    }
    assert "patch scanservices/status" in written
    assert written <= {"patch scanservices/status", "create events/"}

    annotate(children, paused=None)
    becomes(children, 3)
    children.await_all()
    condition(children, "Paused", "False", "NotPaused")
    assert {("Normal", "Paused"), ("Normal", "NotPaused")} <= set(children.events())


def test_a_direction_is_paused(children: Children) -> None:
    """Pods may come and not go, for a fixed number and for an autoscaler."""
    kubectl, where = children.kubectl, children.namespace
    kubectl.apply(factories.scan_service(namespace=where, replicas=2))
    children.await_all()
    annotate(children, paused="scale-in")
    condition(children, "ScalingPaused", "True", "ScaleInPaused")
    kubectl.apply(factories.scan_service(namespace=where, replicas=4))
    becomes(children, 4)
    kubectl.apply(factories.scan_service(namespace=where, replicas=1))
    children.await_observed()
    assert replicas(children) == 4
    annotate(children, paused=None)
    becomes(children, 1)

    kubectl.apply(
        factories.scaling_policy(namespace=where, minReplicas=2, maxReplicas=5),
        factories.scan_service(namespace=where, scalingPolicyRef={"name": "steady"}),
    )
    children.await_all(scaled=True)
    annotate(children, paused="scale-out")
    kubectl.wait_until(
        lambda: "Disabled" in str(children.one(AUTOSCALER)["spec"].get("behavior")),
        SOON,
        "the autoscaler adds no pods",
    )
    annotate(children, paused=None)
    kubectl.wait_until(
        lambda: "Disabled" not in str(children.one(AUTOSCALER)["spec"].get("behavior")),
        SOON,
        "the autoscaler may add pods",
    )


def test_an_override_holds_until_its_end(children: Children) -> None:
    """And nobody has to take anything off."""
    kubectl, where = children.kubectl, children.namespace
    kubectl.apply(factories.scan_service(namespace=where, replicas=1))
    children.await_all()
    until = (datetime.now(UTC) + timedelta(seconds=OVERRIDE_SECONDS)).isoformat(timespec="seconds")
    annotate(children, override_replicas="4", override_reason="a sale")
    condition(children, "OverrideActive", "False", "InvalidAnnotation")
    assert replicas(children) == 1
    annotate(children, override_until=until)
    condition(children, "OverrideActive", "True", "OverrideInEffect")
    becomes(children, 4)
    becomes(children, 1, OVERRIDE_SECONDS + SOON)
    condition(children, "OverrideActive", "False", "OverrideEnded")
    reasons = [reason for _, reason in children.events()]
    assert {"InvalidAnnotation", "OverrideInEffect", "OverrideEnded"} <= set(reasons)
