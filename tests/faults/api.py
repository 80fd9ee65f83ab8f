"""The API server in trouble, a row for each kind: it is away, slow, wrong, forgetful, or somebody writes to children.

Each row is a function of a world and says what it measured and what did not hold. Rows leave the world as they found
it: healed, and at rest.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import factories
from faults import kinds
from faults.audit import made_and_removed
from faults.calls import Call
from faults.crash import at_rest, is_ready
from faults.proxy import Exchange
from faults.world import World
from kube import Manifest
from release import ACCOUNT
from typosentinel_operator import names

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 120.0
# Of a fleet that shares a control plane with everything else on this machine.
FLEET = 50
# Between two changes by users.
CHANGE_SECONDS = 8.0
CHILDREN = (*names.CHILD_KINDS,)
# Taken for a ScanService, and refused for a Deployment: nobody has heard of such a resource.
REFUSED = {"requests": {"cpus": "2"}}


@dataclass
class Row:
    """What a fault came to.

    Attributes:
        name: of the fault.
        figures: what was measured.
        failed: what did not hold, in words.
    """

    name: str
    figures: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def within(self, figure: str, seconds: float | None, most: float) -> None:
        """Notes how long something took, None for never, and how long it may take."""
        self.figures[figure] = -1 if seconds is None else round(seconds, 1)
        if seconds is None or seconds > most:
            self.failed.append(f"{figure} is {'never' if seconds is None else round(seconds, 1)}, wanted {most:g}")

    def wants(self, fact: object, otherwise: str) -> None:
        """Notes a failure where a fact is none."""
        if not fact:
            self.failed.append(otherwise)

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        return f"{self.name}: {'; '.join(self.failed) or 'held'} ({figures})"


@contextmanager
def service(world: World, space: str, *more: Manifest, **spec: Any) -> Iterator[None]:
    """A ScanService `front` in a namespace of its own, which has come to rest; all of it is removed afterwards."""
    world.prepare([space], [*more, factories.scan_service(namespace=space, **(spec or {"replicas": 1}))])
    world.operator.start()
    try:
        assert until(world, lambda: is_ready(world, space)) is not None, f"{space} does not become ready"
        at_rest(world, PATIENCE_SECONDS)
        yield
    finally:
        world.proxy.heal()
        world.operator.start()
        world.clear([space])


def until(world: World, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float | None:
    """Seconds until something holds, None for never; an operator that ends meanwhile is started, as by a kubelet."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if not world.operator.running:
            world.operator.start(wait=False)
        if holds():
            return time.monotonic() - started
        time.sleep(POLL_SECONDS)
    return None


def scale(world: World, space: str, replicas: int) -> Callable[[], bool]:
    """Ask for so many pods; returns whether it has come about."""
    world.kubectl.apply(factories.scan_service(namespace=space, replicas=replicas))

    def done() -> bool:
        found = world.kubectl.get_json("deployment", "front-scanner", space)
        scaled: bool = found is not None and found["spec"]["replicas"] == replicas
        return scaled and is_ready(world, space)

    return done


def outage(world: World, seconds: float = 300.0) -> Row:
    """Row 9: nobody reaches the API server for five minutes, while users go on writing."""
    row = Row("outage")
    with service(world, "api-outage"):
        world.proxy.inject(kinds.reset_before)
        done = scale(world, "api-outage", 3)
        until(world, lambda: False, seconds)
        world.proxy.heal()
        row.within("converged_s", until(world, done), 60)
        row.wants(not world.operator.crashes(), f"the operator crashed: {world.operator.crashes()[:1]}")
    return row


def dead_watch(world: World) -> Row:
    """Row 12: watches stay open, and nothing comes out of them any more, not even bookmarks."""
    row = Row("dead watch")
    with service(world, "api-dead"):
        world.proxy.withhold(lambda call, _: call.verb == "watch")
        world.proxy.calls.clear()
        started = time.monotonic()
        healed = until(world, scale(world, "api-dead", 2))
        row.within("healed_s", healed, 35)

        def watches_anew() -> bool:
            return any(call.verb == "watch" and call.resource == "scanservices" for call in tuple(world.proxy.calls))

        rest = until(world, watches_anew)
        row.within("noticed_s", None if rest is None else time.monotonic() - started, 75)
    return row


def missed_event(world: World) -> Row:
    """Row 13: of one object no event arrives."""
    row = Row("missed event")
    with service(world, "api-missed"):
        world.proxy.withhold(lambda _, event: event["object"].get("metadata", {}).get("namespace") == "api-missed")
        row.within("changed_s", until(world, scale(world, "api-missed", 2)), 60)
        world.kubectl.delete("service", "front-scanner", "api-missed")
        there = until(world, lambda: world.kubectl.get_json("service", "front-scanner", "api-missed") is not None)
        row.within("deleted_s", there, 60)
    return row


