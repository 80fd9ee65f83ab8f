"""The mirror of the cluster: whatever comes late, twice or never, it does not show the past."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from typosentinel_operator import drift, names
from typosentinel_operator.mirror import Mirror, News
from typosentinel_operator.names import Kind
from typosentinel_operator.scope import Scope

Manifest = dict[str, Any]
FRONT = (names.SCAN_SERVICE, "front")
PLACE = ("team-a", "front-scanner")


def child(version: int = 9, uid: str = "first", kind: Kind = names.DEPLOYMENT, **more: Any) -> Manifest:
    """A child of the ScanService `front`; keyword arguments are members beside its metadata."""
    labels = {names.LABEL_MANAGED_BY: names.FIELD_MANAGER, names.LABEL_SCAN_SERVICE: "front"}
    meta = {"name": PLACE[1], "namespace": PLACE[0], "labels": labels, "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta, **more}


def listed(mirror: Mirror, kind: Kind, namespace: str | None, found: list[Manifest], version: int) -> list[News]:
    """The news in a list of everything."""
    news = [mirror.see(kind, manifest, listed=version) for manifest in found]
    present = {(manifest["metadata"]["namespace"], manifest["metadata"]["name"]) for manifest in found}
    return [one for one in news if one] + mirror.sweep(kind, namespace, present, version)


def without_label(manifest: Manifest) -> Manifest:
    """The object after somebody has taken our label off."""
    return manifest | {"metadata": manifest["metadata"] | {"labels": {}}}


def test_what_was_seen_is_shown_as_it_was() -> None:
    """With the version that it had, but without notes of managers, which nobody reads."""
    mirror = Mirror(Scope())
    seen = child(spec={"replicas": 3}, status={"readyReplicas": 1})
    mirror.see(names.DEPLOYMENT, seen)
    shown = mirror.get(names.DEPLOYMENT, *PLACE)
    assert shown is not None
    assert shown | {"metadata": shown["metadata"] | {"managedFields": []}} == seen | {
        "metadata": seen["metadata"] | {"managedFields": []}
    }
    assert mirror.get(names.SERVICE, *PLACE) is None
    assert mirror.get(names.DEPLOYMENT, "team-b", PLACE[1]) is None


def test_nobody_can_change_it_by_changing_what_it_showed() -> None:
    """Each look makes an object of its own."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(spec={"replicas": 3}))
    shown = mirror.get(names.DEPLOYMENT, *PLACE)
    assert shown is not None
    shown["spec"]["replicas"] = 9
    again = mirror.get(names.DEPLOYMENT, *PLACE)
    assert again is not None
    assert again["spec"] == {"replicas": 3}


def test_who_holds_the_number_of_pods_is_kept() -> None:
    """The one thing that is read of managers' notes."""
    entries = [
        {"manager": "a", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {}}}, "time": "2026-01-01T00:00:00Z"},
        {"manager": "b", "fieldsV1": {"f:status": {}}},
        {"manager": "c", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
    ]
    mirror, seen = Mirror(Scope()), child()
    mirror.see(names.DEPLOYMENT, seen | {"metadata": seen["metadata"] | {"managedFields": entries}})
    shown = mirror.get(names.DEPLOYMENT, *PLACE)
    assert shown is not None
    assert [manager for manager in "abc" if drift.owns_replicas(shown, manager)] == ["a"]
    assert [entry["subresource"] for entry in shown["metadata"]["managedFields"]] == ["", "scale"]


def test_news_tell_what_an_object_was_and_is_tied_to() -> None:
    """A ScanService that turns to another policy concerns both."""
    mirror = Mirror(Scope())
    old, new = (factories.scan_service(cachePolicyRef={"name": name}) for name in ("small", "large"))
    policies = [(names.CACHE_POLICY, name) for name in ("small", "large")]
    first = mirror.see(names.SCAN_SERVICE, factories.stored(old))
    assert first == News(names.SCAN_SERVICE, "team-a", "front", frozenset(policies[:1]))
    second = mirror.see(names.SCAN_SERVICE, factories.stored(new, resourceVersion="8"))
    assert second == News(names.SCAN_SERVICE, "team-a", "front", frozenset(policies))
    assert mirror.names_tied(names.SCAN_SERVICE, "team-a", policies[0]) == ()
    assert mirror.names_tied(names.SCAN_SERVICE, "team-a", policies[1]) == ("front",)


