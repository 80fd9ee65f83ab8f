"""Events on transitions: what `kubectl describe` and an event exporter show of an object's history."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import structlog

from typosentinel_operator import names
from typosentinel_operator.apply import Change
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.conditions import Transition
from typosentinel_operator.errors import ClusterError
from typosentinel_operator.names import Condition, Reason

Manifest = dict[str, Any]
log = structlog.get_logger(__name__)

# Reconciling mirrors Ready, and a condition's first value is no transition unless somebody has to act.
_SILENT: Final = frozenset({Condition.RECONCILING})
_BAD_WHEN_TRUE: Final = frozenset({Condition.STALLED})
# Somebody wants it so: neither of their states is bad, but for annotations that nobody understands.
_WANTED: Final = frozenset({Condition.PAUSED, Condition.SCALING_PAUSED, Condition.OVERRIDE_ACTIVE})
_MAX_NOTE: Final = 1024


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
            Reason.APPLY_REFUSED,
            Reason.INVALID_ANNOTATION,
        }
        if verdict.type in _SILENT or not (turned or demands_action):
            continue
        note = f"{verdict.type} is {verdict.status}: {verdict.message}"
        events.append(("Warning" if bad else "Normal", verdict.reason, note))
    return events


def of_changes(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """(type, reason, note) of the Events that writes deserve."""
    return [("Warning" if change.bad else "Normal", change.reason, change.message) for change in changes]


async def emit(cluster: Cluster, regarding: Manifest, events: Iterable[tuple[str, str, str]], now: datetime) -> None:
    """Write Events about an object. An Event that can't be written is logged: it must never stop a reconciliation."""
    meta = regarding["metadata"]
    for kind, reason, note in events:
        digest = hashlib.sha256(f"{meta['uid']}{reason}{note}{now.isoformat()}".encode()).hexdigest()[:16]
        manifest = {
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
        try:
            await cluster.create(names.EVENT, manifest)
        except ClusterError as error:
            log.warning("event not written", reason=reason, note=note, error=str(error))
