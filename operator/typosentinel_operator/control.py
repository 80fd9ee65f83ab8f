"""What makes the operator go: dispatch of keys to reconcilers, and the periodic resync that heals missed events."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from typosentinel_operator import names, policies
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError, Transient
from typosentinel_operator.reconcile import Key, Reconciler
from typosentinel_operator.telemetry import Telemetry
from typosentinel_operator.workqueue import WorkQueue

log = structlog.get_logger(__name__)

# A resync that failed is tried again soon: until it works nobody knows what was missed.
RESYNC_RETRY_SECONDS = 2.0


@dataclass(slots=True)
class Progress:
    """Signs of life for the probes, in monotonic seconds."""

    started: float
    last_attempt: float | None = None
    last_resync: float | None = None


@dataclass(slots=True)
class Control:
    """Dispatches keys and resyncs.

    Attributes:
        cluster: the API server.
        reconciler: reconciles ScanServices.
        telemetry: the operator's collectors.
        namespaces: namespaces to look at; empty: all.
        resync_seconds: time between two resyncs.
        clock: monotonic seconds.
        now: the time, with zone.
        chance: a number from 0 to 1, for jitter.
        versions: policies as their users last heard of them.
    """

    cluster: Cluster
    reconciler: Reconciler
    telemetry: Telemetry
    namespaces: tuple[str, ...]
    resync_seconds: float
    clock: Callable[[], float]
    now: Callable[[], datetime]
    chance: Callable[[], float]
    versions: dict[Key, tuple[str, int] | None] = field(init=False, default_factory=dict)
    queue: WorkQueue[Key] = field(init=False)
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.queue = WorkQueue(self.process, self.telemetry, self.clock)
        self.progress = Progress(self.clock())

    async def process(self, key: Key) -> float | None:
        """Reconcile one key; returns seconds until it wants to run again."""
        started = self.clock()
        outcome = "crashed"
        try:
            delay = await self._dispatch(key)
            outcome = "ok"
        except Transient:
            outcome = "transient"
            raise
        else:
            return delay
        finally:
            self.telemetry.reconciles.labels(key.kind.name, outcome).inc()
            self.telemetry.reconcile_duration.labels(key.kind.name).observe(self.clock() - started)

    async def resync_forever(self) -> None:
        """Enqueue every object there is, again and again."""
        # A standby may have waited for days.
        self.progress.started = self.clock()
        while True:
            try:
                await self.resync()
                delay = self.resync_seconds
            except ClusterError as error:
                log.warning("resync failed; will try again", error=str(error))
                delay = RESYNC_RETRY_SECONDS
            self.progress.last_attempt = self.clock()
            # Ten percent of jitter: the replicas of a large fleet of operators must not fall into step.
            await asyncio.sleep(delay * (0.95 + 0.1 * self.chance()))

    async def resync(self) -> None:
        """List the three kinds and enqueue what is there.

        Raises:
            ClusterError: a list could not be read; nothing is counted as synced.
        """
        first = self.progress.last_resync is None
        for kind in names.CUSTOM_KINDS:
            found = [item for scope in self.namespaces or (None,) for item in await self.cluster.list(kind, scope)]
            self.telemetry.objects.labels(kind.name).set(len(found))
            for item in found:
                key = Key(kind, item["metadata"]["namespace"], item["metadata"]["name"])
                # At start everything is wanted at once; later the keys are spread over a quarter of the period.
                self.queue.add(key, 0.0 if first else self.chance() * self.resync_seconds / 4)
        self.progress.last_resync = self.clock()

    async def _dispatch(self, key: Key) -> float | None:
        if key.kind == names.SCAN_SERVICE:
            return await self.reconciler.scan_service(key.namespace, key.name)
        seen = await policies.reconcile(self.cluster, key.kind, key.namespace, key.name, self.now())
        # Only a change concerns the users; a policy is looked at far more often, to count them.
        if self.versions.get(key, ("", 0)) != seen.version:
            for user in seen.users:
                self.queue.add(Key(names.SCAN_SERVICE, key.namespace, user))
        self.versions[key] = seen.version
        if seen.version is None and not seen.users:
            del self.versions[key]
        return None
