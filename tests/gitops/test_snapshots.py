"""The check of statuses itself: it finds what it looks for."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

import factories
import situations
import snapshots
from typosentinel_operator import status

Manifest = dict[str, Any]
READY = situations.ALL["all is well"].manifest
STALLED = situations.ALL["its spec can't be read"].manifest
PAUSED = situations.ALL["it is paused"].manifest
FALLBACK = situations.ALL["it scales by a fallback"].manifest
LATER = "2026-05-04T13:00:00Z"


def changed(change: Callable[[Manifest], Any], of: Manifest = READY) -> Manifest:
    """A state with a change in it."""
    manifest = copy.deepcopy(of)
    change(manifest)
    return manifest


def condition(manifest: Manifest, aspect: str) -> Manifest:
    """One condition of an object."""
    (found,) = [one for one in manifest["status"]["conditions"] if one["type"] == aspect]
    assert isinstance(found, dict)
    return found


def setting(aspect: str, **values: Any) -> Callable[[Manifest], None]:
    """A change of one condition."""
    return lambda manifest: condition(manifest, aspect).update(values)


def observed(generation: int) -> Callable[[Manifest], None]:
    """A change of the generation that the whole status speaks of."""

    def change(manifest: Manifest) -> None:
        manifest["status"]["observedGeneration"] = generation
        for one in manifest["status"]["conditions"]:
            one["observedGeneration"] = generation

    return change


# sentence → states → part of the first complaint, or None
CASES: dict[str, tuple[list[Manifest], str | None]] = {
    "a new object and what came of it": ([situations.ALL["it has just been applied"].manifest, READY], None),
    "no status at all": ([changed(lambda found: found.pop("status"))], "not even the default"),
    "a status of the future": ([changed(observed(2))], "is above generation 1"),
    "a look at nothing": ([changed(lambda found: found["status"].update(conditions=[]))], "with 0 conditions"),
    "a condition without its reason": (
        [changed(lambda found: condition(found, "Available").pop("reason"))],
        "Available has the fields",
    ),
    "a condition with a field too many": ([changed(setting("Available", since="x"))], "Available has the fields"),
    "a condition about another generation": (
        [changed(setting("Available", observedGeneration=0))],
        "Available speaks of generation 0",
    ),
    "ready and under way": ([changed(setting("Reconciling", status="True"))], "not exactly one is true"),
    "ready and stalled": ([changed(setting("Stalled", status="True"))], "not exactly one is true"),
    "under way and stalled": (
        [changed(setting("Reconciling", status="True"), STALLED)],
        "not exactly one is true",
    ),
    "none of the three": ([changed(setting("Ready", status="False"))], "not exactly one is true"),
    "nobody knows": ([changed(setting("Stalled", status="Unknown"))], "Stalled is Unknown"),
    "generations that go back": (
        [changed(lambda found: found["metadata"].update(generation=2), changed(observed(2))), READY],
        "goes back from 2 to 1",
    ),
    "a time that moves by itself": (
        [READY, changed(setting("Available", lastTransitionTime=LATER))],
        "Available has not turned",
    ),
    "a time that moves backwards": (
        [changed(setting("Available", status="False", lastTransitionTime=LATER)), READY],
        "Available has turned before",
    ),
    "a condition that turned within a second": ([changed(setting("Available", status="False")), READY], None),
    "a condition that turned later": (
        [READY, changed(setting("Available", status="False", lastTransitionTime=LATER))],
        None,
    ),
    "a condition that is gone": (
        [FALLBACK, READY],
        "gone: FallbackActive",
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_complaints(sentence: str) -> None:
    """Each flaw is found, and none where there is none."""
    states, wanted = CASES[sentence]
    found = snapshots.complaints(states)
    if wanted is None:
        assert found == []
    else:
        assert wanted in found[0]


def test_a_script_that_contradicts_kstatus_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argo CD would go on, or stop, where Flux does not."""
    monkeypatch.setattr(snapshots, "health", lambda _: ("Degraded", "no reason"))
    assert snapshots.complaints([READY]) == [
        "ScanService team-a/front at 7: kstatus says Current, Argo CD Degraded (no reason)"
    ]
    monkeypatch.setattr(snapshots, "health", lambda _: ("Suspended", "no reason"))
    assert "Paused is False" in snapshots.complaints([READY])[0]


def test_states_are_told_apart_by_object_and_version() -> None:
    """A watch that begins anew shows states again, and a name may be used twice."""
    made = (("a", "1"), ("b", "2"), ("a", "1"), ("a", "3"))
    states = [factories.stored(factories.scan_service(), uid=uid, resourceVersion=version) for uid, version in made]
    found = [[one["metadata"]["resourceVersion"] for one in history] for history in snapshots.histories(states)]
    assert found == [["1", "3"], ["2"]]


def test_a_life_of_one_service_holds_together() -> None:
    """What the operator writes from the first look to a mistake and its mending, as it merges it itself."""
    looks = [
        factories.observed(deployment=None, pods=()),
        factories.observed(pods=(factories.pod(None),)),
        factories.observed(),
        factories.observed(failure=("InvalidSpec", "no number")),
        factories.observed(),
    ]
    states = [situations.ALL["it has just been applied"].manifest]
    for look in looks:
        seen = factories.observed(
            **{name: getattr(look, name) for name in ("deployment", "pods", "failure")},
            previous=tuple(states[-1]["status"].get("conditions", ())),
        )
        states.append(factories.stored(factories.scan_service()) | {"status": status.document(seen, 1)})
    assert snapshots.complaints(states) == []
