"""Rows about lists and watches: silent, cut off, out of date, or without some event."""

import time
from typing import Any

from hack.faults.row import Row

import factories
from faults import kinds
from faults.calls import Call
from faults.crash import at_rest, is_ready
from faults.proxy import Exchange
from faults.scene import PATIENCE_SECONDS, scale, service, until
from faults.world import World
from typosentinel_operator import names


def dead_watch(world: World) -> Row:
    """Row 12: watches stay open, and nothing comes out of them any more, not even bookmarks."""
    row = Row("dead-watch")
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
    row = Row("missed-event")
    with service(world, "api-missed"):
        world.proxy.withhold(lambda _, event: event["object"].get("metadata", {}).get("namespace") == "api-missed")
        row.within("changed_s", until(world, scale(world, "api-missed", 2)), 60)
        world.kubectl.delete("service", "front-scanner", "api-missed")
        there = until(world, lambda: world.kubectl.get_json("service", "front-scanner", "api-missed") is not None)
        row.within("deleted_s", there, 60)
    return row


def broken_watches(world: World) -> Row:
    """Row 15: watches end with errors, with "too old", and after each second."""
    row = Row("broken-watches")
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


def stale_lists(world: World) -> Row:
    """Row 14: after a restart the first lists are from before."""
    row = Row("stale-lists")
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


def _which(call: Call) -> str:
    return f"{call.group}/{call.resource} {call.namespace}"


def _identities(world: World, space: str) -> dict[str, str]:
    plurals = ",".join(kind.plural for kind in names.CHILD_KINDS)
    found = world.kubectl.list_json(plurals, space, names.MANAGED_SELECTOR)
    return {one["kind"]: one["metadata"]["uid"] for one in found}
