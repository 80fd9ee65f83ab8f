"""What a pass looks at: out of the mirror, and by name where the mirror can't know it."""

from typing import Any

import factories
from operatorparts import Objects
from typosentinel_operator import gather, names
from typosentinel_operator.names import Kind

Manifest = dict[str, Any]
SERVICE = factories.stored(factories.scan_service())


def reported(scaling: str) -> Manifest:
    """That ScanService with a status, in which so much is said of its autoscaler."""
    conditions = [{"type": "Ready", "reason": "Ready"}, {"type": "ScalingActive", "reason": scaling}]
    return SERVICE | {"status": {"conditions": conditions}}


REPORTED = reported(names.Reason.NO_SCALING_POLICY)


class Named(Objects):
    """A cluster that also answers questions after a name.

    Attributes:
        named: what stands under the name of a child, by kind.
        looked_for: kinds that were asked after.
    """

    def __init__(self, *named: Manifest) -> None:
        super().__init__()
        self.named = {manifest["kind"]: manifest for manifest in named}
        self.looked_for: list[Kind] = []

    async def get(self, kind: Kind, namespace: str | None, name: str, *, seconds: float = 1.0) -> Manifest | None:
        """One object."""
        assert (namespace, name, seconds > 0) == ("team-a", "front-scanner", True)
        self.looked_for.append(kind)
        return self.named.get(kind.name)


def child(kind: Kind) -> Manifest:
    """A child of that ScanService."""
    labels = {names.LABEL_MANAGED_BY: names.FIELD_MANAGER, names.LABEL_SCAN_SERVICE: "front"}
    meta = {"name": "front-scanner", "namespace": "team-a", "labels": labels}
    return factories.stored({"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta}, uid=kind.name)


async def test_what_another_shard_made_is_seen_before_anything_is_decided() -> None:
    """A number of pods that is to stay, a cache whose policy is missing, an autoscaler that is no longer wanted."""
    made = [child(kind) for kind in (names.DEPLOYMENT, names.CONFIG_MAP, names.AUTOSCALER)]
    found = await gather.children(Named(*made), REPORTED)
    assert [manifest for of_kind in found.values() for manifest in of_kind] == [made[1], made[0], made[2]]


async def test_nothing_is_asked_where_the_mirror_can_know() -> None:
    """Of a ScanService that is new, or whose Deployment is known."""
    new = Named()
    assert not any((await gather.children(new, SERVICE)).values())
    known = Named()
    known.mirror.see(names.DEPLOYMENT, child(names.DEPLOYMENT))
    found = await gather.children(known, REPORTED)
    assert [kind for kind, manifests in found.items() if manifests] == ["Deployment"]
    assert new.looked_for + known.looked_for == []


async def test_an_autoscaler_is_looked_for_until_it_has_been_said_that_there_is_none() -> None:
    """One that another shard has made, or that has lost our labels, would go on for ever beside a fixed number."""
    there = Named(child(names.AUTOSCALER))
    there.mirror.see(names.DEPLOYMENT, child(names.DEPLOYMENT))
    found = await gather.children(there, reported("PolicyNotFound"))
    assert [kind for kind, manifests in found.items() if manifests] == ["Deployment", "HorizontalPodAutoscaler"]
    assert there.looked_for == [names.AUTOSCALER]


async def test_a_pod_whose_stand_in_for_a_kubelet_tells_no_times_is_ready_since_it_was_made() -> None:
    """A condition may come without one."""
    pod = child(names.POD)
    pod["metadata"] |= {"creationTimestamp": "2026-05-01T00:00:00Z"}
    pod["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert gather._ready_since(pod) == "2026-05-01T00:00:00Z"
