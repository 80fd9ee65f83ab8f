"""CachePolicies and ScalingPolicies: their status, and which ScanServices a change of them reaches."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from typosentinel_operator import conditions, names, specs
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.conditions import Verdict
from typosentinel_operator.errors import Permanent
from typosentinel_operator.mirror import Mirror
from typosentinel_operator.names import Condition, Kind, Reason

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A policy as it was last seen.

    Attributes:
        users: names of the ScanServices that refer to it.
        version: changes with its spec and with its coming and going; None where it does not exist.
    """

    users: tuple[str, ...]
    version: tuple[str, int] | None


def see(mirror: Mirror, kind: Kind, namespace: str, name: str) -> Seen:
    """A policy as the mirror shows it; one that is on its way out holds until it has gone."""
    users = mirror.names_tied(names.SCAN_SERVICE, namespace, (kind, name))
    manifest = mirror.get(kind, namespace, name)
    if manifest is None:
        return Seen(users, None)
    return Seen(users, (manifest["metadata"]["uid"], manifest["metadata"]["generation"]))


async def report(cluster: Cluster, kind: Kind, namespace: str, name: str, users: int, now: datetime) -> None:
    """Write the status of a policy, unless it is right already or the policy is on its way out.

    Raises:
        ClusterError: try again.
    """
    manifest = cluster.mirror.get(kind, namespace, name)
    if manifest is None or "deletionTimestamp" in manifest["metadata"]:
        return
    wanted = document(manifest, kind, users, now)
    if wanted != manifest.get("status", {}):
        await cluster.apply_status(kind, manifest, wanted)


def document(manifest: Manifest, kind: Kind, users: int, now: datetime) -> Manifest:
    """The whole status of a policy.

    Args:
        manifest: the policy, with the status that it carries.
        kind: its kind.
        users: number of ScanServices that refer to it.
        now: time of observation, with zone.
    """
    generation = manifest["metadata"]["generation"]
    return {
        "observedGeneration": generation,
        "users": users,
        "conditions": conditions.merge(
            _verdicts(manifest, kind),
            manifest.get("status", {}).get("conditions", []),
            generation=generation,
            now=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        ),
    }


def _verdicts(manifest: Manifest, kind: Kind) -> tuple[Verdict, ...]:
    try:
        specs.parse(specs.SPECS[kind.name], manifest)
    except Permanent as error:
        return (
            Verdict(Condition.READY, "False", error.reason, error.message),
            Verdict(Condition.STALLED, "True", error.reason, error.message),
        )
    return (
        Verdict(Condition.READY, "True", Reason.ACCEPTED, "The policy can be referred to"),
        Verdict(Condition.STALLED, "False", Reason.NOT_STALLED, "Nothing stops the operator"),
    )
