"""What is remembered of children between two passes."""

from typing import Any

import pytest

from typosentinel_operator import apply, drift, names
from typosentinel_operator.apply import Contested
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.names import Kind

Manifest = dict[str, Any]


class Applied(Cluster):
    """A cluster that takes every apply.

    Attributes:
        bodies: what was applied, by manager.
    """

    def __init__(self) -> None:
        self.bodies: dict[str, Manifest] = {}

    async def _apply(
        self, where: str, kind: Kind, body: Manifest, manager: str, *, missing_ok: bool = False
    ) -> Manifest | Any:
        assert (kind, missing_ok) == (names.DEPLOYMENT, False), where
        self.bodies[manager] = body
        return body


def deployment(uid: str, image: str) -> Manifest:
    """A Deployment with a field that admission may change."""
    meta = {"uid": uid, "annotations": {names.ANNOTATION_MANIFEST_HASH: "one"}}
    return {"kind": "Deployment", "metadata": meta, "spec": {"image": image}}


def test_fields_that_are_changed_back_are_remembered_of_the_last_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that have gone nobody tells; a child that is forgotten costs one write."""
    monkeypatch.setattr(apply, "_CONTESTED", 2)
    contested = Contested()
    for number in range(3):
        wanted = {"kind": "Deployment", "metadata": deployment("", "")["metadata"] | {"uid": str(number)}}
        contested.note(wanted | {"spec": {"image": "ours"}}, deployment(str(number), "mirror/ours"))
    known = [
        contested.covers(deployment("", "ours"), deployment(str(number), "mirror/ours"), ["spec.image"])
        for number in range(3)
    ]
    assert known == [False, True, True]


async def test_a_number_of_pods_that_was_read_is_handed_over_only_while_it_stands() -> None:
    """The autoscaler may have changed it since: it would be set back under load."""
    meta = {"name": "front-scanner", "namespace": "team-a"}
    fields = {"manager": names.FIELD_MANAGER, "operation": "Apply", "fieldsV1": drift.REPLICAS_FIELD}
    present = {
        "metadata": {**meta, "uid": "d", "resourceVersion": "7", "managedFields": [fields]},
        "spec": {"replicas": 3},
    }
    cluster = Applied()
    await apply._hand_over_replicas(cluster, {"metadata": meta, "spec": {}}, present)
    (body,) = cluster.bodies.values()
    assert body["spec"] == {"replicas": 3}
    assert body["metadata"] == {**meta, "uid": "d", "resourceVersion": "7"}
    await cluster.apply(names.DEPLOYMENT, {"metadata": meta}, present)
    assert cluster.bodies[names.FIELD_MANAGER]["metadata"] == {**meta, "uid": "d"}
