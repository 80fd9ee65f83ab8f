"""What makes the operator go: news put into the queue, keys dispatched to reconcilers, and the periodic resync.

A resync lists everything. It fills the mirror before the first key is worked on, and heals what a watch missed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from typosentinel_operator import names, policies
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError, Refused, Transient, WatchFailed
from typosentinel_operator.mirror import WATCHED, News, version_number
from typosentinel_operator.names import Kind
from typosentinel_operator.reconcile import Key, Reconciler
from typosentinel_operator.scope import Scope
from typosentinel_operator.telemetry import Telemetry
from typosentinel_operator.workqueue import WorkQueue

Manifest = dict[str, Any]
log = structlog.get_logger(__name__)

# A resync that failed is tried again soon: until it works nobody knows what was missed.
RESYNC_RETRY_SECONDS = 2.0
# What a list shows a watch that lives tells within this time.
HEARD_SECONDS = 3.0
# Operators of many clusters or shards that were started together don't ask together.
START_SPREAD_SECONDS = 0.5
# A pause between two resyncs is longer by up to this part of it.
JITTER = 0.1
# A policy counts its users after this time: one count serves a burst of events.
COUNT_DELAY_SECONDS = 1.0
# So many lists in a row out of the past mean that the past is back: somebody restored a backup of the cluster.
STALE_LISTS = 3


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
        resync_seconds: time between two resyncs.
        clock: monotonic seconds.
        now: the time, with zone.
        chance: a number from 0 to 1, for jitter.
        versions: policies as their users last heard of them.
    """

    cluster: Cluster
    reconciler: Reconciler
    telemetry: Telemetry
    resync_seconds: float
    clock: Callable[[], float]
    now: Callable[[], datetime]
    chance: Callable[[], float]
    versions: dict[Key, tuple[str, int] | None] = field(init=False, default_factory=dict)
    queue: WorkQueue[Key] = field(init=False)
    progress: Progress = field(init=False)
    _synced: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _stale_lists: int = field(init=False, default=0)
    # What lists have shown and no watch has told yet.
    _unheard: set[Key] = field(init=False, default_factory=set)
    # Namespaces that are not watched, because nothing may be read there.
    _left_out: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        self.queue = WorkQueue(self.process, self.telemetry, self.clock)
        self.progress = Progress(self.clock())

    @property
    def scope(self) -> Scope:
        """Which objects to look at."""
        return self.cluster.mirror.scope

    @property
    def longest_pause(self) -> float:
        """Seconds between two resyncs, at most, while nothing goes wrong."""
        return self.resync_seconds * (1.0 + JITTER)

    async def choose_namespaces(self) -> tuple[str, ...]:
        """Those to watch: all in which anything may be read. Empty: the whole cluster.

        Who deletes a namespace deletes our rights in it, too; that must not keep us from the others. One that comes
        back ends the process, and the next one watches it. Where nothing may be read anywhere all are returned.
        """
        refused = [name for name in self.scope.namespaces if not await self._may_read(name)]
        if refused and len(refused) < len(self.scope.namespaces):
            log.warning("namespaces are left out: are they, or the RoleBindings in them, gone?", left_out=refused)
            self._left_out = frozenset(refused)
        return tuple(name for name in self.scope.namespaces if name not in self._left_out)

    def heard(self, kind: Kind, manifest: Manifest, *, gone: bool) -> None:
        """Take in an event of a watch, and put what it concerns into the queue."""
        mirror = self.cluster.mirror
        news = mirror.miss(kind, manifest) if gone else mirror.see(kind, manifest)
        if self._unheard:
            self._unheard.discard(Key(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"]))
        if news is not None:
            self._pass_on(news)

    async def work(self, workers: int) -> None:
        """Work on keys for ever, once everything has been seen: before that every child would seem to be missing."""
        await self._synced.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.queue.run(workers))
            group.create_task(self.reconciler.outbox.run(self.queue.is_pressed))

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
        """Look at every object there is, again and again."""
        # A standby may have waited for days.
        self.progress.started = self.clock()
        delay = START_SPREAD_SECONDS * self.chance()
        while True:
            due = self.clock() + delay
            await asyncio.sleep(delay)
            self.telemetry.loop_drift.set(self.clock() - due)
            try:
                following = self.clock() + self.resync_seconds
                await self.resync()
                # A watch may be dead. What comes of our answer it won't tell either.
                while await self._missed() and self.clock() < following:
                    await self._look_at_all(first=False)
                delay = max(RESYNC_RETRY_SECONDS, following - self.clock())
            except ClusterError as error:
                log.warning("resync failed; will try again", error=str(error))
                delay = max(RESYNC_RETRY_SECONDS, error.retry_after or 0.0)
            # The replicas of a large fleet of operators must not fall into step.
            delay *= 1.0 + JITTER * self.chance()

    async def resync(self) -> None:
        """List everything that is watched, and enqueue what is there.

        Raises:
            ClusterError: a list could not be read; nothing is counted as synced.
        """
        first, started = self.progress.last_resync is None, self.clock()
        await self._look_at_all(first=first)
        for kind in names.CUSTOM_KINDS:
            found = self.cluster.mirror.names_of(kind)
            self.telemetry.objects.labels(kind.name).set(len(found))
            for namespace, name in found:
                key = Key(kind, namespace, name)
                # At start everything is wanted at once, and what users wait for first; later the keys are spread over
                # a quarter of the period.
                self.queue.add(
                    key, 0.0 if first else self.chance() * self.resync_seconds / 4, urgent=self._is_awaited(key)
                )
        self.progress.last_resync = self.clock()
        self.telemetry.resync_duration.set(self.progress.last_resync - started)
        self._synced.set()

    async def _look_at_all(self, *, first: bool) -> None:
        refused: dict[str | None, Refused] = {}
        namespaces = [name for name in self.scope.namespaces or (None,) if name not in self._left_out]
        try:
            for namespace in namespaces:
                try:
                    for kind in WATCHED:
                        await self._look(kind, namespace, first=first)
                except Refused as error:
                    refused[namespace] = error
            if len(refused) == len(namespaces):
                raise next(iter(refused.values()))
            for namespace, refusal in refused.items():
                log.warning("a namespace can't be looked at; the others are", namespace=namespace, error=str(refusal))
            self._stale_lists = 0
            await self._welcome_back()
        finally:
            self.progress.last_attempt = self.clock()

    async def _welcome_back(self) -> None:
        """End where a namespace that was left out may be read again: what watches is told of all of them at its start.

        Raises:
            WatchFailed: there is one.
        """
        for namespace in self._left_out:
            if await self._may_read(namespace):
                log.warning("a namespace can be read again; the process ends, and a new one watches it", back=namespace)
                raise WatchFailed(f"namespace {namespace} is not watched")

    async def _may_read(self, namespace: str) -> bool:
        selector = self.scope.label_selector(names.SCAN_SERVICE)
        try:
            async for _ in self.cluster.pages(names.SCAN_SERVICE, namespace, selector=selector):
                pass
        except ClusterError as error:
            # Of other troubles others tell.
            return not isinstance(error, Refused)
        return True

    async def _missed(self) -> bool:
        """Whether lists have shown something that no watch tells; where they have, watches get some time for it."""
        if not self._unheard:
            return False
        await asyncio.sleep(HEARD_SECONDS)
        missed, self._unheard = self._unheard, set()
        for key in missed:
            self.telemetry.resync_finds.labels(key.kind.name).inc()
        return bool(missed)

    async def _look(self, kind: Kind, namespace: str | None, *, first: bool) -> None:
        """List one kind, and pass on what no watch has told."""
        mirror = self.cluster.mirror
        known, version, present = mirror.latest(kind), 0, set[tuple[str, str]]()
        async for page in self.cluster.pages(kind, namespace, selector=self.scope.label_selector(kind)):
            version = version_number(page.version)
            self._refuse_the_past(kind, version, known)
            for manifest in page.items:
                try:
                    present.add((manifest["metadata"]["namespace"], manifest["metadata"]["name"]))
                    news = mirror.see(kind, manifest, listed=version)
                except (KeyError, TypeError, AttributeError):
                    raise ClusterError(f"the list of {kind.plural} holds what is none") from None
                self._found(news, first=first)
        for one in mirror.sweep(kind, namespace, present, version):
            self._found(one, first=first)

    def _refuse_the_past(self, kind: Kind, version: int, known: int) -> None:
        if not 0 < version < known:
            return
        self._stale_lists += 1
        if self._stale_lists >= STALE_LISTS:
            log.warning("lists stay older than what was seen: the cluster is taken as it is now", kind=kind.name)
            self.cluster.mirror.forget()
            self._stale_lists = 0
        raise ClusterError(f"the list of {kind.plural} is older than what has been seen of them")

    def _found(self, news: News | None, *, first: bool) -> None:
        # The first time everything is enqueued, whatever it is.
        if news is None or first:
            return
        # A pod comes and goes with its ScanService's shard, and no watch tells of that.
        if not (self.scope.shard and news.kind == names.POD):
            self._unheard.add(Key(news.kind, news.namespace, news.name))
        self._pass_on(news)

    def _pass_on(self, news: News) -> None:
        key = Key(news.kind, news.namespace, news.name)
        if news.kind in names.CUSTOM_KINDS:
            self.queue.add(key, urgent=self._is_awaited(key))
        delay = COUNT_DELAY_SECONDS if news.kind == names.SCAN_SERVICE else 0.0
        for kind, name in news.ties:
            self.queue.add(Key(kind, news.namespace, name), delay)

    def _is_awaited(self, key: Key) -> bool:
        """Whether somebody has changed the object and nobody has answered yet."""
        manifest = self.cluster.mirror.get(key.kind, key.namespace, key.name)
        if manifest is None:
            return False
        return bool(manifest.get("status", {}).get("observedGeneration") != manifest["metadata"]["generation"])

    async def _dispatch(self, key: Key) -> float | None:
        if key.kind == names.SCAN_SERVICE:
            return await self.reconciler.scan_service(key.namespace, key.name)
        seen = policies.see(self.cluster.mirror, key.kind, key.namespace, key.name)
        # Only a change concerns the users; a policy is looked at far more often, to count them. They come before the
        # report, which may fail for long.
        if self.versions.get(key, ("", 0)) != seen.version:
            for user in seen.users:
                self.queue.add(Key(names.SCAN_SERVICE, key.namespace, user), urgent=True)
        self.versions[key] = seen.version
        if seen.version is None and not seen.users:
            del self.versions[key]
        await policies.report(self.cluster, key.kind, key.namespace, key.name, len(seen.users), self.now())
        return None
