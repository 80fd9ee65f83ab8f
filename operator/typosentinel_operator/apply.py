"""From wanted to real: what differs is applied, what is no longer wanted is pruned, and nothing else is written."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from typosentinel_operator import admission, drift, names, recreation
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired import workload
from typosentinel_operator.errors import ClusterError, Conflict, Permanent, Refused
from typosentinel_operator.names import Kind, Reason

Manifest = dict[str, Any]
log = structlog.get_logger(__name__)

_KINDS = {kind.name: kind for kind in names.CHILD_KINDS}
# A message names the first few fields; the rest would only bury them.
_NAMED_FIELDS = 3
# Of so many children it is remembered which of their fields are changed back.
_CONTESTED = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """One write that was made, as Events tell it.

    Attributes:
        reason: constant of `names.Reason`.
        message: a sentence for people.
        bad: whether somebody should look after it.
    """

    reason: str
    message: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """The ScanService whose children these are."""

    name: str
    uid: str


@dataclass(slots=True)
class Applied:
    """What has come of it so far; it holds also after an error that ended the work half way.

    Attributes:
        objects: the children as they are now, by kind.
        changes: the writes that were made.
        withheld: in words, the writes that were not made because all of it is paused; None where nothing is.
    """

    objects: dict[str, Manifest] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    withheld: list[str] | None = None


@dataclass(slots=True)
class Contested:
    """Fields that somebody changes back while they are written: an admission webhook, for instance a mirror of images.

    Such a field would be drift at every look, and a write at every look would be no help. What is remembered dies
    with the process, which costs one write.
    """

    _fields: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    def covers(self, manifest: Manifest, present: Manifest, differences: Sequence[str]) -> bool:
        """Whether all these differences came back at once when this very manifest was last applied."""
        known = self._fields.get(present["metadata"]["uid"])
        return known is not None and known[0] == _hash_of(manifest) and known[1].issuperset(differences)

    def note(self, manifest: Manifest, answer: Manifest) -> None:
        """Remember what the API server's answer to an apply does not hold of what was applied."""
        uid = answer["metadata"]["uid"]
        left = frozenset(drift.differences(manifest, answer))
        if left:
            log.warning("admission changes what is applied", kind=manifest["kind"], uid=uid, fields=sorted(left))
            self._fields[uid] = (_hash_of(manifest), left)
            if len(self._fields) > _CONTESTED:
                # Children come and go, and nobody tells of their end here.
                del self._fields[next(iter(self._fields))]
        else:
            self._fields.pop(uid, None)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides about writes beside the manifests.

    Attributes:
        contested: fields that are not worth another write.
        now: the time, with zone.
        confirm: raises Superseded where the ScanService is no longer the one that all of this follows from.
        first: pods that a Deployment begins with whose number an autoscaler decides about; None: the API server's one.
    """

    contested: Contested
    now: datetime
    confirm: Callable[[], Awaitable[None]]
    first: int | None = None


async def apply(
    cluster: Cluster,
    wanted: Sequence[Manifest],
    observed: dict[str, list[Manifest]],
    owner: Owner,
    circumstances: Circumstances,
    applied: Applied,
) -> None:
    """Make the children what they should be, in the order given.

    Args:
        cluster: where they live.
        wanted: manifests of the children.
        observed: children that carry our labels, by kind.
        owner: whose children they are.
        circumstances: what else decides about it.
        applied: takes up what was done.

    Raises:
        Permanent: a child's name is taken, the API server refuses a manifest, or a child has to be made anew and can't
            be yet; what runs goes on.
        ClusterError: try again.
        Superseded: the same.
    """
    for manifest in wanted:
        kind = _KINDS[manifest["kind"]]
        present = _find(observed[kind.name], manifest["metadata"]["name"])
        if present is None and applied.withheld is not None:
            # Nothing will be written that would show it.
            present = await _by_name(cluster, kind, manifest)
        try:
            await _realise(cluster, kind, manifest, present, owner, circumstances, applied)
        except Conflict:
            # Under the name stands something that our watches don't show, or no longer what they did.
            present = await _by_name(cluster, kind, manifest)
            await _realise(cluster, kind, manifest, present, owner, circumstances, applied)


async def _realise(
    cluster: Cluster,
    kind: Kind,
    manifest: Manifest,
    present: Manifest | None,
    owner: Owner,
    circumstances: Circumstances,
    applied: Applied,
) -> None:
    """Make one child what it should be.

    Raises:
        Conflict: it is not `present` that stands under the name.
    """
    if present is not None:
        _check_claim(kind, manifest, present, owner)
        applied.objects[kind.name] = present
    fixed = drift.unchangeable(manifest, present) if present is not None else ()
    differences = fixed or (drift.differences(manifest, present) if present is not None else ())
    contested = circumstances.contested
    if present is not None and not fixed and (not differences or contested.covers(manifest, present, differences)):
        return
    if applied.withheld is not None:
        applied.withheld.append(_in_words(kind, present, differences))
        return
    if present is not None and fixed:
        await circumstances.confirm()
        await _remove(cluster, kind, manifest, present, circumstances.now, applied)
        present = None
    if kind == names.DEPLOYMENT and present is not None:
        if "spec.replicas" in differences and _hash_of(present) == _hash_of(manifest):
            await _see_who_scales(cluster, present, owner)
        await _hand_over_replicas(cluster, manifest, present)
    sent = manifest if present is not None else workload.begun(manifest, circumstances.first)
    answer = await _write(cluster, kind, sent, present)
    contested.note(manifest, answer)
    applied.objects[kind.name] = answer
    applied.changes += _change(kind, manifest, present, differences)


def unwanted(kept: frozenset[str], observed: dict[str, list[Manifest]], owner: Owner) -> list[Manifest]:
    """Children of ours that nobody wants any more.

    Args:
        kept: kinds of which the child under its name stays.
        observed: children that carry our labels, by kind.
        owner: whose children they are; what it does not control is left alone.
    """
    child = names.child_name(owner.name)
    return [
        manifest
        for kind in names.CHILD_KINDS
        for manifest in observed[kind.name]
        if not (kind.name in kept and manifest["metadata"]["name"] == child)
        and "deletionTimestamp" not in manifest["metadata"]
        and drift.is_ours(manifest, owner.uid)
    ]


def orphans(observed: dict[str, list[Manifest]], owner: Owner) -> list[Manifest]:
    """Children that have lost their owner, and would be adopted.

    Args:
        observed: children that carry our labels, by kind.
        owner: whose labels.
    """
    return [one for found in observed.values() for one in found if drift.is_orphan(one, owner.name)]


async def prune(cluster: Cluster, manifests: Sequence[Manifest], owner: Owner, applied: Applied) -> None:
    """Delete children, or say that it would be done.

    Args:
        cluster: where they live.
        manifests: those that nobody wants.
        owner: whose children they are.
        applied: takes up what was done.
    """
    child = names.child_name(owner.name)
    for manifest in manifests:
        kind = _KINDS[manifest["kind"]]
        if applied.withheld is not None:
            applied.withheld.append(f"{kind.name} is no longer wanted")
            continue
        await cluster.delete(kind, manifest)
        if manifest["metadata"]["name"] == child:
            applied.objects.pop(kind.name, None)
        message = f"{kind.name} {manifest['metadata']['name']} is no longer wanted and was deleted"
        applied.changes.append(Change(Reason.CHILD_PRUNED, message))


def _check_claim(kind: Kind, manifest: Manifest, present: Manifest, owner: Owner) -> None:
    """Whether we may write this object: it is ours, or it lost its owner and has our labels."""
    if drift.is_ours(present, owner.uid) or drift.is_orphan(present, owner.name):
        return
    if drift.is_former(present, owner.name, owner.uid):
        raise ClusterError(f"{kind.name} of the former ScanService {owner.name} has not been removed yet")
    raise Permanent(Reason.NAME_CONFLICT, _taken(kind, manifest))


async def _remove(
    cluster: Cluster, kind: Kind, manifest: Manifest, present: Manifest, now: datetime, applied: Applied
) -> None:
    message, free = await recreation.clear_the_way(cluster, kind, manifest, present, now)
    applied.objects.pop(kind.name, None)
    applied.changes.append(Change(Reason.CHILD_RECREATED, message, bad=True))
    if not free:
        raise ClusterError(f"{kind.name} {manifest['metadata']['name']} is being deleted, to be made anew")


async def _by_name(cluster: Cluster, kind: Kind, manifest: Manifest) -> Manifest | None:
    """What stands under the name: somebody's own, or one of ours that is new or has lost its labels."""
    return await cluster.get(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])


