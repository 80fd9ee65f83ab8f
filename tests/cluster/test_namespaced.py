"""An operator that is installed for some namespaces: there it does all of its work, elsewhere it can do nothing."""

import re

import factories
from children import Children
from kube import Kubectl
from operator_process import Operator

SETTLE_SECONDS = 10.0


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
