"""Rows about people: who change children by hand, scale them, or write what can't be realised."""

import time
from collections.abc import Sequence

from hack.faults.row import Row

import factories
from faults.crash import at_rest, is_ready
from faults.scene import PATIENCE_SECONDS, service, until
from faults.world import World
from kube import Manifest
from typosentinel_operator import names

# Of a fleet that shares a control plane with everything else on this machine.
FLEET = 50
# What a company's own rules do not let in, though it is a fine image for a ScanService.
REFUSED = "refused.example/scanner:1"
RULE = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "refused-images"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["deployments"],
                }
            ]
        },
        "validations": [
            {
                "expression": f"object.spec.template.spec.containers.all(one, one.image != '{REFUSED}')",
                "message": "an image from elsewhere",
            }
        ],
    },
}
BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "refused-images"},
    "spec": {"policyName": "refused-images", "validationActions": ["Deny"]},
}


def drift(world: World, kinds: Sequence[names.Kind] = names.CHILD_KINDS) -> Row:
    """Row 44: each child, or those of some kinds, is changed and deleted by hand."""
    row = Row("drift")
    times: list[float] = []
    policy = factories.scaling_policy(namespace="api-drift")
    with service(world, "api-drift", policy, scalingPolicyRef={"name": "steady"}):
        label = {"metadata": {"labels": {names.LABEL_COMPONENT: "other", "mine": "kept"}}}
        for kind in kinds:
            plural = f"{kind.plural}.{kind.group}".strip(".")
            world.kubectl.patch(plural, "front-scanner", "api-drift", label)
            times.append(_or_never(until(world, lambda plural=plural: _is_put_right(world, plural))))  # type: ignore[misc]
            before = world.kubectl.require(plural, "front-scanner", "api-drift")["metadata"]["uid"]
            world.kubectl.delete(plural, "front-scanner", "api-drift", wait=False)

            def back(plural: str = plural, before: str = before) -> bool:
                found = world.kubectl.get_json(plural, "front-scanner", "api-drift")
                return found is not None and str(found["metadata"]["uid"]) != before

            times.append(_or_never(until(world, back)))
    times.sort()
    row.within("p95_s", times[int(0.95 * (len(times) - 1))], 10)
    row.figures["max_s"] = round(times[-1], 1)
    return row


def replica_fight(world: World, seconds: float = 60.0) -> Row:
    """Row 45: an autoscaler, somebody's `kubectl scale`, and the operator: then nobody writes any more."""
    row = Row("replica-fight")
    policy = factories.scaling_policy(namespace="api-fight")
    with service(world, "api-fight", policy, scalingPolicyRef={"name": "steady"}):
        world.kubectl.run("scale", "deployment/front-scanner", "--replicas=4", "--namespace=api-fight")
        at_rest(world, PATIENCE_SECONDS, 20)
        row.figures["replicas"] = world.kubectl.require("deployment", "front-scanner", "api-fight")["spec"]["replicas"]
        row.wants(row.figures["replicas"] == 4, "the operator took back what is the autoscaler's to decide")
        world.proxy.calls.clear()
        time.sleep(seconds)
        row.figures["quiet_writes"] = world.writes()
        row.wants(not world.writes(), f"{world.writes()} writes in {seconds:g} s")
    return row


def way_out(world: World) -> Row:
    """Row 18: what the API server refuses is corrected by its author, and nothing else has to be done."""
    row = Row("way-out")
    _with_the_rule(world)
    with service(world, "api-way-out"):
        world.kubectl.apply(factories.scan_service(namespace="api-way-out", replicas=1, image=REFUSED))
        row.within("told_s", until(world, lambda: _is_refused(world, "front", "api-way-out")), 15)
        world.kubectl.apply(factories.scan_service(namespace="api-way-out", replicas=2))
        row.within("out_s", until(world, lambda: is_ready(world, "api-way-out")), 30)
    return row


def one_broken(world: World, fleet: int = FLEET, *, compare: bool = True) -> Row:
    """Row 46: one ScanService among many can't be realised; the others are as fast as without it, to which compare."""
    row = Row("one-broken")
    _with_the_rule(world)
    for name, spec in (("without", {}), ("with", {"image": REFUSED})):
        if not (spec or compare):
            continue
        space = f"api-{name}-broken"
        several = [factories.scan_service(f"s{n:02}", space, replicas=1) for n in range(fleet)]
        several[0]["spec"] |= spec
        world.operator.start()
        at_rest(world, PATIENCE_SECONDS)

        def others_are_ready(space: str = space) -> bool:
            found = world.kubectl.list_json("scanservices", space)
            ready = [one["metadata"]["name"] for one in found if _condition(one, "Ready") == "True"]
            return len(set(ready) - {"s00"}) == fleet - 1

        try:
            world.prepare([space], several)
            row.within(f"{name}_s", until(world, others_are_ready), 90)
            if spec:
                refused = until(world, lambda space=space: _is_refused(world, "s00", space), 15)  # type: ignore[misc]
                row.wants(refused is not None, "nothing was refused")
        finally:
            world.clear([space])
    if compare:
        row.figures["slowdown"] = round(row.figures["with_s"] / row.figures["without_s"], 2)
    return row


def _with_the_rule(world: World) -> None:
    """Have the API server refuse that image, and see that it does: it takes a moment."""
    world.kubectl.apply(RULE, BINDING)
    tried = ("create", "deployment", "tried", f"--image={REFUSED}", "--dry-run=server")
    assert until(world, lambda: world.kubectl.attempt(*tried).code != 0) is not None


def _is_refused(world: World, name: str, space: str) -> bool:
    return world.kubectl.condition("scanservice", name, space, "Ready") == ("False", "ApplyRefused")


def _is_put_right(world: World, plural: str) -> bool:
    found = world.kubectl.get_json(plural, "front-scanner", "api-drift") or {"metadata": {}}
    labels = found["metadata"].get("labels", {})
    return bool(labels.get(names.LABEL_COMPONENT) == "scanner" and labels.get("mine") == "kept")


def _or_never(seconds: float | None) -> float:
    return PATIENCE_SECONDS if seconds is None else seconds


def _condition(manifest: Manifest, aspect: str) -> str:
    conditions = manifest.get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == aspect), "")
