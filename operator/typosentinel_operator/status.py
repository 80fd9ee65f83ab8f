"""What was observed, as a status: counts, address and conditions. Pure.

Reconciling and Stalled follow kstatus, so that Flux, Argo CD and `kubectl wait` can trust them; `readiness` decides
about Ready.
"""

from datetime import UTC
from typing import Any, Final

from typosentinel_operator import conditions, names, readiness
from typosentinel_operator.conditions import Verdict
from typosentinel_operator.desired.inputs import selector_labels
from typosentinel_operator.interventions import Override, Pause
from typosentinel_operator.names import Condition, Reason
from typosentinel_operator.observed import Observed, Report

Manifest = dict[str, Any]

_DIRECTIONS: Final = {
    Pause.SCALE_IN: (Reason.SCALE_IN_PAUSED, "no pods are taken away"),
    Pause.SCALE_OUT: (Reason.SCALE_OUT_PAUSED, "no pods are added"),
}


def endpoint(name: str, namespace: str) -> str:
    """Address inside the cluster at which scans are answered."""
    return f"http://{names.child_name(name)}.{namespace}.svc:{names.PORT}"


def document(observed: Observed, generation: int) -> Manifest:
    """The whole status.

    Args:
        observed: what was seen, with the conditions that the object carries.
        generation: of the spec that it was compared with.
    """
    return {
        **fields(observed),
        "observedGeneration": generation,
        "conditions": conditions.merge(
            verdicts(observed),
            observed.previous,
            generation=generation,
            now=observed.now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        ),
    }


def fields(observed: Observed) -> Manifest:
    """The status without its conditions and observedGeneration."""
    deployment = observed.deployment or {}
    counts = deployment.get("status", {})
    return {
        "replicas": counts.get("replicas", 0),
        "readyReplicas": counts.get("readyReplicas", 0),
        "selector": ",".join(f"{key}={value}" for key, value in sorted(selector_labels(observed.name).items())),
        **({"endpoint": endpoint(observed.name, observed.namespace)} if observed.has_service else {}),
        **({"configurationHash": observed.wanted_hash} if observed.wanted_hash else {}),
    }


def verdicts(observed: Observed) -> tuple[Verdict, ...]:
    """All conditions of a ScanService."""
    ready = readiness.verdict(observed)
    stalled = readiness.waits_for_somebody(observed, ready)
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
        _references(observed),
        _available(observed),
        _configuration(observed),
        _scaling(observed),
        _paused(observed),
        _scaling_paused(observed),
        _overridden(observed),
    )


def _unseen(observed: Observed, condition: str) -> Verdict:
    """Of what could not be looked at: what was said before, unless nothing was, or the spec does not tell where."""
    if observed.failure is not None:
        message = "Nobody knows what is referred to, because the spec can't be used"
        return Verdict(condition, "Unknown", observed.failure[0], message)
    message = "The API server has not told yet what is there"
    return observed.before(condition) or Verdict(condition, "Unknown", Reason.NOT_LOOKED_AT, message)


def _policies(observed: Observed) -> Verdict:
    if observed.unresolved:
        message = "; ".join(policy.message for policy in observed.unresolved)
        return Verdict(Condition.POLICY_RESOLVED, "False", observed.unresolved[0].reason, message)
    if observed.references is None:
        return _unseen(observed, Condition.POLICY_RESOLVED)
    if not observed.references:
        return Verdict(Condition.POLICY_RESOLVED, "True", Reason.NO_POLICIES, "No policy is referred to")
    return Verdict(Condition.POLICY_RESOLVED, "True", Reason.POLICIES_RESOLVED, "Every policy referred to is in use")


def _references(observed: Observed) -> Verdict:
    if observed.missing:
        message = "; ".join(one.message for one in observed.missing)
        return Verdict(Condition.REFERENCES_RESOLVED, "False", observed.missing[0].reason, message)
    refused = readiness.refused_lists(observed)
    if refused:
        return Verdict(Condition.REFERENCES_RESOLVED, "False", Reason.LIST_REFUSED, "; ".join(refused))
    if not observed.looked:
        return _unseen(observed, Condition.REFERENCES_RESOLVED)
    if not observed.config_maps and not observed.secrets:
        message = "No ConfigMap or Secret is referred to"
        return Verdict(Condition.REFERENCES_RESOLVED, "True", Reason.NO_REFERENCES, message)
    message = "Every ConfigMap and Secret referred to exists"
    return Verdict(Condition.REFERENCES_RESOLVED, "True", Reason.REFERENCES_RESOLVED, message)


