"""Operators that share a cluster's work by label: each object has one that looks after it, and may change hands."""

from typing import Any

import factories
from children import Children
from kube import Kubectl, Manifest
from operator_process import Operator
from typosentinel_operator import names

SETTLE_SECONDS = 40.0
Shards = dict[str, Operator]


def of(team: str, manifest: Manifest) -> Manifest:
    """The object with a team's label."""
    return manifest | {"metadata": manifest["metadata"] | {"labels": {"team": team}}}


def labels(children: Children) -> set[str | None]:
    """Shards that the children name."""
    return {found["metadata"]["labels"].get(names.LABEL_SHARD) for found in children.by_kind().values()}


def policy_resolved(children: Children) -> dict[str, Any]:
    """The condition that speaks of policies."""
    conditions = children.await_observed()["status"]["conditions"]
    found: dict[str, Any] = next(one for one in conditions if one["type"] == "PolicyResolved")
    return found


def test_each_looks_after_what_its_selector_picks(shards: Shards, kubectl: Kubectl, namespace: str) -> None:
    """And after nothing else: what no selector picks nobody touches."""
    kubectl.apply(
        of("red", factories.scan_service("apple", namespace)),
        of("blue", factories.scan_service("plum", namespace)),
        factories.scan_service("stone", namespace),
    )
    for name, team in (("apple", "red"), ("plum", "blue")):
        children = Children(kubectl, namespace, name)
        children.await_all(seconds=SETTLE_SECONDS)
        assert labels(children) == {f"shard-{team}-operator"}
        # Its deletion is seen at once, not by the next look at everything.
        kubectl.delete("service", children.child, namespace)
        children.await_all(seconds=SETTLE_SECONDS)
    assert Children(kubectl, namespace, "stone").by_kind() == {}
    assert all(shard.crashes() == [] for shard in shards.values())


def test_an_object_changes_hands_with_its_label(shards: Shards, kubectl: Kubectl, namespace: str) -> None:
    """Its children stay, its pods are not replaced, and only the new one looks after it."""
    kubectl.apply(of("red", factories.scan_service("apple", namespace, replicas=2)))
    children = Children(kubectl, namespace, "apple")
    before = children.await_all(seconds=SETTLE_SECONDS)
    kubectl.run("label", "scanservice", "apple", "team=blue", "--overwrite", f"--namespace={namespace}")
    kubectl.wait_until(lambda: labels(children) == {"shard-blue-operator"}, SETTLE_SECONDS, "blue has taken it over")
    after = children.by_kind()
    for kind, found in before.items():
        assert after[kind]["metadata"]["uid"] == found["metadata"]["uid"], kind
    assert after["Deployment"]["spec"]["template"] == before["Deployment"]["spec"]["template"]
    shards["red"].stop()
    kubectl.apply(of("blue", factories.scan_service("apple", namespace, replicas=3)))
    kubectl.wait_until(
        lambda: children.one("Deployment")["spec"]["replicas"] == 3, SETTLE_SECONDS, "blue answers its author"
    )


def test_an_autoscaler_that_changed_hands_goes_when_nobody_wants_it(
    shards: Shards, kubectl: Kubectl, namespace: str
) -> None:
    """Though its policy stayed behind, and with it the label by which the new one would see it."""
    steady = factories.scaling_policy(namespace=namespace)
    scaled = factories.scan_service("apple", namespace, scalingPolicyRef={"name": "steady"})
    kubectl.apply(of("red", steady), of("red", scaled))
    children = Children(kubectl, namespace, "apple")
    children.await_all(scaled=True, seconds=SETTLE_SECONDS)
    kubectl.run("label", "scanservice", "apple", "team=blue", "--overwrite", f"--namespace={namespace}")
    found = policy_resolved(children)
    kubectl.wait_until(
        lambda: policy_resolved(children)["reason"] == "PolicyNotFound", SETTLE_SECONDS, f"blue sees no policy: {found}"
    )
    assert "HorizontalPodAutoscaler" in children.by_kind()
    kubectl.apply(of("blue", factories.scan_service("apple", namespace, replicas=1)))
    kubectl.wait_until(
        lambda: "HorizontalPodAutoscaler" not in children.by_kind(), SETTLE_SECONDS, "a fixed number has no autoscaler"
    )
    assert all(shard.crashes() == [] for shard in shards.values())


def test_a_policy_of_another_shard_is_told_to_be_out_of_reach(shards: Shards, kubectl: Kubectl, namespace: str) -> None:
    """The message names the selector; with the label it is found."""
    assert all(shard.running for shard in shards.values())
    kubectl.apply(
        of("blue", factories.cache_policy("small", namespace)),
        of("red", factories.scan_service("apple", namespace, cachePolicyRef={"name": "small"})),
    )
    children = Children(kubectl, namespace, "apple")
    found = policy_resolved(children)
    assert (found["status"], found["reason"]) == ("False", "PolicyNotFound")
    assert "with labels that this operator looks for (team=red)" in found["message"]
    kubectl.run("label", "cachepolicy", "small", "team=red", "--overwrite", f"--namespace={namespace}")
    kubectl.wait_until(
        lambda: policy_resolved(children)["status"] == "True", SETTLE_SECONDS, "the policy is found with its new label"
    )
