"""One pass over a ScanService: what it has come to so far, and what follows from that. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from typosentinel_operator import drift, names
from typosentinel_operator.apply import Applied, Owner
from typosentinel_operator.desired import autoscaler, mounts, serverconfig
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.errors import ClusterError, Permanent
from typosentinel_operator.fields import SecretKeyReference
from typosentinel_operator.interventions import Interventions
from typosentinel_operator.observed import ConfigMapView, Observed, PodView, Policies, SecretView, Unresolved
from typosentinel_operator.specs import ScanServiceSpec

Manifest = dict[str, Any]


@dataclass(slots=True)
class Pass:
    """What one pass over a ScanService has come to so far.

    Attributes:
        manifest: the ScanService.
        observed: its children as they were found, by kind.
        interventions: what people ask for by annotations.
        applied: what was written, and the children as they are now.
        references: number of policies referred to; None where that could not be seen.
        policies: those policies.
        config_maps: ConfigMaps referred to; None where they could not be looked at.
        secrets: the same of Secrets.
        token_made: whether the administrative port has a new token.
        failure: what stops us until somebody changes an object.
        interruption: what keeps us from writing for the moment.
        unanswered: why something of others could not be looked at, which keeps us from nothing.
    """

    manifest: Manifest
    observed: dict[str, list[Manifest]]
    interventions: Interventions = field(default_factory=Interventions)
    applied: Applied = field(default_factory=Applied)
    references: int | None = None
    policies: Policies = field(default_factory=lambda: Policies(None, None))
    config_maps: tuple[ConfigMapView, ...] | None = None
    secrets: tuple[SecretView, ...] | None = None
    token_made: bool = False
    failure: Permanent | None = None
    interruption: ClusterError | None = None
    unanswered: ClusterError | None = None


def inputs_of(
    manifest: Manifest,
    spec: ScanServiceSpec,
    policies: Policies,
    default_image: str,
    objects: Mapping[str, Manifest] | None = None,
    asked: Interventions | None = None,
) -> Inputs:
    """What the builders are given for a ScanService.

    Args:
        manifest: the ScanService.
        spec: its spec.
        policies: its policies; where one can't be used, what it said last holds on, as the children tell it.
        default_image: image where the spec names none.
        objects: the children as they are, by kind.
        asked: what people ask for by annotations.
    """
    asked, objects = asked or Interventions(), objects or {}
    meta = manifest["metadata"]
    cache = policies.cache
    if isinstance(cache, Unresolved):
        config_map, deployment = (objects.get(kind.name) for kind in (names.CONFIG_MAP, names.DEPLOYMENT))
        cache = serverconfig.cache_of(config_map, deployment) if config_map is not None else None
    policy = policies.scaling
    if isinstance(policy, Unresolved):
        policy = autoscaler.policy_of(objects.get(names.AUTOSCALER.name))
    present = objects.get(names.DEPLOYMENT.name, {}).get("spec", {}).get("replicas")
    fixed = asked.replicas(1 if spec.replicas is None else spec.replicas, present)
    # Where there is neither a policy nor an autoscaler, nobody else can do what an override asks for.
    alone = policy is None and names.AUTOSCALER.name not in objects
    decided = spec.scaling_policy_ref is not None and not (alone and asked.override is not None)
    return Inputs(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        spec=spec,
        cache=cache,
        policy=policy,
        scaling=asked.scaling(policy, present) if policy is not None else None,
        replicas=None if decided else fixed,
        default_image=default_image,
    )


def observation(now: Pass, pods: tuple[PodView, ...], at: datetime) -> Observed:
    """What was seen in this pass, for the status."""
    meta = now.manifest["metadata"]
    objects = now.applied.objects
    text = objects.get(names.CONFIG_MAP.name, {}).get("data", {}).get(names.CONFIG_KEY)
    scaler = objects.get(names.AUTOSCALER.name)
    return Observed(
        name=meta["name"],
        namespace=meta["namespace"],
        deployment=objects.get(names.DEPLOYMENT.name),
        has_service=names.SERVICE.name in objects,
        autoscaler=scaler,
        min_replicas=int(scaler["spec"].get("minReplicas", 1)) if scaler else None,
        pods=pods,
        wanted_hash=serverconfig.document_hash(text) if text is not None else None,
        references=now.references,
        unresolved=now.policies.unresolved(),
        config_maps=now.config_maps,
        secrets=now.secrets,
        failure=(now.failure.reason, now.failure.message) if now.failure else None,
        interruption=str(now.interruption) if now.interruption else None,
        previous=tuple(now.manifest.get("status", {}).get("conditions", [])),
        now=at,
        interventions=now.interventions,
        withheld=tuple(now.applied.withheld or ()),
    )


def mounts_kept(now: Pass) -> dict[str, str]:
    """What stays mounted for references that can't be used: pods that mount nothing there would lose their lists.

    All of it stays while nobody knows which can be used.
    """
    present = mounts.mounted(now.applied.objects.get(names.DEPLOYMENT.name))
    if now.config_maps is None:
        return present
    return {one.field: present[one.field] for one in now.config_maps if one.trouble and one.field in present}


def secrets_kept(now: Pass) -> dict[str, SecretKeyReference]:
    """The same of Secrets: a reference to one that is not there must not cost pods the one that they have."""
    present = mounts.mounted_secrets(now.applied.objects.get(names.DEPLOYMENT.name))
    if now.secrets is None:
        return present
    return {one.field: present[one.field] for one in now.secrets if one.trouble and one.field in present}


def own(observed: dict[str, list[Manifest]], owner: Owner) -> dict[str, Manifest]:
    """The children that are ours, by kind: others may carry our labels."""
    child = names.child_name(owner.name)
    return {
        kind: manifest
        for kind, found in observed.items()
        for manifest in found
        if manifest["metadata"]["name"] == child and drift.is_ours(manifest, owner.uid)
    }


def kept(wanted: tuple[Manifest, ...], policies: Policies) -> frozenset[str]:
    """Kinds of children that stay: those wanted, and the autoscaler of a policy that is not to be had."""
    held = {names.AUTOSCALER.name} if isinstance(policies.scaling, Unresolved) else set()
    return frozenset(held | {manifest["kind"] for manifest in wanted})


def first_replicas(inputs: Inputs, autoscalers: list[Manifest]) -> int | None:
    """Pods that a Deployment made now starts with: what the autoscaler wanted last, at least its floor.

    Without its policy the autoscaler alone knows; where it does not either, and where the number is fixed, it is None.
    """
    wanted = [int(found.get("status", {}).get("desiredReplicas", 0)) for found in autoscalers]
    if inputs.scaling is not None:
        return min(inputs.scaling.max_replicas, max([inputs.scaling.min_replicas, *wanted]))
    return None if inputs.replicas is not None else max(wanted, default=0) or None
