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
class Seen:
    """A policy as it was last seen.

    Attributes:
        users: names of the ScanServices that refer to it.
        version: changes with its spec and with its coming and going; None where it does not exist.
    """

    users: tuple[str, ...]
    version: tuple[str, int] | None


def referred(scan_service: Manifest) -> tuple[tuple[Kind, str], ...]:
    """Policies that a ScanService refers to, as (kind, name)."""
    spec = scan_service.get("spec", {})
    return tuple(
        (kind, spec[REFERENCE_FIELDS[kind.name]]["name"])
        for kind in (names.CACHE_POLICY, names.SCALING_POLICY)
        if REFERENCE_FIELDS[kind.name] in spec
    )


async def reconcile(cluster: Cluster, kind: Kind, namespace: str, name: str, now: datetime) -> Seen:
    """Report on one policy; the caller passes a change on to the users, who have to hear of its end too.

    Raises:
        ClusterError: try again.
    """
    services = await cluster.list(names.SCAN_SERVICE, namespace)
    users = tuple(service["metadata"]["name"] for service in services if (kind, name) in referred(service))
    manifest = await cluster.get(kind, namespace, name)
    if manifest is None or "deletionTimestamp" in manifest["metadata"]:
        return Seen(users, None)
    await _report(cluster, kind, manifest, len(users), now)
    return Seen(users, (manifest["metadata"]["uid"], manifest["metadata"]["generation"]))


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


async def _report(cluster: Cluster, kind: Kind, manifest: Manifest, users: int, now: datetime) -> None:
    wanted = document(manifest, kind, users, now)
    if wanted != manifest.get("status", {}):
        await cluster.apply_status(kind, manifest, wanted)


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
