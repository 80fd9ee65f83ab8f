"""When is a ScanService Ready? Guards in order; the first that speaks wins, and silence of all means yes. Pure.

Ready means that the spec is realised: the children of this generation are applied, and at least
min(desired, minReplicas) pods of the current template have been ready with the current configuration for five
seconds. Trouble at run time beyond that has conditions of its own.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from typosentinel_operator import names, specs
from typosentinel_operator.conditions import Verdict
from typosentinel_operator.names import Condition, Reason
from typosentinel_operator.observed import ConfigMapView, ListReport, Observed, PodView, Report

Guard = Callable[[Observed], tuple[str, str] | None]

# A pod that has been ready for a moment only may be about to fall over.
SETTLED_SECONDS: Final = 5.0
# A pod that does not answer one question may be busy; Ready is not given up for less than this.
SILENCE_SECONDS: Final = 15.0
# Of a server's words about a list that it refuses.
_MAX_ERROR: Final = 400
# What is there and wrong stays so until its author comes; what is missing may come with the next object applied.
_MISTAKES: Final = frozenset({Reason.INVALID_POLICY, Reason.CONFIG_MAP_KEY_NOT_FOUND, Reason.LIST_REFUSED})
# Reasons to wait for pods, which Kubernetes does up to the Deployment's deadline.
_WAITING_FOR_PODS: Final = frozenset({Reason.ROLLING_OUT, Reason.PODS_NOT_READY})


def verdict(observed: Observed) -> Verdict:
    """The condition Ready."""
    for guard in GUARDS:
        found = guard(observed)
        if found is not None:
            reason, message = found
            return Verdict(Condition.READY, "False", reason, message)
    count = len([pod for pod in observed.pods if _is_settled(pod, observed)])
    return Verdict(Condition.READY, "True", Reason.READY, f"{count} pods answer as specified")


def waits_for_somebody(observed: Observed, ready: Verdict) -> bool:
    """Whether the spec won't be realised before somebody acts: on an object that is wrong, or a rollout out of time.

    Args:
        observed: what was seen.
        ready: the condition Ready that was made of it.
    """
    if observed.failure is not None:
        # The child that can't be changed is made anew by ourselves, in a moment.
        return observed.failure[0] != Reason.CHILD_UNCHANGEABLE
    if observed.interruption is not None:
        return False
    reasons = {ready.reason, *(one.reason for one in observed.unresolved or observed.missing)}
    return bool(reasons & _MISTAKES) or (ready.reason in _WAITING_FOR_PODS and _out_of_time(observed))


def trouble(observed: Observed) -> str:
    """Why pods do not come up, in the kubelet's own words, where it has any."""
    for pod in observed.pods:
        for container in pod.manifest["status"].get("containerStatuses", []):
            waiting = container.get("state", {}).get("waiting", {})
            if waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
                return f": {waiting['reason']}, {waiting.get('message', 'no message')}"
    for condition in (observed.deployment or {}).get("status", {}).get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return f": {condition.get('message', condition.get('reason', ''))}"
    return ""


def runs_wanted(pod: PodView, observed: Observed) -> bool:
    """Whether the pod says that it runs with the configuration that it should, and has seen the lists of today."""
    if not isinstance(pod.report, Report) or pod.report.configuration_hash != observed.wanted_hash:
        return False
    told = _documents(pod.report, observed)
    return all(one.digest is None or said.digest == one.digest for one, said in told)


def refused_lists(observed: Observed) -> list[str]:
    """Sentences about lists that pods have seen as they are and do not take."""
    asked = [pod.report for pod in observed.pods if isinstance(pod.report, Report)]
    errors: dict[ConfigMapView, list[str]] = {}
    for report in asked:
        for one, said in _documents(report, observed):
            if said.error is not None and one.digest is not None and said.digest == one.digest:
                errors.setdefault(one, []).append(said.error)
    return [
        f'ConfigMap "{one.name}" of {one.field} is refused by {len(found)} of {len(asked)} pods: {_first(found[0])}; '
        "correct it; until then they go on with the last good list, or without one"
        for one, found in errors.items()
    ]


def _failed(observed: Observed) -> tuple[str, str] | None:
    return observed.failure


def _interrupted(observed: Observed) -> tuple[str, str] | None:
    if observed.interruption is None:
        return None
    return Reason.APPLY_FAILING, f"The API server does not take our changes at the moment: {observed.interruption}"


def _withheld(observed: Observed) -> tuple[str, str] | None:
    if not observed.withheld:
        return None
    return Reason.PAUSED, f"Paused, so that not all is as specified: {'; '.join(observed.withheld)}"


def _unresolved(observed: Observed) -> tuple[str, str] | None:
    found = observed.unresolved or observed.missing
    if found:
        return found[0].reason, "; ".join(one.message for one in found)
    before = observed.before(Condition.REFERENCES_RESOLVED)
    # What was missing may still be: that a look fails is no news.
    return (before.reason, before.message) if not observed.looked and before and before.status == "False" else None


def _refused(observed: Observed) -> tuple[str, str] | None:
    found = refused_lists(observed)
    return (Reason.LIST_REFUSED, "; ".join(found)) if found else None


