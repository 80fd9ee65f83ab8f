"""Rows about people: who change children by hand, scale them, or write what can't be realised."""

import time

from hack.faults.row import Row

import factories
from faults.crash import at_rest, is_ready
from faults.scene import PATIENCE_SECONDS, service, until
from faults.world import World
from kube import Manifest
from typosentinel_operator import names

# Of a fleet that shares a control plane with everything else on this machine.
FLEET = 50
# Taken for a ScanService, and refused for a Deployment: nobody has heard of such a resource.
REFUSED = {"requests": {"cpus": "2"}}


def drift(world: World) -> Row:
    """Row 44: each child is changed and deleted by hand."""
    row = Row("drift")
    times: list[float] = []
    policy = factories.scaling_policy(namespace="api-drift")
    with service(world, "api-drift", policy, scalingPolicyRef={"name": "steady"}):
        label = {"metadata": {"labels": {names.LABEL_COMPONENT: "other", "mine": "kept"}}}
        for kind in names.CHILD_KINDS:
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
    row = Row("replica fight")
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
    row = Row("way out")
    with service(world, "api-way-out"):
        world.kubectl.apply(factories.scan_service(namespace="api-way-out", replicas=1, resources=REFUSED))

        def refused() -> bool:
            return world.kubectl.condition("scanservice", "front", "api-way-out", "Ready") == ("False", "ApplyRefused")

        row.within("told_s", until(world, refused), 15)
        world.kubectl.apply(factories.scan_service(namespace="api-way-out", replicas=2, resources={}))
        row.within("out_s", until(world, lambda: is_ready(world, "api-way-out")), 30)
    return row


def one_broken(world: World) -> Row:
    """Row 46: one ScanService among many can't be realised; the others are as fast as without it."""
    row = Row("one broken")
    for name, resources in (("without", {}), ("with", REFUSED)):
        space = f"api-{name}-broken"
        fleet = [factories.scan_service(f"s{n:02}", space, replicas=1) for n in range(FLEET)]
        fleet[0]["spec"]["resources"] = resources
        world.operator.start()
        at_rest(world, PATIENCE_SECONDS)
        world.prepare([space], fleet)

        def others_are_ready(space: str = space) -> bool:
            found = world.kubectl.list_json("scanservices", space)
            ready = [one["metadata"]["name"] for one in found if _condition(one, "Ready") == "True"]
            return len(set(ready) - {"s00"}) == FLEET - 1

        row.within(f"{name}_s", until(world, others_are_ready), 90)
        world.clear([space])
    row.figures["slowdown"] = round(row.figures["with_s"] / row.figures["without_s"], 2)
    return row


def _is_put_right(world: World, plural: str) -> bool:
    found = world.kubectl.get_json(plural, "front-scanner", "api-drift") or {"metadata": {}}
    labels = found["metadata"].get("labels", {})
    return bool(labels.get(names.LABEL_COMPONENT) == "scanner" and labels.get("mine") == "kept")


def _or_never(seconds: float | None) -> float:
    return PATIENCE_SECONDS if seconds is None else seconds


def _condition(manifest: Manifest, aspect: str) -> str:
    conditions = manifest.get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == aspect), "")
