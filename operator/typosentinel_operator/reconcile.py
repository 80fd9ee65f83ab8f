"""One level-based reconcile per kind: gather, decide, apply, report. Safe to run at any time, any number of times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from typosentinel_operator import apply, conditions, drift, events, gather, names, readiness, specs, status
from typosentinel_operator.apply import Applied, Contested, Owner
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired import children, mounts, serverconfig
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.errors import ClusterError, Permanent
from typosentinel_operator.fields import SecretKeyReference
from typosentinel_operator.names import Condition
from typosentinel_operator.observed import (
    ConfigMapView,
    Observed,
    PodView,
    Policies,
    Report,
    SecretView,
    Unresolved,
)
from typosentinel_operator.scalingspec import ScalingPolicySpec
from typosentinel_operator.scrape import Scraper
from typosentinel_operator.specs import ScanServiceSpec
from typosentinel_operator.tokens import Tokens

Manifest = dict[str, Any]

SOONEST: Final = 1.0
LATEST: Final = 30.0
# A kubelet that was asked to look again and still serves the old document is asked again after this time.
REFRESH_AGAIN_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Key:
    """Identity of one object in the work queue."""

    kind: names.Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.name} {self.namespace}/{self.name}"


@dataclass(slots=True)
class Pass:
    """What one pass over a ScanService has come to so far.

    Attributes:
        manifest: the ScanService.
        observed: its children as they were found, by kind.
        applied: what was written, and the children as they are now.
        references: number of policies referred to.
        policies: those policies.
        config_maps: ConfigMaps referred to.
        secrets: Secrets referred to.
        token_made: whether the administrative port has a new token.
        failure: what stops us until somebody changes an object.
        interruption: what keeps us from writing for the moment.
    """

    manifest: Manifest
    observed: dict[str, list[Manifest]]
    applied: Applied = field(default_factory=Applied)
    references: int = 0
    policies: Policies = field(default_factory=lambda: Policies(None, None))
    config_maps: tuple[ConfigMapView, ...] = ()
    secrets: tuple[SecretView, ...] = ()
    token_made: bool = False
    failure: Permanent | None = None
    interruption: ClusterError | None = None


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles ScanServices.

    Attributes:
        cluster: the API server.
        scraper: asks scanner pods.
        default_image: scanner image where a spec names none.
        now: the time, with zone.
        tokens: of administrative ports.
        contested: fields of children that admission changes back.
    """

    cluster: Cluster
    scraper: Scraper
    default_image: str
    now: Callable[[], datetime]
    tokens: Tokens
    contested: Contested = field(default_factory=Contested)

    async def scan_service(self, namespace: str, name: str) -> float | None:
        """Make one ScanService what its spec says.

        Returns:
            Seconds until it wants to be looked at again; None: a trigger will come.

        Raises:
            ClusterError: try again.
        """
        manifest = await self.cluster.get(names.SCAN_SERVICE, namespace, name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            # The children carry owner references: the garbage collector does the rest.
            self.tokens.forget(namespace, name)
            return None
        now = Pass(manifest, await gather.children(self.cluster, namespace, name))
        await self._realise(now)
        pods = await gather.pods(self.cluster, self.scraper, namespace, name)
        seen = observation(now, pods, self.now())
        delay = await self._report(now, seen)
        await self._refresh(seen, anyway=now.token_made)
        if now.interruption is not None:
            raise now.interruption
        return delay

    async def _realise(self, now: Pass) -> None:
        """Write what has to be written; whatever stops that is kept for the report."""
        meta = now.manifest["metadata"]
        owner = Owner(meta["name"], meta["uid"])
        now.applied.objects |= _own(now.observed, owner)
        try:
            spec = specs.parse(ScanServiceSpec, now.manifest)
            now.references = sum(ref is not None for ref in (spec.cache_policy_ref, spec.scaling_policy_ref))
            now.policies = await gather.policies(self.cluster, meta["namespace"], spec)
            now.config_maps = await gather.config_maps(self.cluster, meta["namespace"], spec)
            inputs = inputs_of(now.manifest, spec, now.policies, self.default_image, now.applied.objects)
            now.secrets = await gather.secrets(self.cluster, meta["namespace"], spec, inputs.cache)
            inputs = replace(inputs, kept=_mounts_kept(now), kept_secrets=_secrets_kept(now))
            wanted = children.build(inputs)
            # Before the pods that mount it.
            now.token_made = await self.tokens.ensure(self.cluster, inputs, self.now(), now.applied)
            await apply.apply(self.cluster, wanted, now.observed, owner, self.contested, now.applied)
            first = _first_replicas(inputs, now.observed[names.AUTOSCALER.name])
            deployment = now.applied.objects[names.DEPLOYMENT.name]
            # Not only when it was made now: who made it may have died before this.
            if first is not None and not drift.holders_of_replicas(deployment):
                await apply.start_at(self.cluster, deployment, first, now.applied)
            await apply.prune(self.cluster, _kept(wanted, now.policies), now.observed, owner, now.applied)
        except Permanent as error:
            now.failure = error
        except ClusterError as error:
            now.interruption = error

    async def _refresh(self, seen: Observed, *, anyway: bool) -> None:
        """Make kubelets look at the ConfigMaps of pods that run older ones: by themselves they take a minute.

        Args:
            seen: the pods.
            anyway: at those of all pods, because a Secret is new.
        """
        now, wanted_hash = self.now(), seen.wanted_hash
        for pod in seen.pods:
            stale = isinstance(pod.report, Report) and not readiness.runs_wanted(pod, seen)
            if wanted_hash is None or not (stale or anyway):
                continue
            asked = pod.manifest["metadata"].get("annotations", {}).get(names.ANNOTATION_REFRESH, "")
            if anyway or not _asked_lately(asked, wanted_hash, now):
                value = f"{wanted_hash}@{now.isoformat(timespec='milliseconds')}"
                await self.cluster.annotate(names.POD, pod.manifest, {names.ANNOTATION_REFRESH: value})

    async def _report(self, now: Pass, seen: Observed) -> float | None:
        wanted = status.document(seen, now.manifest["metadata"]["generation"])
        if wanted != now.manifest.get("status"):
            await self.cluster.apply_status(names.SCAN_SERVICE, now.manifest, wanted)
        turned = conditions.transitions(status.verdicts(seen), seen.previous)
        happened = events.of_changes(now.applied.changes) + events.of_transitions(turned)
        await events.emit(self.cluster, now.manifest, happened, seen.now)
        return _again(wanted["conditions"], seen.now)


def inputs_of(
    manifest: Manifest,
    spec: ScanServiceSpec,
    policies: Policies,
    default_image: str,
    objects: Mapping[str, Manifest] | None = None,
) -> Inputs:
    """What the builders are given for a ScanService.

    Args:
        manifest: the ScanService.
        spec: its spec.
        policies: its policies; where the CachePolicy can't be used, the cache settings stay as they are.
        default_image: image where the spec names none.
        objects: the children as they are, by kind.
    """
    meta = manifest["metadata"]
    cache = policies.cache
    if isinstance(cache, Unresolved):
        config_map, deployment = ((objects or {}).get(kind.name) for kind in (names.CONFIG_MAP, names.DEPLOYMENT))
        cache = serverconfig.cache_of(config_map, deployment) if config_map is not None else None
    fixed = 1 if spec.replicas is None else spec.replicas
    return Inputs(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        spec=spec,
        cache=cache,
        scaling=policies.scaling if isinstance(policies.scaling, ScalingPolicySpec) else None,
        replicas=None if spec.scaling_policy_ref else fixed,
        default_image=default_image,
    )


def observation(now: Pass, pods: tuple[PodView, ...], at: datetime) -> Observed:
    """What was seen in this pass, for the status."""
    meta = now.manifest["metadata"]
    objects = now.applied.objects
    text = objects.get(names.CONFIG_MAP.name, {}).get("data", {}).get(names.CONFIG_KEY)
    autoscaler = objects.get(names.AUTOSCALER.name)
    return Observed(
        name=meta["name"],
        namespace=meta["namespace"],
        deployment=objects.get(names.DEPLOYMENT.name),
        has_service=names.SERVICE.name in objects,
        autoscaler=autoscaler,
        min_replicas=int(autoscaler["spec"].get("minReplicas", 1)) if autoscaler else None,
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
    )


def _mounts_kept(now: Pass) -> dict[str, str]:
    """What stays mounted for references that can't be used: pods that mount nothing there would lose their lists."""
    present = mounts.mounted(now.applied.objects.get(names.DEPLOYMENT.name))
    return {one.field: present[one.field] for one in now.config_maps if one.trouble and one.field in present}


def _secrets_kept(now: Pass) -> dict[str, SecretKeyReference]:
    """The same of Secrets: a reference to one that is not there must not cost pods the one that they have."""
    present = mounts.mounted_secrets(now.applied.objects.get(names.DEPLOYMENT.name))
    return {one.field: present[one.field] for one in now.secrets if one.trouble and one.field in present}


def _own(observed: dict[str, list[Manifest]], owner: Owner) -> dict[str, Manifest]:
    """The children that are ours, by kind: others may carry our labels."""
    child = names.child_name(owner.name)
    return {
        kind: manifest
        for kind, found in observed.items()
        for manifest in found
        if manifest["metadata"]["name"] == child and drift.is_ours(manifest, owner.uid)
    }


def _kept(wanted: tuple[Manifest, ...], policies: Policies) -> frozenset[str]:
    """Kinds of children that stay: those wanted, and the autoscaler of a policy that is not to be had."""
    held = {names.AUTOSCALER.name} if isinstance(policies.scaling, Unresolved) else set()
    return frozenset(held | {manifest["kind"] for manifest in wanted})


def _first_replicas(inputs: Inputs, autoscalers: list[Manifest]) -> int | None:
    """Pods that a Deployment made now starts with: what the autoscaler wanted last, at least its floor."""
    if inputs.scaling is None:
        return None
    wanted = [int(found.get("status", {}).get("desiredReplicas", 0)) for found in autoscalers]
    return min(inputs.scaling.max_replicas, max([inputs.scaling.min_replicas, *wanted]))


def _asked_lately(annotation: str, wanted_hash: str, now: datetime) -> bool:
    asked_for, _, at = annotation.rpartition("@")
    if asked_for != wanted_hash:
        return False
    try:
        return (now - datetime.fromisoformat(at)).total_seconds() < REFRESH_AGAIN_SECONDS
    except (ValueError, TypeError):
        return False


def _again(written: list[Manifest], now: datetime) -> float | None:
    """When to look again: soon while something moves, rarer the longer it has not moved, never where all is well."""
    unsettled = [
        condition
        for condition in written
        if condition["type"] in {Condition.READY, Condition.CONFIGURATION_CURRENT} and condition["status"] != "True"
    ]
    if not unsettled:
        return None
    latest = max(datetime.fromisoformat(condition["lastTransitionTime"]) for condition in unsettled)
    return min(LATEST, max(SOONEST, (now - latest).total_seconds() / 10))
