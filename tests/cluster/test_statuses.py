"""Every status that this session's API server has held, read as Flux and Argo CD read it."""

from collections import Counter
from collections.abc import Callable

import pytest

import factories
import snapshots
from children import Children
from kstatus import CURRENT, FAILED, IN_PROGRESS, TERMINATING, kstatus
from kube import Kubectl, Manifest
from operator_process import Operator
from statuswatch import StatusWatch
from typosentinel_operator import names

SOON = 20.0


def words(states: list[Manifest], name: str, namespace: str) -> list[str]:
    """What kstatus said of one ScanService, one after another."""
    found = [
        kstatus(state)
        for state in states
        if state["kind"] == names.SCAN_SERVICE.name
        and (state["metadata"]["namespace"], state["metadata"]["name"]) == (namespace, name)
    ]
    return [word for n, word in enumerate(found) if n == 0 or found[n - 1] != word]


def test_the_watch_has_seen_a_whole_life(
    kubectl: Kubectl, namespace: str, operator: Operator, statuses: StatusWatch
) -> None:
    """From nothing to ready, changed, stalled, mended and deleted: no step is missing."""

    def condition(aspect: str, status: str, reason: str) -> None:
        kubectl.wait_for_condition("scanservice", "front", namespace, (aspect, status, reason), SOON)

    foreign = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "taken-scanner", "namespace": namespace}}
    kubectl.apply(foreign | {"spec": {"ports": [{"port": 80}]}})
    kubectl.apply(
        factories.scan_service("front", namespace, replicas=0), factories.scan_service("taken", namespace, replicas=0)
    )
    condition("Ready", "True", "Ready")
    kubectl.wait_for_condition("scanservice", "taken", namespace, ("Stalled", "True", "NameConflict"), SOON)
    kubectl.apply(factories.scan_service("front", namespace, replicas=1))
    condition("Ready", "False", "PodsNotReady")
    kubectl.apply(factories.scan_service("front", namespace, replicas=0))
    condition("Ready", "True", "Ready")
    kubectl.delete("service", "taken-scanner", namespace)
    kubectl.wait_for_condition("scanservice", "taken", namespace, ("Ready", "True", "Ready"), SOON)
    kubectl.run("delete", "scanservice", "front", f"--namespace={namespace}", "--cascade=foreground", "--wait=false")
    wanted = [IN_PROGRESS, CURRENT, IN_PROGRESS, CURRENT, TERMINATING]
    seen: list[str] = []

    def complete() -> bool:
        nonlocal seen
        seen = words(statuses.states(), "front", namespace)
        return seen == wanted

    kubectl.wait_until(complete, SOON, lambda: f"{wanted}; last seen: {seen}")
    assert words(statuses.states(), "taken", namespace) == [IN_PROGRESS, FAILED, IN_PROGRESS, CURRENT]


def test_a_rollout_that_kubernetes_has_given_up_is_stalled(
    kubectl: Kubectl, namespace: str, operator: Operator
) -> None:
    """By Kubernetes' own word, which comes after five minutes; the deadline is shortened while nobody looks."""

    def condition(aspect: str, status: str, reason: str) -> None:
        kubectl.wait_for_condition("scanservice", "front", namespace, (aspect, status, reason), SOON)

    kubectl.apply(factories.scan_service("front", namespace, replicas=1))
    condition("Ready", "False", "PodsNotReady")
    condition("Stalled", "False", "NotStalled")
    operator.stop()
    kubectl.patch("deployment", "front-scanner", namespace, {"spec": {"progressDeadlineSeconds": 1}})
    given_up = ("Progressing", "False", "ProgressDeadlineExceeded")
    kubectl.wait_for_condition("deployment", "front-scanner", namespace, given_up, SOON)
    operator.start()
    condition("Stalled", "True", "PodsNotReady")
    kubectl.apply(factories.scan_service("front", namespace, replicas=0))
    condition("Stalled", "False", "NotStalled")


@pytest.mark.last
def test_every_status_of_the_session_makes_sense(
    kubectl: Kubectl,
    namespace: str,
    operator: Operator,
    statuses: StatusWatch,
    record_property: Callable[[str, object], None],
) -> None:
    """By kstatus, by Argo CD's script and by the rules for conditions; and that there were any."""
    policies = [factories.cache_policy(namespace=namespace), factories.scaling_policy(namespace=namespace)]
    kubectl.apply(*policies, factories.scan_service("front", namespace))
    Children(kubectl, namespace, "front").await_observed()
    for kind, name in (("cachepolicy", "small"), ("scalingpolicy", "steady")):
        kubectl.wait_for_condition(kind, name, namespace, ("Ready", "True", "Accepted"), SOON)
    kinds = {kind.name for kind in names.CUSTOM_KINDS}
    counts: Counter[str] = Counter()

    def complete() -> bool:
        nonlocal counts
        counts = Counter(state["kind"] for state in statuses.states() if state["status"].get("conditions"))
        return set(counts) == kinds

    kubectl.wait_until(complete, SOON, lambda: f"statuses of {kinds}; seen: {dict(counts)}")
    for kind in sorted(kinds):
        record_property(f"statuses of {kind}", counts[kind])
    assert snapshots.of_all(statuses.states()) == []
