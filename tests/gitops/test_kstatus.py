"""kstatus itself: its rules and their order, each by an object of which it alone decides."""

from typing import Any

import pytest

from kstatus import CURRENT, FAILED, IN_PROGRESS, TERMINATING, kstatus


def found(*conditions: tuple[str, str], observed: int | None = 3, **meta: Any) -> dict[str, Any]:
    """An object of generation 3 with these conditions."""
    status: dict[str, Any] = {"conditions": [{"type": aspect, "status": value} for aspect, value in conditions]}
    if observed is not None:
        status["observedGeneration"] = observed
    return {"metadata": {"generation": 3, **meta}, "status": status}


@pytest.mark.parametrize(
    ("manifest", "wanted"),
    [
        ({"metadata": {"generation": 1}}, CURRENT),
        ({"metadata": {"generation": 1}, "status": {}}, CURRENT),
        ({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}}, IN_PROGRESS),
        ({"metadata": {}, "status": {"observedGeneration": 1}}, CURRENT),
        (found(("Ready", "True")), CURRENT),
        (found(("Ready", "True"), observed=None), CURRENT),
        (found(("Ready", "True"), observed=2), IN_PROGRESS),
        (found(("Stalled", "True"), observed=2), IN_PROGRESS),
        (found(("Ready", "False")), IN_PROGRESS),
        (found(("Ready", "Unknown")), IN_PROGRESS),
        (found(("Ready", "True"), ("Reconciling", "True")), IN_PROGRESS),
        (found(("Ready", "True"), ("Stalled", "True")), FAILED),
        (found(("Ready", "True"), ("Stalled", "Unknown"), ("Reconciling", "False")), CURRENT),
        (found(("Reconciling", "True"), ("Stalled", "True")), IN_PROGRESS),
        (found(("Stalled", "True"), ("Reconciling", "True")), FAILED),
        (found(("Available", "False")), CURRENT),
        (found(("Stalled", "True"), deletionTimestamp="2026-05-04T12:00:00Z"), TERMINATING),
    ],
)
def test_rules(manifest: dict[str, Any], wanted: str) -> None:
    """Deletion, then the generation, then the two marks in the order of the list, then Ready, and else all is well."""
    assert kstatus(manifest) == wanted
