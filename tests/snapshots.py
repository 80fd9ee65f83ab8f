"""What must hold of every status that the operator writes, and of each compared with the one before."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from argohealth import health
from kstatus import CURRENT, FAILED, IN_PROGRESS, TERMINATING, kstatus
from typosentinel_operator import names

Manifest = dict[str, Any]

FIELDS: Final = {"type", "status", "reason", "message", "lastTransitionTime", "observedGeneration"}
# What Argo CD may say where kstatus says this.
_HEALTH: Final = {
    CURRENT: {"Healthy", "Suspended"},
    IN_PROGRESS: {"Progressing", "Suspended"},
    FAILED: {"Degraded", "Suspended"},
    TERMINATING: {"Progressing"},
}


def complaints(history: Sequence[Manifest]) -> list[str]:
    """What is wrong with the states of one object, the oldest first."""
    found = [f"{_name(one)}: {words}" for one in history for words in _alone(one)]
    return found + [
        f"{_name(after)}: {words}" for before, after in pairwise(history) for words in _turned(before, after)
    ]


def of_all(seen: Iterable[Manifest]) -> list[str]:
    """What is wrong with the states of many objects."""
    return [words for history in histories(seen) for words in complaints(history)]


def histories(seen: Iterable[Manifest]) -> list[list[Manifest]]:
    """States of many objects, as they were seen, by object; a state that was seen again is left out."""
    by_uid: dict[str, dict[str, Manifest]] = {}
    for manifest in seen:
        meta = manifest["metadata"]
        by_uid.setdefault(meta["uid"], {}).setdefault(meta["resourceVersion"], manifest)
    return [list(states.values()) for states in by_uid.values()]


def _alone(manifest: Manifest) -> Iterator[str]:
    meta, status = manifest["metadata"], manifest.get("status", {})
    conditions = status.get("conditions", [])
    observed = status.get("observedGeneration")
    if observed is None:
        yield "no observedGeneration, not even the default"
        return
    if observed > meta["generation"]:
        yield f"observedGeneration {observed} is above generation {meta['generation']}"
    if bool(conditions) != (observed != -1):
        yield f"observedGeneration {observed} with {len(conditions)} conditions"
    for condition in conditions:
        if set(condition) != FIELDS:
            yield f"{condition.get('type')} has the fields {sorted(condition)}"
        elif condition["observedGeneration"] != observed:
            yield f"{condition['type']} speaks of generation {condition['observedGeneration']}, not of {observed}"
    yield from _states(manifest, {one.get("type"): one.get("status") for one in conditions})


def _states(manifest: Manifest, states: dict[str | None, str | None]) -> Iterator[str]:
    """Ready, Reconciling and Stalled: exactly one is true. Policies are never under way."""
    wanted = (
        ["Ready", "Reconciling", "Stalled"] if manifest["kind"] == names.SCAN_SERVICE.name else ["Ready", "Stalled"]
    )
    if states:
        for aspect in wanted:
            if states.get(aspect) not in {"True", "False"}:
                yield f"{aspect} is {states.get(aspect)}"
        if [states.get(aspect) for aspect in wanted].count("True") != 1:
            yield "not exactly one is true of " + ", ".join(f"{aspect} ({states.get(aspect)})" for aspect in wanted)
    seen, (shown, message) = kstatus(manifest), health(manifest)
    if shown not in _HEALTH[seen]:
        yield f"kstatus says {seen}, Argo CD {shown} ({message})"
    present = manifest["status"]["observedGeneration"] == manifest["metadata"]["generation"] and seen != TERMINATING
    if (shown == "Suspended") != (present and states.get("Paused") == "True"):
        yield f"Argo CD says {shown}, Paused is {states.get('Paused')}"


def _turned(before: Manifest, after: Manifest) -> Iterator[str]:
    """What the step from one state to the next must not do."""
    old, new = before.get("status", {}), after.get("status", {})
    if new.get("observedGeneration", -1) < old.get("observedGeneration", -1):
        yield f"observedGeneration goes back from {old.get('observedGeneration')} to {new.get('observedGeneration')}"
    was = {one["type"]: one for one in old.get("conditions", [])}
    for condition in new.get("conditions", []):
        earlier = was.pop(condition["type"], None)
        if earlier is None:
            continue
        turned = earlier["status"] != condition["status"]
        # To the second: a condition that turns twice in one keeps its time.
        if not turned and earlier["lastTransitionTime"] != condition["lastTransitionTime"]:
            yield f"{condition['type']} has not turned, but its lastTransitionTime has"
        if turned and condition["lastTransitionTime"] < earlier["lastTransitionTime"]:
            yield f"{condition['type']} has turned before it turned last"
    if was:
        yield f"gone: {', '.join(sorted(was))}"


def _name(manifest: Manifest) -> str:
    meta = manifest["metadata"]
    return f"{manifest['kind']} {meta['namespace']}/{meta['name']} at {meta['resourceVersion']}"