def stale_lists(world: World) -> Row:
    """Row 14: after a restart the first lists are from before."""
    row = Row("stale lists")
    held: dict[str, Any] = {}

    def listed(call: Call) -> bool:
        return call.verb == "list" and call.resource != "pods"

    async def remember(exchange: Exchange) -> None:
        held[_which(exchange.call)] = answer = await exchange.forward()
        await exchange.deliver(answer)

    async def replay(exchange: Exchange) -> None:
        answer = held.get(_which(exchange.call))
        await (exchange.pass_on() if answer is None else exchange.deliver(answer))

    policies = [factories.scaling_policy(namespace="api-stale")]
    with service(world, "api-stale", *policies):
        # Before there was an autoscaler.
        world.proxy.inject(remember, listed)
        world.kubectl.patch("scanservice", "front", "api-stale", {"metadata": {"annotations": {"touched": "1"}}})
        time.sleep(2)
        world.proxy.heal()
        scaled = factories.scan_service(namespace="api-stale", scalingPolicyRef={"name": "steady"})
        world.kubectl.apply(scaled)

        def has_autoscaler() -> bool:
            return world.kubectl.get_json("hpa", "front-scanner", "api-stale") is not None

        assert until(world, has_autoscaler) is not None
        at_rest(world, PATIENCE_SECONDS)
        before = _identities(world, "api-stale")
        world.operator.kill()
        world.audit.skip()
        world.proxy.inject(replay, listed)
        world.operator.start(wait=False)
        time.sleep(8)
        world.proxy.heal()
        row.within("converged_s", until(world, lambda: is_ready(world, "api-stale")), 60)
        at_rest(world, PATIENCE_SECONDS)
        deleted = [entry for entry in world.audit.entries() if entry.verb == "delete" and entry.took_effect]
        row.figures["deleted"] = len(deleted)
        row.wants(not deleted, f"live objects were deleted: {deleted[:3]}")
        row.wants(_identities(world, "api-stale") == before, "children are other objects than before")
    return row


def broken_watches(world: World) -> Row:
    """Row 15: watches end with errors, with "too old", and after each second."""
    row = Row("broken watches")
    with service(world, "api-broken"):
        for code, reason, replicas in ((500, "InternalError", 3), (410, "Expired", 2)):
            injection = world.proxy.inject(kinds.watch_error(code, reason), lambda call: call.verb == "watch", times=3)
            world.proxy.hang_up()
            met = until(world, lambda injection=injection: injection.met)  # type: ignore[misc]
            row.wants(met is not None, f"no watch met with {code}")
            row.within(f"with_{code}_s", until(world, scale(world, "api-broken", replicas)), 60)
            world.proxy.heal()
        world.proxy.inject(kinds.cut_after(1.0), lambda call: call.verb == "watch")
        world.proxy.hang_up()
        row.within("with_cuts_s", until(world, scale(world, "api-broken", 1)), 60)
        world.proxy.heal()
        row.within("afterwards_s", until(world, scale(world, "api-broken", 2)), 30)
        row.wants(not world.operator.crashes(), f"the operator crashed: {world.operator.crashes()[:1]}")
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


def sprinkled(world: World, share: float, seconds: float) -> Row:
    """Row 42: a share of all requests fails, in every way, while users go on writing."""
    row = Row(f"{share:.0%} of requests fail")
    chance = random.Random(42)  # noqa: S311 - to be drawn again
    space = f"api-sprinkled-{share * 100:.0f}"
    faults = [
        kinds.refuse(409, "Conflict"),
        kinds.refuse(429, "TooManyRequests", retry_after=1),
        kinds.refuse(500),
        kinds.refuse(503, "ServiceUnavailable"),
        kinds.reset_before,
        kinds.reset_after,
        kinds.delay(3.0),
    ]
    with service(world, space):
        quiet = _writes_of_a_change(world, space)

        def drawn(call: Call) -> bool:
            return call.resource != "leases" and chance.random() < share / len(faults)

        injections = [world.proxy.inject(fault, drawn) for fault in faults]
        world.proxy.calls.clear()
        changes = max(1, int(seconds / CHANGE_SECONDS))
        for change in range(changes):
            scale(world, space, 2 + change % 2)
            until(world, lambda: False, CHANGE_SECONDS)
        world.proxy.heal()
        row.within("converged_s", until(world, scale(world, space, 2 + (changes - 1) % 2)), 60)
        at_rest(world, PATIENCE_SECONDS)
        met = sum(len(injection.met) for injection in injections)
        row.figures |= {"changes": changes, "met": met, "writes_ratio": round(world.writes(space) / quiet / changes, 2)}
        row.wants(met, "no request failed")
        row.wants(row.figures["writes_ratio"] <= 2, f"{row.figures['writes_ratio']} times the writes, wanted 2")
        row.wants(not world.operator.crashes(), f"the operator crashed: {world.operator.crashes()[:1]}")
    return row


