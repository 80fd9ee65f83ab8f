"""Rows about requests that fail: some of them, all of them, or only their answers."""

import random

from hack.faults.row import Row

from faults import kinds
from faults.audit import made_and_removed
from faults.calls import Call
from faults.crash import at_rest
from faults.scene import PATIENCE_SECONDS, scale, service, until
from faults.world import World
from release import ACCOUNT
from typosentinel_operator import names

# Between two changes by users.
CHANGE_SECONDS = 8.0


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


def sprinkled(world: World, name: str, share: float, seconds: float) -> Row:
    """Row 42: a share of all requests fails, in every way, while users go on writing."""
    row = Row(name)
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
    row = Row("lost-answers")
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


def _writes_of_a_change(world: World, space: str) -> int:
    """Writes that one change of the number of pods takes while all is well."""
    world.proxy.calls.clear()
    for replicas in (2, 3, 1):
        assert until(world, scale(world, space, replicas)) is not None
        at_rest(world, PATIENCE_SECONDS)
    return -(-world.writes(space) // 3)
