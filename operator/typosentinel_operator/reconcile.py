"""One level-based reconcile per kind: gather, decide, apply, report. Safe to run at any time, any number of times."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from typosentinel_operator import apply, conditions, events, gather, names, specs, status
from typosentinel_operator.apply import Applied, Change
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired import children, serverconfig
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.errors import Permanent
from typosentinel_operator.names import Condition
from typosentinel_operator.observed import Observed, PodView, Policies, Report, Unresolved
from typosentinel_operator.scrape import Scraper
from typosentinel_operator.specs import CachePolicySpec, ScalingPolicySpec, ScanServiceSpec

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


@dataclass(frozen=True, slots=True)
class Result:
    """What one reconciliation decided.

    Attributes:
        requeue_after: seconds until it wants to run again; None: a trigger will come.
    """

    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles ScanServices.

    Attributes:
        cluster: the API server.
        scraper: asks scanner pods.
        default_image: scanner image where a spec names none.
        now: the time, with zone.
    """

    cluster: Cluster
    scraper: Scraper
    default_image: str
    now: Callable[[], datetime]

    async def scan_service(self, namespace: str, name: str) -> Result:
        """Make one ScanService what its spec says.

        Raises:
            ClusterError: try again.
        """
        manifest = await self.cluster.get(names.SCAN_SERVICE, namespace, name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            # The children carry owner references: the garbage collector does the rest.
            return Result()
        try:
            spec = specs.parse(ScanServiceSpec, manifest)
        except Permanent as error:
            return await self._report(manifest, (), self._blind(manifest, error))
        policies = await gather.policies(self.cluster, namespace, spec)
        observed = await gather.children(self.cluster, namespace, name)
        inputs = inputs_of(manifest, spec, policies, self.default_image)
        applied, failure = await self._apply(inputs, policies, observed)
        pods = await gather.pods(self.cluster, self.scraper, namespace, name)
        seen = self._observed(inputs, policies, applied, observed, pods, failure)
        await self._refresh(pods, seen.wanted_hash)
        return await self._report(manifest, applied.changes, seen)

    async def _apply(
        self, inputs: Inputs, policies: Policies, observed: dict[str, list[Manifest]]
    ) -> tuple[Applied, Permanent | None]:
        held = _held(policies, observed)
        wanted = [manifest for manifest in children.build(inputs) if manifest["kind"] not in held]
        kept = held | {manifest["kind"] for manifest in wanted}
        child = names.child_name(inputs.name)
        try:
            first = _first_replicas(inputs, observed[names.AUTOSCALER.name])
            applied = await apply.apply(self.cluster, wanted, observed, inputs.uid, first)
            pruned = await apply.prune(self.cluster, kept, observed, inputs.uid, child)
        except Permanent as error:
            return Applied({}, ()), error
        return Applied(applied.objects, (*applied.changes, *pruned)), None

    def _observed(
        self,
        inputs: Inputs,
        policies: Policies,
        applied: Applied,
        observed: dict[str, list[Manifest]],
        pods: tuple[PodView, ...],
        failure: Permanent | None,
    ) -> Observed:
        objects = {kind: found[0] for kind, found in observed.items() if found} | applied.objects
        config_map = objects.get(names.CONFIG_MAP.name, {})
        text = config_map.get("data", {}).get(names.CONFIG_KEY)
        autoscaler = objects.get(names.AUTOSCALER.name)
        scaled = inputs.spec.scaling_policy_ref is not None and autoscaler is not None
        return Observed(
            name=inputs.name,
            namespace=inputs.namespace,
            deployment=objects.get(names.DEPLOYMENT.name),
            autoscaler=autoscaler,
            min_replicas=int(autoscaler["spec"].get("minReplicas", 1)) if scaled and autoscaler else None,
            pods=pods,
            wanted_hash=serverconfig.document_hash(text) if text is not None else None,
            references=sum(ref is not None for ref in (inputs.spec.cache_policy_ref, inputs.spec.scaling_policy_ref)),
            unresolved=policies.unresolved(),
            failure=(failure.reason, failure.message) if failure else None,
            now=self.now(),
        )

    def _blind(self, manifest: Manifest, error: Permanent) -> Observed:
        """What is known of a ScanService whose spec can't be read: that, and nothing else."""
        meta = manifest["metadata"]
        return Observed(
            name=meta["name"],
            namespace=meta["namespace"],
            deployment=None,
            autoscaler=None,
            min_replicas=None,
            pods=(),
            wanted_hash=None,
            references=0,
            unresolved=(),
            failure=(error.reason, error.message),
            now=self.now(),
        )

    async def _refresh(self, pods: tuple[PodView, ...], wanted_hash: str | None) -> None:
        """Make kubelets look at the ConfigMap of pods that run an older document: by themselves they take a minute."""
        now = self.now()
        for pod in pods:
            stale = isinstance(pod.report, Report) and pod.report.configuration_hash != wanted_hash
            if wanted_hash is None or not stale:
                continue
            asked = pod.manifest["metadata"].get("annotations", {}).get(names.ANNOTATION_REFRESH, "")
            if not _asked_lately(asked, wanted_hash, now):
                value = f"{wanted_hash}@{now.isoformat(timespec='milliseconds')}"
                await self.cluster.annotate(names.POD, pod.manifest, {names.ANNOTATION_REFRESH: value})

    async def _report(self, manifest: Manifest, changes: tuple[Change, ...], seen: Observed) -> Result:
        verdicts = status.verdicts(seen)
        meta = manifest["metadata"]
        previous = manifest.get("status", {})
        wanted = {
            **status.fields(seen),
            "observedGeneration": meta["generation"],
            "conditions": conditions.merge(
                verdicts,
                previous.get("conditions", []),
                generation=meta["generation"],
                now=seen.now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            ),
        }
        if wanted != previous:
            await self.cluster.apply_status(names.SCAN_SERVICE, meta["namespace"], meta["name"], wanted)
        turned = conditions.transitions(verdicts, previous.get("conditions", []))
        happened = events.of_changes(changes) + events.of_transitions(turned)
        await events.emit(self.cluster, manifest, happened, seen.now)
        return Result(_again(wanted["conditions"], seen.now))


def inputs_of(manifest: Manifest, spec: ScanServiceSpec, policies: Policies, default_image: str) -> Inputs:
    """What the builders are given for this ScanService."""
    meta = manifest["metadata"]
    fixed = 1 if spec.replicas is None else spec.replicas
    return Inputs(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        spec=spec,
        cache=policies.cache if isinstance(policies.cache, CachePolicySpec) else None,
        scaling=policies.scaling if isinstance(policies.scaling, ScalingPolicySpec) else None,
        replicas=None if spec.scaling_policy_ref else fixed,
        default_image=default_image,
    )


def _held(policies: Policies, observed: dict[str, list[Manifest]]) -> frozenset[str]:
    """Kinds of children that stay exactly as they are, because the policy that decides about them is not to be had."""
    held = set()
    if isinstance(policies.cache, Unresolved) and observed[names.CONFIG_MAP.name]:
        held.add(names.CONFIG_MAP.name)
    if isinstance(policies.scaling, Unresolved) and observed[names.AUTOSCALER.name]:
        held.add(names.AUTOSCALER.name)
    return frozenset(held)


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
