"""Events on transitions: what `kubectl describe` and an event exporter show of an object's history."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import structlog
from prometheus_client import Counter

from typosentinel_operator import names
from typosentinel_operator.apply import Change
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.conditions import Transition
from typosentinel_operator.errors import ClusterError
from typosentinel_operator.names import Condition, Reason
from typosentinel_operator.packing import packed, unpacked

Manifest = dict[str, Any]
log = structlog.get_logger(__name__)

# Reconciling mirrors Ready, and a condition's first value is no transition unless somebody has to act.
_SILENT: Final = frozenset({Condition.RECONCILING})
_BAD_WHEN_TRUE: Final = frozenset({Condition.STALLED})
# Somebody wants it so: neither of their states is bad, but for annotations that nobody understands.
_WANTED: Final = frozenset({Condition.PAUSED, Condition.SCALING_PAUSED, Condition.OVERRIDE_ACTIVE})
_MAX_NOTE: Final = 1024
# Of some hundred bytes each.
MAX_WAITING: Final = 10_000
# Of an Event, where the API server asks to be left alone for a while; no longer than that at a time.
MAX_PATIENCE: Final = 60.0
# Five seconds, in steps of a tenth.
STANDS_BACK: Final = 50
STEP_SECONDS: Final = 0.1


def of_transitions(transitions: Iterable[Transition]) -> list[tuple[str, str, str]]:
    """(type, reason, note) of the Events that transitions deserve."""
    events = []
    for transition in transitions:
        verdict = transition.verdict
        # Unknown is no news: it says that we do not know yet.
        turned = transition.before not in {None, verdict.status} and verdict.status != "Unknown"
        bad = (verdict.status == "True") == (verdict.type in _BAD_WHEN_TRUE) and verdict.status != "Unknown"
        if verdict.type in _WANTED:
            bad = verdict.reason == Reason.INVALID_ANNOTATION
        demands_action = bad and verdict.reason in {
            Reason.POLICY_NOT_FOUND,
            Reason.CONFIG_MAP_NOT_FOUND,
            Reason.CONFIG_MAP_KEY_NOT_FOUND,
            Reason.LIST_REFUSED,
            Reason.SECRET_NOT_FOUND,
            Reason.INVALID_POLICY,
            Reason.INVALID_SPEC,
            Reason.NAME_CONFLICT,
            Reason.FOREIGN_AUTOSCALER,
            Reason.APPLY_REFUSED,
            Reason.INVALID_ANNOTATION,
        }
        if verdict.type in _SILENT or not (turned or demands_action):
            continue
        note = f"{verdict.type} is {verdict.status}: {verdict.message}"
        events.append(("Warning" if bad else "Normal", verdict.reason, note))
    return events


def of_changes(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """(type, reason, note) of the Events that writes deserve: one for all writes of a kind, which come in sixes."""
    told: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        told.setdefault(("Warning" if change.bad else "Normal", change.reason), []).append(change.message)
    return [(kind, reason, "; ".join(messages)) for (kind, reason), messages in told.items()]


class Outbox:
    """Events that wait to be written: one at a time, and behind what people wait for.

    An Event is worth less than what it tells of. It never stops a reconciliation, it is lost with the process, and of
    too many that wait the oldest are dropped.

    Args:
        cluster: where they are written.
        dropped: counts those that were not written, for which reason ever.
    """

    def __init__(self, cluster: Cluster, dropped: Counter) -> None:
        self._cluster = cluster
        self._dropped = dropped
        # As JSON, which is a third of what Python would make of it: a storm may leave thousands.
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()

    def put(self, regarding: Manifest, events: Iterable[tuple[str, str, str]], now: datetime) -> None:
        """Have (type, reason, note) told about an object."""
        for event in events:
            if len(self._waiting) == MAX_WAITING:
                self._waiting.popleft()
                self._dropped.inc()
            self._waiting.append(packed(_manifest(regarding, *event, now)))
            self._wake.set()

    async def run(self, busy: Callable[[], bool]) -> None:
        """Write for ever; while somebody waits for what is more important, each Event stands back for some seconds."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await _stand_back(busy)
                await asyncio.sleep(await self._write())

    async def finish(self, seconds: float) -> None:
        """Wait for the one that is being written, and write what still waits, as far as that goes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not await self._write() and self._waiting:
                    pass

    async def _write(self) -> float:
        """Write the next one; returns for how long the API server wants to be left alone."""
        async with self._turn:
            # The last one may have been written at the end of the process meanwhile.
            if not self._waiting:
                return 0.0
            text = self._waiting.popleft()
            manifest = unpacked(text)
            try:
                await self._cluster.create(names.EVENT, manifest)
            except ClusterError as error:
                if error.retry_after is not None and len(self._waiting) < MAX_WAITING:
                    self._waiting.appendleft(text)
                    return min(error.retry_after, MAX_PATIENCE)
                self._dropped.inc()
                log.warning("event not written", reason=manifest["reason"], note=manifest["note"], error=str(error))
            return 0.0


async def _stand_back(busy: Callable[[], bool]) -> None:
    for _ in range(STANDS_BACK):
        if not busy():
            return
        await asyncio.sleep(STEP_SECONDS)


def _manifest(regarding: Manifest, kind: str, reason: str, note: str, now: datetime) -> Manifest:
    meta = regarding["metadata"]
    digest = hashlib.sha256(f"{meta['uid']}{reason}{note}{now.isoformat()}".encode()).hexdigest()[:16]
    return {
        "apiVersion": names.EVENT.api_version,
        "kind": names.EVENT.name,
        "metadata": {"name": f"{meta['name']}.{digest}", "namespace": meta["namespace"]},
        "eventTime": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "reportingController": f"{names.GROUP}/operator",
        "reportingInstance": names.FIELD_MANAGER,
        "action": "Reconcile",
        "type": kind,
        "reason": reason,
        "note": note[:_MAX_NOTE],
        "regarding": {
            "apiVersion": regarding["apiVersion"],
            "kind": regarding["kind"],
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
        },
    }
