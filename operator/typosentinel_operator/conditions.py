"""Conditions as values: how a list of them is merged, and which of them turned. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we now hold of one aspect.

    Attributes:
        type: constant of `names.Condition`.
        status: whether it holds.
        reason: constant of `names.Reason`.
        message: a sentence for people.
    """

    type: str
    status: Status
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A condition that changed its status or its reason.

    Attributes:
        verdict: what holds now.
        before: the status before, or None for a condition that is new.
    """

    verdict: Verdict
    before: str | None


def merge(
    verdicts: Iterable[Verdict], previous: Sequence[dict[str, Any]], *, generation: int, now: str
) -> list[dict[str, Any]]:
    """Conditions for the status, sorted by type; the transition time moves only when the status changes.

    Args:
        verdicts: what holds now.
        previous: the conditions that the object carries.
        generation: generation of the spec that the verdicts speak of.
        now: RFC 3339 time.
    """
    before = {condition["type"]: condition for condition in previous}
    merged = []
    for verdict in sorted(verdicts, key=lambda verdict: verdict.type):
        old = before.get(verdict.type)
        kept = old["lastTransitionTime"] if old and old["status"] == verdict.status else now
        merged.append(
            {
                "type": verdict.type,
                "status": verdict.status,
                "reason": verdict.reason,
                "message": verdict.message,
                "lastTransitionTime": kept,
                "observedGeneration": generation,
            }
        )
    return merged


def transitions(verdicts: Iterable[Verdict], previous: Sequence[dict[str, Any]]) -> tuple[Transition, ...]:
    """Conditions whose status or reason differs from what the object carries."""
    before = {condition["type"]: condition for condition in previous}
    found = []
    for verdict in verdicts:
        old = before.get(verdict.type)
        if old is None or (old["status"], old["reason"]) != (verdict.status, verdict.reason):
            found.append(Transition(verdict, old["status"] if old else None))
    return tuple(found)
