"""What people ask of the operator by annotations that are in no repository: to pause, or to run so many pods.

Annotations and not the spec, because a GitOps tool puts a spec right that somebody has changed by hand. Pure.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from typosentinel_operator import names
from typosentinel_operator.scalingspec import ScalingBehavior, ScalingPolicySpec, ScalingRules

Manifest = dict[str, Any]

MOST_REPLICAS: Final = 1000
_MAX_REASON: Final = 200
_MOST_DIGITS: Final = len(str(MOST_REPLICAS))


class Pause(StrEnum):
    """What the annotation may say."""

    ALL = "all"
    SCALE_IN = "scale-in"
    SCALE_OUT = "scale-out"


@dataclass(frozen=True, slots=True)
class Override:
    """So many pods, whatever the spec or the autoscaler wants.

    Attributes:
        replicas: number of pods.
        until: when it ends, with zone.
        reason: for people.
    """

    replicas: int
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Interventions:
    """What is asked for, as far as it can be understood.

    Attributes:
        pause: what is paused, or None.
        override: the one in effect, or None.
        ended: one whose time is over, and whose annotations are still there.
        pause_trouble: why the annotation about a pause can't be understood, or None.
        override_trouble: the same of those about an override.
    """

    pause: Pause | None = None
    override: Override | None = None
    ended: Override | None = None
    pause_trouble: str | None = None
    override_trouble: str | None = None

    @property
    def frozen(self) -> bool:
        """Whether nothing at all is to be written to the children."""
        return self.pause is Pause.ALL

    def replicas(self, wanted: int, present: int | None) -> int:
        """A fixed number of pods.

        Args:
            wanted: by the spec.
            present: what the Deployment has now, None where there is none yet.
        """
        if self.override is not None:
            return self.override.replicas
        if present is None:
            return wanted
        if self.pause is Pause.SCALE_IN:
            return max(wanted, present)
        return min(wanted, present) if self.pause is Pause.SCALE_OUT else wanted

    def scaling(self, policy: ScalingPolicySpec, present: int | None) -> ScalingPolicySpec:
        """A policy with what is asked for. Bounds move with a pause: an autoscaler enforces them at once.

        Args:
            policy: as it is written.
            present: pods that the Deployment has now, None where there is none yet.
        """
        if self.override is not None:
            number = self.override.replicas
            return policy.model_copy(update={"min_replicas": number, "max_replicas": number})
        behavior = policy.behavior or ScalingBehavior()
        if self.pause is Pause.SCALE_IN:
            down = (behavior.scale_down or ScalingRules()).model_copy(update={"select_policy": "Disabled"})
            most = max(policy.max_replicas, present or 0)
            changed = {"behavior": behavior.model_copy(update={"scale_down": down}), "max_replicas": most}
            return policy.model_copy(update=changed)
        if self.pause is Pause.SCALE_OUT:
            up = (behavior.scale_up or ScalingRules()).model_copy(update={"select_policy": "Disabled"})
            least = max(1, min(policy.min_replicas, present if present is not None else policy.min_replicas))
            changed = {"behavior": behavior.model_copy(update={"scale_up": up}), "min_replicas": least}
            return policy.model_copy(update=changed)
        return policy


def read(manifest: Manifest, now: datetime) -> Interventions:
    """What a ScanService's annotations ask for.

    Args:
        manifest: the ScanService; whether an autoscaler decides about its pods tells what number may be asked for.
        now: the time, with zone.
    """
    annotations = manifest["metadata"].get("annotations", {})
    scaled = "scalingPolicyRef" in manifest.get("spec", {})
    pause, pause_trouble = _pause(annotations.get(names.ANNOTATION_PAUSED))
    found = _override(annotations, scaled=scaled)
    trouble = found if isinstance(found, str) else None
    override = found if isinstance(found, Override) else None
    over = override is not None and override.until <= now
    return Interventions(
        pause=pause,
        override=None if over else override,
        ended=override if over else None,
        pause_trouble=pause_trouble,
        override_trouble=trouble,
    )


def _pause(value: str | None) -> tuple[Pause | None, str | None]:
    if value is None:
        return None, None
    try:
        return Pause(value), None
    except ValueError:
        allowed = ", ".join(Pause)
        return None, f'{names.ANNOTATION_PAUSED} is "{value[:50]}": give it one of {allowed}, or take it off'


def _override(annotations: dict[str, str], *, scaled: bool) -> Override | str | None:
    """The override, or why it is none; None where nobody asks for one."""
    given = {key: annotations[key] for key in names.OVERRIDE_ANNOTATIONS if key in annotations}
    if not given:
        return None
    missing = [key for key in names.OVERRIDE_ANNOTATIONS if not given.get(key, "").strip()]
    if missing:
        return f"An override needs {', '.join(names.OVERRIDE_ANNOTATIONS)}; not given: {', '.join(missing)}"
    number, until = given[names.ANNOTATION_OVERRIDE_REPLICAS], given[names.ANNOTATION_OVERRIDE_UNTIL]
    least = 1 if scaled else 0
    # Bounded before it is read: Python refuses to read a number of thousands of digits.
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS else -1
    if not least <= wanted <= MOST_REPLICAS:
        return f'{names.ANNOTATION_OVERRIDE_REPLICAS} is "{number[:50]}": give a number from {least} to {MOST_REPLICAS}'
    end = _time(until)
    if end is None:
        return (
            f'{names.ANNOTATION_OVERRIDE_UNTIL} is "{until[:50]}": give a time with its zone, as 2026-11-21T18:00:00Z'
        )
    return Override(wanted, end, given[names.ANNOTATION_OVERRIDE_REASON].strip()[:_MAX_REASON])


def _time(text: str) -> datetime | None:
    """A time with a zone, in UTC; None where it is none, or beyond the years that there are."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