def _not_rolled_out(observed: Observed) -> tuple[str, str] | None:
    deployment = observed.deployment
    if deployment is None:
        return Reason.ROLLING_OUT, "The Deployment has not been seen yet"
    counts = deployment.get("status", {})
    if counts.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return Reason.ROLLING_OUT, "Kubernetes has not yet taken up the Deployment's latest change"
    floor = _floor(observed)
    updated = counts.get("updatedReplicas", 0)
    if updated < floor:
        return Reason.ROLLING_OUT, f"{updated} of {floor} pods of the current version exist{trouble(observed)}"
    return None


def _out_of_time(observed: Observed) -> bool:
    """Whether Kubernetes has given up on the Deployment's present version, which it says of no older one."""
    deployment = observed.deployment or {}
    counts = deployment.get("status", {})
    if counts.get("observedGeneration", 0) < deployment.get("metadata", {}).get("generation", 0):
        return False
    return any(
        condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded"
        for condition in counts.get("conditions", [])
    )


def _too_few_ready(observed: Observed) -> tuple[str, str] | None:
    floor = _floor(observed)
    ready = len(_ready(observed))
    if ready >= floor:
        return None
    return Reason.PODS_NOT_READY, f"{ready} of {floor} pods of the current version are ready{trouble(observed)}"


def _too_few_current(observed: Observed) -> tuple[str, str] | None:
    floor = _floor(observed)
    ready = _ready(observed)
    current = [pod for pod in ready if runs_wanted(pod, observed)]
    if len(current) >= floor:
        return None
    silent = [pod for pod in ready if not isinstance(pod.report, Report)]
    if len(current) + len(silent) < floor:
        return (
            Reason.CONFIGURATION_PROPAGATING,
            f"{len(current)} of {floor} pods run the current configuration and lists",
        )
    if _was_ready(observed) and _silent_for(observed) < SILENCE_SECONDS:
        return None
    return Reason.PODS_UNREACHABLE, f"{len(silent)} ready pods do not say what they run: {_words(silent)}"


def _too_fresh(observed: Observed) -> tuple[str, str] | None:
    floor = _floor(observed)
    # Pods that do not answer have been judged by the guard before this one.
    settled = [pod for pod in _ready(observed) if _is_settled(pod, observed) or not isinstance(pod.report, Report)]
    if len(settled) >= floor:
        return None
    return (
        Reason.PODS_NOT_READY,
        f"{floor - len(settled)} of {floor} pods have been ready for less than {SETTLED_SECONDS:g} s",
    )


GUARDS: Final[tuple[Guard, ...]] = (
    _failed,
    _interrupted,
    _withheld,
    _unresolved,
    _not_rolled_out,
    _too_few_ready,
    _too_few_current,
    _refused,
    _too_fresh,
)


def _floor(observed: Observed) -> int:
    """Pods that must answer: min(desired, minReplicas)."""
    desired = int((observed.deployment or {}).get("spec", {}).get("replicas", 1))
    return desired if observed.min_replicas is None else min(desired, observed.min_replicas)


def _ready(observed: Observed) -> list[PodView]:
    """Ready pods that were made from the Deployment's present template."""
    template = (observed.deployment or {}).get("spec", {}).get("template", {})
    wanted = template.get("metadata", {}).get("labels", {}).get(names.LABEL_TEMPLATE)
    return [
        pod
        for pod in observed.pods
        if pod.ready_since is not None
        and pod.manifest["metadata"].get("labels", {}).get(names.LABEL_TEMPLATE) == wanted
    ]


def _is_settled(pod: PodView, observed: Observed) -> bool:
    if pod.ready_since is None or not isinstance(pod.report, Report) or not runs_wanted(pod, observed):
        return False
    ready_for = observed.now - datetime.fromisoformat(pod.ready_since)
    return pod.report.configuration_age >= SETTLED_SECONDS and ready_for >= timedelta(seconds=SETTLED_SECONDS)


def _was_ready(observed: Observed) -> bool:
    return any(was["type"] == Condition.READY and was["status"] == "True" for was in observed.previous)


def _silent_for(observed: Observed) -> float:
    """Seconds since pods stopped answering, which ConfigurationCurrent remembers."""
    for was in observed.previous:
        if was["type"] == Condition.CONFIGURATION_CURRENT and was["reason"] == Reason.PODS_UNREACHABLE:
            return (observed.now - datetime.fromisoformat(was["lastTransitionTime"])).total_seconds()
    return 0.0


def _documents(report: Report, observed: Observed) -> list[tuple[ConfigMapView, ListReport]]:
    """Documents in ConfigMaps, and what a server says of them; servers of old say nothing."""
    named = [(one, specs.DOCUMENTS[one.field][0]) for one in observed.config_maps or () if one.field in specs.DOCUMENTS]
    return [(one, report.lists[name]) for one, name in named if name in report.lists]


def _first(error: str) -> str:
    line, *others = error.splitlines() or [""]
    return line[:_MAX_ERROR] + (f" (and {len(others)} more)" if others else "")


def _words(silent: list[PodView]) -> str:
    return "; ".join(sorted({pod.report.reason for pod in silent if not isinstance(pod.report, Report)}))
