"""kstatus as a pure function: what Flux and other users of cli-utils make of a custom resource.

After `checkGenericProperties`, `checkGeneration` and `checkReadyCondition` in kubernetes-sigs/cli-utils,
pkg/kstatus/status/generic.go and status.go, as of v0.37.2, which says the same of every situation in `situations`.
Flux's own copy (fluxcd/cli-utils) shares these rules.
"""

from typing import Any, Final

CURRENT: Final = "Current"
FAILED: Final = "Failed"
IN_PROGRESS: Final = "InProgress"
TERMINATING: Final = "Terminating"

_MARKS: Final = {"Reconciling": IN_PROGRESS, "Stalled": FAILED}


def kstatus(manifest: dict[str, Any]) -> str:
    """Terminating, InProgress, Failed or Current.

    An object without a status is Current, for kstatus can't know that anybody will write one: that is why our
    definitions give every new object an observedGeneration of -1.
    """
    meta, status = manifest["metadata"], manifest.get("status", {})
    if meta.get("deletionTimestamp"):
        return TERMINATING
    if "generation" in meta and status.get("observedGeneration", meta["generation"]) != meta["generation"]:
        return IN_PROGRESS
    conditions = status.get("conditions", [])
    for condition in conditions:
        # In the order of the list: of two marks the first counts.
        if condition["status"] == "True" and condition["type"] in _MARKS:
            return _MARKS[condition["type"]]
    for condition in conditions:
        if condition["type"] == "Ready" and condition["status"] in {"True", "False", "Unknown"}:
            return CURRENT if condition["status"] == "True" else IN_PROGRESS
    return CURRENT
