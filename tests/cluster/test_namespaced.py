"""An operator that is installed for some namespaces: there it does all of its work, elsewhere it can do nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import factories
from children import Children
from kube import Kubectl
from operator_process import RESYNC_SECONDS, Operator
from release import rendered

SETTLE_SECONDS = 10.0
WATCH_FAILED = 4


def test_in_its_namespace_it_works_as_everywhere(narrow_operator: Operator, kubectl: Kubectl, namespace: str) -> None:
    """Watches included: a deleted child comes back sooner than the next resync."""
    children = Children(kubectl, namespace, "front")
    kubectl.apply(
        factories.cache_policy(namespace=namespace),
        factories.scaling_policy(namespace=namespace),
        factories.scan_service(
            namespace=namespace, cachePolicyRef={"name": "small"}, scalingPolicyRef={"name": "steady"}
        ),
    )
    children.await_all(scaled=True)
    kubectl.delete("service", children.child, namespace)
    children.await_all(scaled=True, seconds=SETTLE_SECONDS)

    # As a number of its own: a namespace may be called so.
    assert re.search(r"\b403\b", narrow_operator.log.read_text()) is None


def test_elsewhere_it_has_no_rights_and_does_nothing(narrow_operator: Operator, kubectl: Kubectl) -> None:
    """Its ServiceAccount can't even look there."""
    account = "--as=system:serviceaccount:typosentinel-system:narrow-operator"
    for verb, kind in (("list", "scanservices.typosentinel.io"), ("create", "deployments.apps"), ("patch", "pods")):
        answer = kubectl.attempt("auth", "can-i", verb, kind, "--namespace=default", account)
        assert (answer.code, answer.out.strip()) == (1, "no"), (verb, kind)
    assert narrow_operator.running


def test_a_namespace_that_is_deleted_does_not_keep_it_from_the_other(
    narrow: Callable[..., Operator], kubectl: Kubectl, namespace: str, programs: dict[str, Path]
) -> None:
    """Its rights there are gone with it; once both are back a new process watches it again."""
    other = f"{namespace}-other"
    kubectl.run("create", "namespace", other)
    try:
        operator = narrow("narrow", others=[other])
        kubectl.delete("namespace", other)
        kubectl.wait_until(
            lambda: "can't be looked at" in operator.log.read_text(), 3 * RESYNC_SECONDS, "it has noticed"
        )
        kubectl.apply(factories.scan_service("before", namespace))
        Children(kubectl, namespace, "before").await_all()
        # As when its watch has ended, which may take minutes.
        operator.stop()
        operator.start()
        kubectl.apply(factories.scan_service("after", namespace))
        Children(kubectl, namespace, "after").await_all()
        kubectl.run("create", "namespace", other)
        chart = rendered(programs, "narrow", "--set", f"operator.watchNamespaces={{{other}}}")
        kubectl.apply(*(manifest for manifest in chart if manifest["kind"] == "RoleBinding"))
        assert operator.await_end(3 * RESYNC_SECONDS) == WATCH_FAILED
        operator.start()
        kubectl.apply(factories.scan_service("late", other))
        Children(kubectl, other, "late").await_all()
        assert operator.crashes() == []
    finally:
        kubectl.delete("namespace", other, wait=False)