def lost_answers(world: World) -> Row:
    """Row 43: each write of a creation is carried out, and the first time nobody hears of it."""
    row = Row("lost answers")
    lost: set[Call] = set()

    def first_time(call: Call) -> bool:
        new = call.writes and call.namespace == "api-lost" and call not in lost
        if new:
            lost.add(call)
        return new

    world.operator.start()
    at_rest(world, PATIENCE_SECONDS)
    world.audit.skip()
    world.proxy.inject(kinds.reset_after, first_time)
    with service(world, "api-lost"):
        made = made_and_removed(world.audit.entries(), "api-lost", f":{ACCOUNT}")
        row.figures |= {"lost": len(lost), "made": made.total()}
        row.wants(len(lost) >= len(names.CHILD_KINDS) - 1, f"only {len(lost)} answers were lost")
        row.wants(set(made.values()) == {1}, f"made more than once, or removed: {made}")
    return row


def drift(world: World) -> Row:
    """Row 44: each child is changed and deleted by hand."""
    row = Row("drift")
    times: list[float] = []
    policy = factories.scaling_policy(namespace="api-drift")
    with service(world, "api-drift", policy, scalingPolicyRef={"name": "steady"}):
        label = {"metadata": {"labels": {names.LABEL_COMPONENT: "other", "mine": "kept"}}}
        for kind in CHILDREN:
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


def rows(minutes: float) -> list[tuple[str, Callable[[World], Row]]]:
    """All rows by name; outages and sprinkled faults last so many minutes (five, in full)."""
    return [
        ("drift", drift),
        ("missed-event", missed_event),
        ("dead-watch", dead_watch),
        ("broken-watches", broken_watches),
        ("stale-lists", stale_lists),
        ("way-out", way_out),
        ("lost-answers", lost_answers),
        ("replica-fight", replica_fight),
        ("one-broken", one_broken),
        ("some-fail", lambda world: sprinkled(world, 0.05, minutes * 60)),
        ("many-fail", lambda world: sprinkled(world, 0.3, minutes * 60)),
        ("outage", lambda world: outage(world, minutes * 60)),
    ]


def tried(name: str, row: Callable[[World], Row], world: World) -> Row:
    """A row; one that can't even be tried to its end has not held."""
    try:
        return row(world)
    except AssertionError as error:
        world.proxy.heal()
        return Row(name, failed=[f"not tried to its end: {str(error)[:300]}"])


def last_line(done: list[Row]) -> str:
    """The figures as JSON."""
    found = {row.name: row.figures for row in done}
    failed = [f"{row.name}: {'; '.join(row.failed)}" for row in done if row.failed]
    return json.dumps({"faults": "api", "rows": len(done), "failed": failed, "figures": found})


def _which(call: Call) -> str:
    return f"{call.group}/{call.resource} {call.namespace}"


def _identities(world: World, space: str) -> dict[str, str]:
    plurals = ",".join(kind.plural for kind in CHILDREN)
    found = world.kubectl.list_json(plurals, space, names.MANAGED_SELECTOR)
    return {one["kind"]: one["metadata"]["uid"] for one in found}


def _is_put_right(world: World, plural: str) -> bool:
    found = world.kubectl.get_json(plural, "front-scanner", "api-drift") or {"metadata": {}}
    labels = found["metadata"].get("labels", {})
    return bool(labels.get(names.LABEL_COMPONENT) == "scanner" and labels.get("mine") == "kept")


def _or_never(seconds: float | None) -> float:
    return PATIENCE_SECONDS if seconds is None else seconds


def _writes_of_a_change(world: World, space: str) -> int:
    """Writes that one change of the number of pods takes while all is well."""
    world.proxy.calls.clear()
    for replicas in (2, 3, 1):
        assert until(world, scale(world, space, replicas)) is not None
        at_rest(world, PATIENCE_SECONDS)
    return -(-world.writes(space) // 3)


def _condition(manifest: Manifest, aspect: str) -> str:
    conditions = manifest.get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == aspect), "")