def _available(observed: Observed) -> Verdict:
    deployment = observed.deployment or {}
    if deployment.get("spec", {}).get("replicas") == 0:
        return Verdict(Condition.AVAILABLE, "False", Reason.SCALED_TO_ZERO, "spec.replicas is 0: nothing answers")
    if deployment.get("status", {}).get("readyReplicas", 0) > 0:
        return Verdict(Condition.AVAILABLE, "True", Reason.ENDPOINTS_READY, "Scans are answered")
    return Verdict(Condition.AVAILABLE, "False", Reason.NO_ENDPOINTS, f"No pod answers{readiness.trouble(observed)}")


def _configuration(observed: Observed) -> Verdict:
    asked = [pod for pod in observed.pods if pod.ready_since is not None]
    if not asked:
        return Verdict(Condition.CONFIGURATION_CURRENT, "Unknown", Reason.NO_PODS, "No pod is ready to be asked")
    stale = [pod for pod in asked if isinstance(pod.report, Report) and not readiness.runs_wanted(pod, observed)]
    if stale:
        message = f"{len(stale)} of {len(asked)} pods still run with an older configuration or list"
        return Verdict(Condition.CONFIGURATION_CURRENT, "False", Reason.CONFIGURATION_PROPAGATING, message)
    silent = [pod for pod in asked if not isinstance(pod.report, Report)]
    if silent:
        message = f"{len(silent)} of {len(asked)} pods did not say what they run"
        return Verdict(Condition.CONFIGURATION_CURRENT, "Unknown", Reason.PODS_UNREACHABLE, message)
    before = observed.before(Condition.CONFIGURATION_CURRENT)
    if observed.config_maps is None and observed.failure is None and before is not None:
        # Nobody knows what the lists of today are.
        return before
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


def _paused(observed: Observed) -> Verdict:
    asked = observed.interventions
    if asked.frozen:
        left = f": {'; '.join(observed.withheld)}" if observed.withheld else ""
        message = f"By {names.ANNOTATION_PAUSED}; children are left as they are{left}"
        return Verdict(Condition.PAUSED, "True", Reason.PAUSED, message)
    if asked.pause_trouble is not None:
        return Verdict(Condition.PAUSED, "False", Reason.INVALID_ANNOTATION, asked.pause_trouble)
    return Verdict(Condition.PAUSED, "False", Reason.NOT_PAUSED, "The operator keeps the children as specified")


def _scaling_paused(observed: Observed) -> Verdict:
    if observed.interventions.override is not None or observed.interventions.pause not in _DIRECTIONS:
        return Verdict(Condition.SCALING_PAUSED, "False", Reason.NOT_PAUSED, "Pods come and go as wanted")
    reason, message = _DIRECTIONS[observed.interventions.pause]
    return Verdict(Condition.SCALING_PAUSED, "True", reason, f"By {names.ANNOTATION_PAUSED}, {message}")


def _overridden(observed: Observed) -> Verdict:
    asked = observed.interventions
    if asked.override is not None:
        waits = ", but all is paused" if asked.frozen else ""
        message = f"{asked.override.replicas} pods until {_time(asked.override)}{waits}: {asked.override.reason}"
        return Verdict(Condition.OVERRIDE_ACTIVE, "True", Reason.OVERRIDE_IN_EFFECT, message)
    if asked.override_trouble is not None:
        return Verdict(Condition.OVERRIDE_ACTIVE, "False", Reason.INVALID_ANNOTATION, asked.override_trouble)
    if asked.ended is not None:
        message = f"It ended at {_time(asked.ended)}; its annotations may be taken off"
        return Verdict(Condition.OVERRIDE_ACTIVE, "False", Reason.OVERRIDE_ENDED, message)
    return Verdict(Condition.OVERRIDE_ACTIVE, "False", Reason.NO_OVERRIDE, "The number of pods is as specified")


def _time(override: Override) -> str:
    return override.until.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
