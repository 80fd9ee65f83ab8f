"""What was observed, as verdicts about a ScanService: the only writer of condition texts. Pure.

Ready means that the spec is realised: the children of this generation are applied, and at least
min(desired, minReplicas) pods of the current template have been ready with the current configuration for five
seconds. Reconciling and Stalled follow kstatus, so that Flux, Argo CD and `kubectl wait` can trust them.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from typosentinel_operator import names
from typosentinel_operator.conditions import Verdict
from typosentinel_operator.desired.inputs import selector_labels
from typosentinel_operator.names import Condition, Reason
from typosentinel_operator.observed import Observed, PodView, Report

Manifest = dict[str, Any]

# A pod that has been ready for a moment only may be about to fall over.
SETTLED_SECONDS: Final = 5.0


def endpoint(name: str, namespace: str) -> str:
    """Address inside the cluster at which scans are answered."""
    return f"http://{names.child_name(name)}.{namespace}.svc:{names.PORT}"


def fields(observed: Observed) -> Manifest:
    """The status without its conditions and observedGeneration."""
    deployment = observed.deployment or {}
    counts = deployment.get("status", {})
    return {
        "replicas": counts.get("replicas", 0),
        "readyReplicas": counts.get("readyReplicas", 0),
        "selector": ",".join(f"{key}={value}" for key, value in sorted(selector_labels(observed.name).items())),
        "endpoint": endpoint(observed.name, observed.namespace),
        **({"configurationHash": observed.wanted_hash} if observed.wanted_hash else {}),
    }


def verdicts(observed: Observed) -> tuple[Verdict, ...]:
    """All conditions of a ScanService."""
    ready = _ready(observed)
    stalled = observed.failure is not None
    settling = ready.status != "True" and not stalled
    return (
        ready,
        Verdict(
            Condition.RECONCILING,
            "True" if settling else "False",
            Reason.PROGRESSING if settling else (Reason.SETTLED if not stalled else ready.reason),
            ready.message if settling else "Nothing is under way",
        ),
        Verdict(
            Condition.STALLED,
            "True" if stalled else "False",
            ready.reason if stalled else Reason.NOT_STALLED,
            ready.message if stalled else "Nothing stops the operator",
        ),
        _policies(observed),
        _available(observed),
        _configuration(observed),
        _scaling(observed),
    )


def settled_pods(observed: Observed) -> int:
    """Pods that have been ready with the wanted configuration for SETTLED_SECONDS."""
    return sum(1 for pod in observed.pods if _is_settled(pod, observed))


def _is_settled(pod: PodView, observed: Observed) -> bool:
    if pod.ready_since is None or not isinstance(pod.report, Report):
        return False
    ready_for = observed.now - datetime.fromisoformat(pod.ready_since)
    return (
        pod.report.configuration_hash == observed.wanted_hash
        and pod.report.configuration_age >= SETTLED_SECONDS
        and ready_for >= timedelta(seconds=SETTLED_SECONDS)
    )


def _ready(observed: Observed) -> Verdict:
    for guard in (_failed, _unresolved, _not_rolled_out, _too_few_settled):
        found = guard(observed)
        if found is not None:
            reason, message = found
            return Verdict(Condition.READY, "False", reason, message)
    return Verdict(Condition.READY, "True", Reason.READY, f"{settled_pods(observed)} pods answer as specified")


def _failed(observed: Observed) -> tuple[str, str] | None:
    return observed.failure


def _unresolved(observed: Observed) -> tuple[str, str] | None:
    if not observed.unresolved:
        return None
    return observed.unresolved[0].reason, "; ".join(policy.message for policy in observed.unresolved)


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
        return Reason.ROLLING_OUT, f"{updated} of {floor} pods run the latest version{_trouble(observed)}"
    return None


def _too_few_settled(observed: Observed) -> tuple[str, str] | None:
    floor = _floor(observed)
    if settled_pods(observed) >= floor:
        return None
    ready = [pod for pod in observed.pods if pod.ready_since is not None]
    if len(ready) < floor:
        return Reason.PODS_NOT_READY, f"{len(ready)} of {floor} pods are ready{_trouble(observed)}"
    current = [pod for pod in ready if _runs_wanted(pod, observed)]
    if len(current) < floor:
        return (
            Reason.CONFIGURATION_PROPAGATING,
            f"{len(current)} of {floor} pods run the current configuration",
        )
    return (
        Reason.PODS_NOT_READY,
        f"{len(current)} of {floor} pods are ready, not yet for {SETTLED_SECONDS:g} s",
    )


def _trouble(observed: Observed) -> str:
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


def _floor(observed: Observed) -> int:
    """Pods that must answer: min(desired, minReplicas)."""
    desired = int((observed.deployment or {}).get("spec", {}).get("replicas", 1))
    return desired if observed.min_replicas is None else min(desired, observed.min_replicas)


def _runs_wanted(pod: PodView, observed: Observed) -> bool:
    return isinstance(pod.report, Report) and pod.report.configuration_hash == observed.wanted_hash


def _policies(observed: Observed) -> Verdict:
    if observed.unresolved:
        message = "; ".join(policy.message for policy in observed.unresolved)
        return Verdict(Condition.POLICY_RESOLVED, "False", observed.unresolved[0].reason, message)
    if not observed.references:
        return Verdict(Condition.POLICY_RESOLVED, "True", Reason.NO_POLICIES, "No policy is referred to")
    return Verdict(Condition.POLICY_RESOLVED, "True", Reason.POLICIES_RESOLVED, "Every policy referred to is in use")


def _available(observed: Observed) -> Verdict:
    deployment = observed.deployment or {}
    if deployment.get("spec", {}).get("replicas") == 0:
        return Verdict(Condition.AVAILABLE, "False", Reason.SCALED_TO_ZERO, "spec.replicas is 0: nothing answers")
    if deployment.get("status", {}).get("readyReplicas", 0) > 0:
        return Verdict(Condition.AVAILABLE, "True", Reason.ENDPOINTS_READY, "Scans are answered")
    return Verdict(Condition.AVAILABLE, "False", Reason.NO_ENDPOINTS, f"No pod answers{_trouble(observed)}")


def _configuration(observed: Observed) -> Verdict:
    asked = [pod for pod in observed.pods if pod.ready_since is not None]
    if not asked:
        return Verdict(Condition.CONFIGURATION_CURRENT, "Unknown", Reason.NO_PODS, "No pod is ready to be asked")
    stale = [pod for pod in asked if isinstance(pod.report, Report) and not _runs_wanted(pod, observed)]
    if stale:
        message = f"{len(stale)} of {len(asked)} pods still run an older configuration"
        return Verdict(Condition.CONFIGURATION_CURRENT, "False", Reason.CONFIGURATION_PROPAGATING, message)
    silent = [pod for pod in asked if not isinstance(pod.report, Report)]
    if silent:
        message = f"{len(silent)} of {len(asked)} pods did not say what they run"
        return Verdict(Condition.CONFIGURATION_CURRENT, "Unknown", Reason.PODS_UNREACHABLE, message)
    return Verdict(
        Condition.CONFIGURATION_CURRENT,
        "True",
        Reason.ALL_PODS_CURRENT,
        "Every pod runs the current configuration",
    )


def _scaling(observed: Observed) -> Verdict:
    if observed.min_replicas is None:
        return Verdict(Condition.SCALING_ACTIVE, "False", Reason.NO_SCALING_POLICY, "The number of pods is fixed")
    for condition in (observed.autoscaler or {}).get("status", {}).get("conditions", []):
        if condition["type"] == Condition.SCALING_ACTIVE:
            return Verdict(
                Condition.SCALING_ACTIVE,
                condition["status"],
                condition.get("reason", Reason.AUTOSCALER_PENDING),
                condition.get("message", ""),
            )
    message = "The HorizontalPodAutoscaler has not reported yet"
    return Verdict(Condition.SCALING_ACTIVE, "Unknown", Reason.AUTOSCALER_PENDING, message)