UNSEEN: dict[str, tuple[Kind, Manifest, Manifest]] = {
    # sentence → (kind, before, after)
    "nothing but the version": (names.DEPLOYMENT, {}, {}),
    "the status of a kind of which nobody looks at it": (
        names.DISRUPTION_BUDGET,
        {"status": {"currentHealthy": 1}},
        {"status": {"currentHealthy": 2}},
    ),
    "the figures of an autoscaler": (
        names.AUTOSCALER,
        {"status": {"desiredReplicas": 2, "currentMetrics": [1]}},
        {"status": {"desiredReplicas": 2, "currentMetrics": [2]}},
    ),
    "the node of a pod": (names.POD, {"spec": {}, "status": {}}, {"spec": {"nodeName": "n"}, "status": {}}),
    "a condition of a pod that is not readiness": (
        names.POD,
        {"status": {"phase": "Pending", "conditions": []}},
        {"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}},
    ),
}


@pytest.mark.parametrize("sentence", UNSEEN)
def test_what_nobody_decides_on_is_no_news(sentence: str) -> None:
    """Controllers write their notes many times a minute."""
    kind, before, after = UNSEEN[sentence]
    mirror = Mirror(Scope())
    assert mirror.see(kind, child(7, kind=kind, **before)) is not None
    assert mirror.see(kind, child(8, kind=kind, **after)) is None
    shown = mirror.get(kind, *PLACE)
    assert shown is not None
    assert shown["metadata"]["resourceVersion"] == "8"


def test_a_pods_becoming_ready_is_news() -> None:
    """Of pods, what readiness is made of is kept."""
    mirror = Mirror(Scope())
    mirror.see(names.POD, child(7, kind=names.POD, status={"phase": "Running", "conditions": []}))
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    assert mirror.see(names.POD, child(8, kind=names.POD, status={"phase": "Running", "conditions": [ready]}))
    assert mirror.tied(names.POD, "team-a", FRONT)[0]["status"]["conditions"] == [ready]


def test_an_object_that_loses_our_label_is_no_longer_shown() -> None:
    """Who watches by label is told that it has gone; it may come back with the same identity."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(7))
    assert mirror.see(names.DEPLOYMENT, without_label(child(8))) is not None
    assert mirror.get(names.DEPLOYMENT, *PLACE) is None
    mirror.see(names.DEPLOYMENT, child(9))
    assert mirror.get(names.DEPLOYMENT, *PLACE) is not None


def test_an_answer_that_comes_after_the_end_does_not_bring_the_object_back() -> None:
    """Our write was answered, the object deleted, and the watch told of that before the answer was read."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(7))
    mirror.miss(names.DEPLOYMENT, child(9))
    assert mirror.see(names.DEPLOYMENT, child(8)) is None
    assert mirror.get(names.DEPLOYMENT, *PLACE) is None


def test_the_answer_to_our_own_write_is_no_news_when_it_comes_again() -> None:
    """A status that we wrote, a mark on a pod, a child: who wrote it has judged it."""
    mirror, service = Mirror(Scope()), factories.stored(factories.scan_service())
    written = factories.stored(factories.scan_service(), resourceVersion="8") | {"status": {"replicas": 1}}
    mirror.see(names.SCAN_SERVICE, service)
    mirror.answered(names.SCAN_SERVICE, written)
    assert mirror.see(names.SCAN_SERVICE, written) is None
    mirror.see(names.POD, child(7, kind=names.POD, status={}))
    marked = child(8, kind=names.POD, status={})
    marked["metadata"]["annotations"] = {names.ANNOTATION_REFRESH: "now"}
    mirror.answered(names.POD, marked)
    assert mirror.see(names.POD, marked) is None
    mirror.answered(names.DEPLOYMENT, child(7, spec={"replicas": 2}))
    assert mirror.see(names.DEPLOYMENT, child(7, spec={"replicas": 2})) is None


def test_what_others_changed_before_our_own_write_is_news_after_it() -> None:
    """The answer to a status shows the spec of now: a watch that tells of that later must be heard."""
    mirror = Mirror(Scope())
    mirror.see(names.SCAN_SERVICE, factories.stored(factories.scan_service(replicas=1)))
    changed = factories.stored(factories.scan_service(replicas=2), resourceVersion="9", generation=2)
    mirror.answered(names.SCAN_SERVICE, changed | {"status": {"observedGeneration": 1}})
    assert mirror.see(names.SCAN_SERVICE, changed | {"status": {"observedGeneration": 1}}) is not None
    mirror.see(names.POD, child(7, kind=names.POD, status={"phase": "Pending"}))
    mirror.answered(names.POD, child(8, kind=names.POD, status={"phase": "Running"}))
    assert mirror.see(names.POD, child(8, kind=names.POD, status={"phase": "Running"})) is not None


def test_an_answer_does_not_keep_what_has_moved_to_another_shard() -> None:
    """The label was changed, then we wrote the status, and only then the watch told that the object has gone."""
    service = factories.scan_service()
    before, at_the_move = (factories.stored(service, resourceVersion=n, labels={"team": "a"}) for n in ("7", "8"))
    answer = factories.stored(service, resourceVersion="9", labels={"team": "b"})
    for late in (False, True):
        mirror = Mirror(Scope(selector="team=a", shard="a"))
        mirror.see(names.SCAN_SERVICE, before)
        if late:
            mirror.miss(names.SCAN_SERVICE, at_the_move)
        mirror.answered(names.SCAN_SERVICE, answer)
        mirror.miss(names.SCAN_SERVICE, at_the_move)
        assert mirror.get(names.SCAN_SERVICE, "team-a", "front") is None


def test_a_pod_is_ours_as_soon_as_its_scan_service_is() -> None:
    """At the start pods may be seen before it, and with a change of shards they are; they need not change for that."""
    mirror, pod = Mirror(Scope(selector="team=a", shard="a")), child(5, kind=names.POD, status={"phase": "Running"})
    assert mirror.see(names.POD, pod) is None
    mirror.see(names.SCAN_SERVICE, factories.stored(factories.scan_service()))
    assert listed(mirror, names.POD, None, [pod], 10) != []
    assert mirror.names_tied(names.POD, "team-a", FRONT) == (PLACE[1],)
    mirror.miss(names.SCAN_SERVICE, factories.stored(factories.scan_service()))
    assert listed(mirror, names.POD, None, [pod], 11) != []
    assert mirror.names_tied(names.POD, "team-a", FRONT) == ()


def test_an_end_that_is_told_late_does_not_take_the_successor() -> None:
    """Deleted and made anew under its name."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(9, "second"))
    assert mirror.miss(names.DEPLOYMENT, child(8, "first")) is None
    shown = mirror.get(names.DEPLOYMENT, *PLACE)
    assert shown is not None
    assert shown["metadata"]["uid"] == "second"


def test_what_we_deleted_is_gone_in_whatever_version_watches_still_tell_of_it() -> None:
    """The answer to a deletion tells no version."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(7))
    assert mirror.miss(names.DEPLOYMENT, child(7), for_good=True) is not None
    assert mirror.see(names.DEPLOYMENT, child(8)) is None
    assert mirror.get(names.DEPLOYMENT, *PLACE) is None


def test_a_list_heals_what_was_missed_and_keeps_what_was_made_since() -> None:
    """Of one namespace it says nothing about others."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(5))
    mirror.see(names.SERVICE, child(12, kind=names.SERVICE))
    elsewhere = child(5)
    elsewhere["metadata"] |= {"namespace": "team-b", "uid": "elsewhere"}
    mirror.see(names.DEPLOYMENT, elsewhere)
    assert listed(mirror, names.DEPLOYMENT, "team-a", [], 10) == [News(names.DEPLOYMENT, *PLACE, frozenset({FRONT}))]
    assert listed(mirror, names.SERVICE, "team-a", [], 10) == []
    assert mirror.get(names.SERVICE, *PLACE) is not None
    assert mirror.names_of(names.DEPLOYMENT) == [("team-b", PLACE[1])]
    assert mirror.latest(names.DEPLOYMENT) == 10


def test_versions_that_are_no_numbers_are_taken_as_they_come() -> None:
    """Nothing can be said about their order."""
    mirror = Mirror(Scope())
    for version in ("b", "a"):
        seen = child()
        seen["metadata"]["resourceVersion"] = version
        assert mirror.see(names.DEPLOYMENT, seen) is not None
    shown = mirror.get(names.DEPLOYMENT, *PLACE)
    assert shown is not None
    assert shown["metadata"]["resourceVersion"] == "a"


def test_kinds_that_nobody_watches_are_not_kept() -> None:
    """Answers to all of our writes pass by."""
    mirror = Mirror(Scope())
    assert mirror.see(names.LEASE, child(kind=names.LEASE)) is None
    assert mirror.miss(names.LEASE, child(kind=names.LEASE)) is None


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[tuple[bool, Manifest]], Manifest | None]:
    """What happened under one name as (gone, object), and what is there in the end."""
    events: list[tuple[bool, Manifest]] = []
    current: Manifest | None = None
    for version in range(1, draw(st.integers(2, 12))):
        if current is not None and draw(st.booleans()):
            current = child(version, current["metadata"]["uid"], spec=current["spec"])
            events.append((True, current))
            current = None
        else:
            uid = current["metadata"]["uid"] if current is not None else f"made-at-{version}"
            current = child(version, uid, spec={"replicas": draw(st.integers(0, 2))})
            events.append((False, current))
    return events, current


@given(_histories(), st.data())
def test_in_whatever_order_things_are_told_the_end_is_the_same(
    history: tuple[list[tuple[bool, Manifest]], Manifest | None], data: st.DataObject
) -> None:
    """Watches, lists and answers race each other, and lines come twice."""
    events, end = history
    mirror = Mirror(Scope())
    for gone, manifest in data.draw(st.permutations(events + events[:3])):
        if gone:
            mirror.miss(names.DEPLOYMENT, manifest)
        else:
            mirror.see(names.DEPLOYMENT, manifest)
    shown = mirror.get(names.DEPLOYMENT, *PLACE)
    assert (shown and shown["metadata"]["uid"]) == (end and end["metadata"]["uid"])
    assert (shown and shown["metadata"]["resourceVersion"]) == (end and end["metadata"]["resourceVersion"])
    assert mirror.names_tied(names.DEPLOYMENT, "team-a", FRONT) == (() if end is None else (PLACE[1],))


def test_a_list_of_another_history_is_believed() -> None:
    """A backup was restored, and versions have since passed, or were bumped beyond, what was known before."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(980, spec={"replicas": 5}))
    restored = child(900, spec={"replicas": 1})
    # It may be older than what a watch has told since.
    assert mirror.see(names.DEPLOYMENT, restored, listed=979) is None
    assert mirror.see(names.DEPLOYMENT, restored, listed=1010) is not None
    shown = mirror.get(names.DEPLOYMENT, *PLACE)
    assert shown is not None
    assert (shown["spec"], shown["metadata"]["resourceVersion"]) == ({"replicas": 1}, "900")
    assert mirror.see(names.DEPLOYMENT, restored, listed=1020) is None


def test_what_had_gone_is_there_again_in_another_history() -> None:
    """But not in a list from before it went."""
    mirror = Mirror(Scope())
    mirror.see(names.DEPLOYMENT, child(900))
    mirror.miss(names.DEPLOYMENT, child(985))
    assert mirror.see(names.DEPLOYMENT, child(900), listed=984) is None
    assert mirror.see(names.DEPLOYMENT, child(900), listed=1010) is not None
    assert mirror.get(names.DEPLOYMENT, *PLACE) is not None


def test_an_object_takes_not_much_more_memory_than_its_text() -> None:
    """What writes JSON hands out buffers of several times that: with thousands of objects that was the most of it."""
    mirror, many = Mirror(Scope()), 200
    found = [child(n + 1, str(n), spec={"image": "x" * 1500}) for n in range(many)]
    for n, manifest in enumerate(found):
        manifest["metadata"]["name"] = f"service-{n}-scanner"
    tracemalloc.start()
    try:
        for manifest in found:
            mirror.see(names.DEPLOYMENT, manifest)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / many < 2 * len(json.dumps(found[0]))
