"""What a pass looks at: out of the mirror, and by name where the mirror can't know it."""

from typing import Any

import factories
from operatorparts import Objects
from typosentinel_operator import gather, names
from typosentinel_operator.names import Kind

Manifest = dict[str, Any]
SERVICE = factories.stored(factories.scan_service())
REPORTED = SERVICE | {"status": {"conditions": [{"type": "Ready"}]}}


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
