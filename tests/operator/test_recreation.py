"""When a child that can't be changed is deleted, and when not."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

import factories
from typosentinel_operator import names, recreation
from typosentinel_operator.desired import workload
from typosentinel_operator.errors import ClusterError, Permanent, Refused
from typosentinel_operator.names import Reason

if TYPE_CHECKING:
    from typosentinel_operator.cluster import Cluster

Manifest = dict[str, Any]
WANTED = workload.deployment(factories.inputs())


class Server:
    """Says what would come of a new object, and notes what is deleted."""

    def __init__(self, trial: Manifest | ClusterError) -> None:
        self.trial = trial
        self.deleted: list[tuple[str, str]] = []

    async def try_out(self, kind: names.Kind, manifest: Manifest) -> Manifest:
        """What was given as the outcome."""
        assert kind == names.DEPLOYMENT
        assert manifest == WANTED
        if isinstance(self.trial, ClusterError):
            raise self.trial
        return self.trial

    async def delete(self, kind: names.Kind, manifest: Manifest, propagation: str) -> None:
        """Only noted."""
        assert kind == names.DEPLOYMENT
        self.deleted.append((manifest["metadata"]["uid"], propagation))


def present(age: float, extra: dict[str, str] | None = None, **metadata: Any) -> Manifest:
    """Our Deployment with another selector, so many seconds old."""
    made = (factories.NOW - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
    labels = {"app": "old"} | (extra or {})
    spec = WANTED["spec"] | {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    meta = WANTED["metadata"] | {"uid": "u1", "creationTimestamp": made} | metadata
    return WANTED | {"metadata": meta, "spec": spec}


async def clear(server: Server, found: Manifest) -> tuple[str, bool]:
    """The call under test."""
    return await recreation.clear_the_way(cast("Cluster", server), names.DEPLOYMENT, WANTED, found, factories.NOW)


async def test_a_deployment_whose_pods_nobody_would_own_goes_with_them() -> None:
    """Its name is free at once."""
    server = Server(WANTED)
    message, free = await clear(server, present(60))

    assert free
    assert server.deleted == [("u1", "Background")]
    assert "spec.selector" in message


async def test_a_deployment_whose_pods_the_next_one_takes_over_leaves_them() -> None:
    """The garbage collector has to let go of the ReplicaSets first."""
    server = Server(WANTED)
    message, free = await clear(server, present(60, WANTED["spec"]["selector"]["matchLabels"]))

    assert not free
    assert server.deleted == [("u1", "Orphan")]
    assert "its pods go on" in message


@pytest.mark.parametrize(
    ("trial", "age", "reason", "words"),
    [
        (WANTED, recreation.RECREATE_SECONDS - 1, Reason.CHILD_UNCHANGEABLE, "30 s old"),
        (Refused("exceeded quota", status=403), 60, Reason.APPLY_REFUSED, "exceeded quota"),
        (present(0), 60, Reason.APPLY_REFUSED, "admission"),
    ],
    ids=["too young", "a new one is refused", "a new one is no better"],
)
async def test_it_stays_where_that_would_be_no_use(
    trial: Manifest | ClusterError, age: float, reason: str, words: str
) -> None:
    """Nothing is deleted on a chance, and nothing over and over."""
    server = Server(trial)
    with pytest.raises(Permanent, match=words) as caught:
        await clear(server, present(age))
    assert caught.value.reason == reason
    assert server.deleted == []


@pytest.mark.parametrize("age", [1, 60])
async def test_what_is_being_deleted_is_waited_for(age: float) -> None:
    """Once is enough."""
    server = Server(WANTED)
    with pytest.raises(ClusterError, match="is being deleted"):
        await clear(server, present(age, deletionTimestamp="2026-05-04T11:59:59Z"))
    assert server.deleted == []


async def test_an_api_server_that_is_away_costs_nothing() -> None:
    """It is tried again."""
    server = Server(ClusterError("nobody there"))
    with pytest.raises(ClusterError, match="nobody there"):
        await clear(server, present(60))
    assert server.deleted == []
