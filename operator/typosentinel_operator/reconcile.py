"""One level-based reconcile per kind: gather, decide, apply, report. Safe to run at any time, any number of times."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from typosentinel_operator import (
    apply,
    conditions,
    events,
    gather,
    interventions,
    names,
    passes,
    readiness,
    specs,
    status,
)
from typosentinel_operator.apply import Circumstances, Contested, Owner
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired import children
from typosentinel_operator.errors import ClusterError, Permanent, Superseded
from typosentinel_operator.events import Outbox
from typosentinel_operator.names import Condition
from typosentinel_operator.observed import (
    Observed,
    Report,
)
from typosentinel_operator.passes import Pass
from typosentinel_operator.scrape import Scraper
from typosentinel_operator.specs import ScanServiceSpec
from typosentinel_operator.tokens import Tokens

Manifest = dict[str, Any]
Found = TypeVar("Found")

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
class Reconciler:
    """Reconciles ScanServices.

    Attributes:
        cluster: the API server.
        scraper: asks scanner pods.
        default_image: scanner image where a spec names none.
        now: the time, with zone.
        tokens: of administrative ports.
        outbox: for Events.
        contested: fields of children that admission changes back.
    """

    cluster: Cluster
    scraper: Scraper
    default_image: str
    now: Callable[[], datetime]
    tokens: Tokens
    outbox: Outbox
    contested: Contested = field(default_factory=Contested)

    async def scan_service(self, namespace: str, name: str) -> float | None:
        """Make one ScanService what its spec says.

        Returns:
            Seconds until it wants to be looked at again; None: a trigger will come.

        Raises:
            ClusterError: try again.
            Superseded: the same.
        """
        mirror = self.cluster.mirror
        manifest = mirror.get(names.SCAN_SERVICE, namespace, name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            # The children carry owner references: the garbage collector does the rest.
            self.tokens.forget(namespace, name)
            return None
        now = Pass(manifest, await gather.children(self.cluster, manifest), interventions.read(manifest, self.now()))
        now.applied.withheld = [] if now.interventions.frozen else None
        try:
            await self._realise(now)
        finally:
            # Also of a pass that goes no further, and before a status whose fate may stay unknown.
            self.outbox.put(manifest, events.of_changes(now.applied.changes), self.now())
        pods = await gather.pods(mirror, self.scraper, namespace, name)
        seen = passes.observation(now, pods, self.now())
        delay = await self._report(now, seen)
        if not now.interventions.frozen:
            await self._refresh(seen, anyway=now.token_made)
        trouble = now.interruption or now.unanswered
        if trouble is not None:
            raise trouble
        return delay

    async def _realise(self, now: Pass) -> None:
        """Write what has to be written; whatever stops that is kept for the report."""
        meta = now.manifest["metadata"]
        owner = Owner(meta["name"], meta["uid"])
        now.applied.objects |= passes.own(now.observed, owner)
        try:
            spec = specs.parse(ScanServiceSpec, now.manifest)
            now.references = sum(ref is not None for ref in (spec.cache_policy_ref, spec.scaling_policy_ref))
            now.policies = gather.policies(self.cluster.mirror, meta["namespace"], spec)
            now.config_maps = await _answered(now, gather.config_maps(self.cluster, meta["namespace"], spec))
            inputs = passes.inputs_of(
                now.manifest, spec, now.policies, self.default_image, now.applied.objects, now.interventions
            )
            now.secrets = await _answered(now, gather.secrets(self.cluster, meta["namespace"], spec, inputs.cache))
            inputs = replace(
                inputs,
                shard=self.cluster.mirror.scope.shard,
                kept=passes.mounts_kept(now),
                kept_secrets=passes.secrets_kept(now),
            )
            wanted = children.build(inputs)
            if not now.interventions.frozen:
                # Before the pods that mount it.
                offered = self.tokens.ensure(self.cluster, inputs, self.now(), now.applied)
                now.token_made = bool(await _answered(now, offered))
            first = passes.first_replicas(inputs, now.observed[names.AUTOSCALER.name])
            if apply.orphans(now.observed, owner) and not now.interventions.frozen:
                # By its deletion, perhaps: who is given an owner that has gone is removed.
                await self._confirm(now)
            circumstances = Circumstances(self.contested, self.now(), partial(self._confirm, now), first)
            await apply.apply(self.cluster, wanted, now.observed, owner, circumstances, now.applied)
            unwanted = apply.unwanted(passes.kept(wanted, now.policies), now.observed, owner)
            if unwanted and not now.interventions.frozen:
                await self._confirm(now)
            await apply.prune(self.cluster, unwanted, owner, now.applied)
        except Permanent as error:
            now.failure = error
        except ClusterError as error:
            now.interruption = error

    async def _confirm(self, now: Pass) -> None:
        """See to it that nothing is deleted, or adopted, because a watch lags behind what its author wants.

        Raises:
            Superseded: look again.
        """
        meta = now.manifest["metadata"]
        live = await self.cluster.get(names.SCAN_SERVICE, meta["namespace"], meta["name"])
        identity = ("uid", "generation")
        if live is None or any(live["metadata"][key] != meta[key] for key in identity):
            raise Superseded(f"ScanService {meta['name']} has changed since it was read; its children are left alone")

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
        turned = events.of_transitions(conditions.transitions(status.verdicts(seen), seen.previous))
        try:
            if wanted != now.manifest.get("status"):
                await self.cluster.apply_status(names.SCAN_SERVICE, now.manifest, wanted)
        except ClusterError as error:
            if error.status is None:
                # It may have been written, and then nobody sees the transition again: better told twice than never.
                self.outbox.put(now.manifest, turned, seen.now)
            raise
        self.outbox.put(now.manifest, turned, seen.now)
        return _sooner(_again(wanted["conditions"], seen.now), seen)


async def _answered(now: Pass, question: Coroutine[Any, Any, Found]) -> Found | None:
    """The answer to a question about what is not ours, or None: scanners are kept as they should be without it, too."""
    if now.unanswered is not None:
        # Where one fails, the next one is likely to, and each may take its time.
        question.close()
        return None
    try:
        return await question
    except ClusterError as error:
        if error.retry_after is not None:
            raise
        now.unanswered = error
        return None


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


def _sooner(delay: float | None, seen: Observed) -> float | None:
    """The same, and at the latest when an override ends."""
    override = seen.interventions.override
    if override is None:
        return delay
    left = max(0.0, (override.until - seen.now).total_seconds())
    return left if delay is None else min(delay, left)