async def _write(cluster: Cluster, kind: Kind, manifest: Manifest, present: Manifest | None) -> Manifest:
    try:
        return await cluster.apply(kind, manifest, present)
    except Refused as error:
        raise Permanent(Reason.APPLY_REFUSED, f"The API server refuses {kind.name}: {error}") from error


async def _see_who_scales(cluster: Cluster, present: Manifest, owner: Owner) -> None:
    """Look for an autoscaler of somebody's where the number of pods has been changed: we would write in turns for ever.

    Raises:
        Permanent: there is one.
    """
    meta = present["metadata"]
    for found in await cluster.list(names.AUTOSCALER, meta["namespace"]):
        said = None if drift.is_ours(found, owner.uid) else admission.foreign_scaling(found, meta["name"])
        if said is not None:
            raise Permanent(Reason.FOREIGN_AUTOSCALER, said)


async def _hand_over_replicas(cluster: Cluster, manifest: Manifest, present: Manifest) -> None:
    """Let another manager hold spec.replicas before we drop it, or the API server would reset it to 1."""
    if "replicas" in manifest["spec"] or not drift.owns_replicas(present, names.FIELD_MANAGER):
        return
    meta = present["metadata"]
    held = {
        "apiVersion": names.DEPLOYMENT.api_version,
        "kind": names.DEPLOYMENT.name,
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"replicas": present["spec"]["replicas"]},
    }
    await cluster.apply(names.DEPLOYMENT, held, present, manager=names.HANDOVER_MANAGER, unchanged=True)


