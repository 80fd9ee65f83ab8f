"""CachePolicies and ScalingPolicies: their status, and which ScanServices a change of them reaches."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from typosentinel_operator import conditions, names, specs
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.conditions import Verdict
from typosentinel_operator.errors import Permanent
from typosentinel_operator.names import Condition, Kind, Reason

Manifest = dict[str, Any]

# Field of a ScanService's spec that refers to a policy of this kind.
REFERENCE_FIELDS: Final = {
    names.CACHE_POLICY.name: "cachePolicyRef",
    names.SCALING_POLICY.name: "scalingPolicyRef",
}


@dataclass(frozen=True, slots=True)
class Users:
    """The ScanServices that refer to a policy, by name."""

    names: tuple[str, ...]


def referred(scan_service: Manifest) -> tuple[tuple[Kind, str], ...]:
    """Policies that a ScanService refers to, as (kind, name)."""
    spec = scan_service.get("spec", {})
    return tuple(
        (kind, spec[REFERENCE_FIELDS[kind.name]]["name"])
        for kind in (names.CACHE_POLICY, names.SCALING_POLICY)
        if REFERENCE_FIELDS[kind.name] in spec
    )


async def reconcile(cluster: Cluster, kind: Kind, namespace: str, name: str, now: datetime) -> Users:
    """Report on one policy; the caller passes its change on to the users.

    Returns:
        The ScanServices that refer to it, also when it does not exist: they have to hear of that too.

    Raises:
        ClusterError: try again.
    """
    services = await cluster.list(names.SCAN_SERVICE, namespace)
    users = tuple(service["metadata"]["name"] for service in services if (kind, name) in referred(service))
    manifest = await cluster.get(kind, namespace, name)
    if manifest is not None and "deletionTimestamp" not in manifest["metadata"]:
        await _report(cluster, kind, manifest, len(users), now)
    return Users(users)


async def _report(cluster: Cluster, kind: Kind, manifest: Manifest, users: int, now: datetime) -> None:
    meta = manifest["metadata"]
    previous = manifest.get("status", {})
    wanted = {
        "observedGeneration": meta["generation"],
        "users": users,
        "conditions": conditions.merge(
            _verdicts(manifest, kind),
            previous.get("conditions", []),
            generation=meta["generation"],
            now=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        ),
    }
    if wanted != previous:
        await cluster.apply_status(kind, meta["namespace"], meta["name"], wanted)


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
