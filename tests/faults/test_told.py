"""What is said of an object while the API server fails here and there."""

import pytest

import factories
from faults import kinds
from faults.calls import Call
from faults.crash import is_ready
from faults.scene import scale, service, until
from faults.world import World
from kube import Manifest
from typosentinel_operator import names
from typosentinel_operator.names import Condition, Reason

LISTS = "apiVersion: typosentinel.io/v1alpha1\nkind: AllowList\nentries: []\n"


def reads_lists(call: Call) -> bool:
    """Whether the operator asks for the ConfigMap of a user."""
    return call.verb == "get" and call.resource == "configmaps"


def asks_for_secrets(call: Call) -> bool:
    """Whether it offers a Secret, or asks after one."""
    return call.verb == "create" and call.resource == "secrets"


def test_a_turn_is_told_though_the_answer_to_the_status_was_lost(world: World) -> None:
    """Who looks again finds it written already: nobody else would tell."""
    with service(world, "told-lost"):
        lost = world.proxy.inject(kinds.reset_after, lambda call: call.subresource == "status", times=1)
        pause = f"{names.ANNOTATION_PAUSED}=all"
        world.kubectl.run("annotate", "scanservice", "front", "-n", "told-lost", pause)

        def told() -> bool:
            events = world.kubectl.list_json("events.events.k8s.io", "told-lost")
            return any(one["reason"] == Reason.PAUSED for one in events)

        assert until(world, told, 30) is not None
        assert len(lost.met) == 1


@pytest.mark.parametrize("failing", [reads_lists, asks_for_secrets])
def test_what_others_own_can_fail_without_harm(world: World, failing: object) -> None:
    """Children follow the spec, and nothing is said that nobody knows."""
    space = f"told-{getattr(failing, '__name__', '').replace('_', '-')}"
    lists: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "vouched", "namespace": space},
        "data": {names.ALLOW_LIST_KEY: LISTS},
    }
    detection = {"allowListRef": {"name": "vouched"}}
    with service(world, space, lists, replicas=1, detection=detection):
        before = _conditions(world, space)
        assert before[Condition.REFERENCES_RESOLVED]["reason"] == Reason.REFERENCES_RESOLVED
        assert callable(failing)
        met = world.proxy.inject(kinds.refuse(500), failing)
        # An offer of a token comes ten seconds after the last one at the earliest.
        wanted = 2

        def followed() -> bool:
            found = world.kubectl.get_json("deployment", "front-scanner", space)
            return found is not None and found["spec"]["replicas"] == wanted and bool(met.met)

        world.kubectl.apply(factories.scan_service(namespace=space, replicas=wanted, detection=detection))
        assert until(world, followed, 60) is not None
        assert until(world, lambda: is_ready(world, space), 60) is not None
        after = _conditions(world, space)
        assert after[Condition.REFERENCES_RESOLVED] == before[Condition.REFERENCES_RESOLVED] | {
            "observedGeneration": after[Condition.READY]["observedGeneration"]
        }
        world.proxy.heal()
        assert until(world, scale(world, space, 1)) is not None


def _conditions(world: World, space: str) -> dict[str, Manifest]:
    found = world.kubectl.require("scanservice", "front", space)
    return {one["type"]: one for one in found["status"]["conditions"]}