def _in_words(kind: Kind, present: Manifest | None, differences: Sequence[str]) -> str:
    return f"{kind.name} is to be made" if present is None else f"{kind.name} is to change: {_named(differences)}"


def _named(fields: Sequence[str]) -> str:
    return ", ".join(fields[:_NAMED_FIELDS]) + (" …" if len(fields) > _NAMED_FIELDS else "")


def _change(kind: Kind, manifest: Manifest, present: Manifest | None, differences: Sequence[str]) -> list[Change]:
    name = manifest["metadata"]["name"]
    if present is None:
        log.info("child created", kind=kind.name, name=name, namespace=manifest["metadata"]["namespace"])
        return [Change(Reason.CHILD_CREATED, f"{kind.name} {name} was created")]
    log.info("child changed", kind=kind.name, name=name, fields=list(differences))
    if _hash_of(present) != _hash_of(manifest):
        return []
    message = f"{kind.name} {name} had been changed by somebody else: {_named(differences)} put right"
    return [Change(Reason.CHILD_REPAIRED, message)]


def _find(manifests: Sequence[Manifest], name: str) -> Manifest | None:
    return next((manifest for manifest in manifests if manifest["metadata"]["name"] == name), None)


def _taken(kind: Kind, manifest: Manifest) -> str:
    meta = manifest["metadata"]
    return (
        f'{kind.name} "{meta["name"]}" in namespace "{meta["namespace"]}" exists and is not ours: '
        "rename or delete it, or give the ScanService another name"
    )


def _hash_of(manifest: Manifest) -> str:
    annotations = manifest["metadata"].get("annotations", {})
    return str(annotations.get(names.ANNOTATION_MANIFEST_HASH, ""))
