"""From wanted to real: what differs is applied, what is no longer wanted is pruned, and nothing else is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from typosentinel_operator import drift, names
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import Permanent, Refused
from typosentinel_operator.names import Kind, Reason

Manifest = dict[str, Any]
log = structlog.get_logger(__name__)

_KINDS = {kind.name: kind for kind in names.CHILD_KINDS}
# A message names the first few fields; the rest would only bury them.
_NAMED_FIELDS = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One write that was made, as Events tell it.

    Attributes:
        reason: constant of `names.Reason`.
        message: a sentence for people.
    """

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it.

    Attributes:
        objects: the children as they are now, by kind.
        changes: the writes that were made.
    """

    objects: dict[str, Manifest]
    changes: tuple[Change, ...]


async def apply(
    cluster: Cluster,
    wanted: Sequence[Manifest],
    observed: dict[str, list[Manifest]],
    owner_uid: str,
    first_replicas: int | None,
) -> Applied:
    """Make the children what they should be, in the order given.

    Args:
        cluster: where they live.
        wanted: manifests of the children.
        observed: children that carry our labels, by kind.
        owner_uid: uid of the ScanService.
        first_replicas: pods that a new Deployment starts with where an autoscaler decides about their number.

    Raises:
        Permanent: a child's name is taken, or the API server refuses a manifest; what runs goes on.
        ClusterError: try again.
    """
    objects: dict[str, Manifest] = {}
    changes: list[Change] = []
    for manifest in wanted:
        kind = _KINDS[manifest["kind"]]
        present = _find(observed[kind.name], manifest["metadata"]["name"]) or await _by_name(cluster, kind, manifest)
        if present is not None and not drift.is_ours(present, owner_uid):
            raise Permanent(Reason.NAME_CONFLICT, _taken(kind, manifest))
        differences = drift.differences(manifest, present) if present is not None else ()
        if present is not None and not differences:
            objects[kind.name] = present
            continue
        if kind == names.DEPLOYMENT and present is not None:
            await _hand_over_replicas(cluster, manifest, present)
        objects[kind.name] = await _write(cluster, kind, manifest)
        if kind == names.DEPLOYMENT and present is None and first_replicas is not None:
            # The autoscaler would get there too, at its next look in up to 15 seconds.
            objects[kind.name] = await _hold_replicas(cluster, manifest, first_replicas)
        changes += _change(kind, manifest, present, differences)
    return Applied(objects, tuple(changes))


async def prune(
    cluster: Cluster, kept: frozenset[str], observed: dict[str, list[Manifest]], owner_uid: str, child: str
) -> tuple[Change, ...]:
    """Delete children of ours that nobody wants any more.

    Args:
        cluster: where they live.
        kept: kinds of which the child under its name stays.
        observed: children that carry our labels, by kind.
        owner_uid: uid of the ScanService; what it does not control is left alone.
        child: name of the children that stay.
    """
    changes = []
    for kind in names.CHILD_KINDS:
        for manifest in observed[kind.name]:
            stays = kind.name in kept and manifest["metadata"]["name"] == child
            if stays or "deletionTimestamp" in manifest["metadata"] or not drift.is_ours(manifest, owner_uid):
                continue
            await cluster.delete(kind, manifest)
            message = f"{kind.name} {manifest['metadata']['name']} is no longer wanted and was deleted"
            changes.append(Change(Reason.CHILD_PRUNED, message))
    return tuple(changes)


async def _by_name(cluster: Cluster, kind: Kind, manifest: Manifest) -> Manifest | None:
    """The object of that name without our labels: somebody's own, or ours whose labels were taken off."""
    return await cluster.get(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])


async def _write(cluster: Cluster, kind: Kind, manifest: Manifest) -> Manifest:
    try:
        return await cluster.apply(kind, manifest)
    except Refused as error:
        raise Permanent(Reason.APPLY_REFUSED, f"The API server refuses {kind.name}: {error}") from error


async def _hand_over_replicas(cluster: Cluster, manifest: Manifest, present: Manifest) -> None:
    """Let another manager hold spec.replicas before we drop it, or the API server would reset it to 1."""
    if "replicas" in manifest["spec"] or not drift.owns_replicas(present, names.FIELD_MANAGER):
        return
    await _hold_replicas(cluster, present, present["spec"]["replicas"])


async def _hold_replicas(cluster: Cluster, deployment: Manifest, replicas: int) -> Manifest:
    """Set spec.replicas as the manager from which the autoscaler's first write takes it."""
    meta = deployment["metadata"]
    held = {
        "apiVersion": names.DEPLOYMENT.api_version,
        "kind": names.DEPLOYMENT.name,
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"replicas": replicas},
    }
    return await cluster.apply(names.DEPLOYMENT, held, manager=names.HANDOVER_MANAGER)


def _change(kind: Kind, manifest: Manifest, present: Manifest | None, differences: Sequence[str]) -> list[Change]:
    name = manifest["metadata"]["name"]
    if present is None:
        log.info("child created", kind=kind.name, name=name, namespace=manifest["metadata"]["namespace"])
        return [Change(Reason.CHILD_CREATED, f"{kind.name} {name} was created")]
    log.info("child changed", kind=kind.name, name=name, fields=list(differences))
    annotations = present["metadata"].get("annotations", {})
    wanted_hash = manifest["metadata"]["annotations"][names.ANNOTATION_MANIFEST_HASH]
    if annotations.get(names.ANNOTATION_MANIFEST_HASH) != wanted_hash:
        return []
    fields = ", ".join(differences[:_NAMED_FIELDS]) + (" …" if len(differences) > _NAMED_FIELDS else "")
    return [Change(Reason.CHILD_REPAIRED, f"{kind.name} {name} had been changed by somebody else: {fields} put right")]


def _find(manifests: Sequence[Manifest], name: str) -> Manifest | None:
    return next((manifest for manifest in manifests if manifest["metadata"]["name"] == name), None)


def _taken(kind: Kind, manifest: Manifest) -> str:
    meta = manifest["metadata"]
    return (
        f'{kind.name} "{meta["name"]}" in namespace "{meta["namespace"]}" exists and is not ours: '
        "rename or delete it, or give the ScanService another name"
    )
