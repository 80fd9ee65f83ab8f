"""Does an object hold what we want of it?"""

from typing import Any

import pytest

from typosentinel_operator import drift, names

Manifest = dict[str, Any]


def test_what_the_server_and_others_add_is_no_drift() -> None:
    """Defaults, other managers' fields and their list entries are not ours to judge."""
    wanted = {"spec": {"ports": [{"name": "http", "port": 80}], "selector": {"a": "b"}}}
    observed = {
        "spec": {
            "clusterIP": "198.19.0.7",
            "ports": [{"name": "mesh", "port": 81}, {"name": "http", "port": 80, "nodePort": 30000}],
            "selector": {"a": "b"},
        },
        "status": {"loadBalancer": {}},
    }
    assert drift.differences(wanted, observed) == ()


@pytest.mark.parametrize(
    ("wanted", "observed", "paths"),
    [
        ({"a": 1}, {"a": 2}, ("a",)),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, ("a.b",)),
        ({"a": {"b": "x"}}, {"a": {}}, ("a.b",)),
        ({"a": {"b": "x"}}, {}, ("a",)),
        ({"a": {"b": "x"}}, {"a": "x"}, ("a",)),
        ({"a": [1]}, {"a": 1}, ("a",)),
        ({"a": False}, {}, ("a",)),
        ({"a": False}, {"a": 0}, ()),
        ({"a": 1, "b": 2}, {"a": 3, "b": 4}, ("a", "b")),
    ],
)
def test_a_field_of_ours_with_another_value_is_drift(wanted: Manifest, observed: Manifest, paths: tuple[str]) -> None:
    """Each is named by its path, for the log and the Event."""
    assert drift.differences(wanted, observed) == paths


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("containers", "name"),
        ("env", "name"),
        ("ownerReferences", "uid"),
        ("ports", "name"),
        ("topologySpreadConstraints", "topologyKey"),
        ("volumeMounts", "mountPath"),
        ("volumes", "name"),
    ],
)
def test_lists_that_kubernetes_merges_are_compared_by_their_key(field: str, key: str) -> None:
    """The server may order them, and others may extend them, as they like."""
    wanted = {field: [{key: "one", "value": 1}, {key: "two", "value": 2}]}
    observed = {field: [{key: "two", "value": 2}, {key: "other"}, {key: "one", "value": 9}]}
    assert drift.differences(wanted, observed) == (f"{field}[one].value",)


def test_a_missing_entry_of_a_keyed_list_is_drift() -> None:
    """Named by its key, not by a position that means nothing."""
    assert drift.differences({"env": [{"name": "A"}]}, {"env": [{"name": "B"}]}) == ("env[A]",)


@pytest.mark.parametrize(
    ("observed", "paths"),
    [(["a", "b"], ()), (["b", "a"], ("args",)), (["a"], ("args",)), (["a", "b", "c"], ("args",))],
)
def test_a_list_without_a_merge_key_is_compared_whole(observed: list[str], paths: tuple[str, ...]) -> None:
    """Of arguments the order counts, and one more is not nothing."""
    assert drift.differences({"args": ["a", "b"]}, {"args": observed}) == paths


@pytest.mark.parametrize(
    ("observed", "paths"),
    [
        ([{"type": "Pods", "value": 2, "default": 0}, {"type": "Pods", "value": 1}], ()),
        ([{"type": "Pods", "value": 1}, {"type": "Pods", "value": 3}], ("metrics",)),
        ([{"type": "Pods", "value": 1}, {"type": "Pods", "value": 1}], ("metrics",)),
        ([{"type": "Pods", "value": 1}, {"type": "Pods", "value": 2}, {"type": "Object"}], ("metrics",)),
    ],
)
def test_any_other_list_of_objects_is_one_value_in_any_order(observed: list[Manifest], paths: tuple[str, ...]) -> None:
    """The API server reorders an HPA's metrics, which is no drift; a metric that somebody added is."""
    wanted = [{"type": "Pods", "value": 1}, {"type": "Pods", "value": 2}]
    assert drift.differences({"metrics": wanted}, {"metrics": observed}) == paths


@pytest.mark.parametrize(
    ("ours", "theirs", "paths"),
    [
        ("0.5", "500m", ()),
        ("1024Mi", "1Gi", ()),
        (2, "2", ()),
        ("500m", "501m", ("resources.limits.cpu",)),
        ("500m", None, ("resources.limits.cpu",)),
        ("500m", "garbage", ("resources.limits.cpu",)),
    ],
)
def test_quantities_are_compared_by_value(ours: str | int, theirs: str | None, paths: tuple[str, ...]) -> None:
    """The server writes 0.5 as 500m, and no write of ours would change that."""
    observed = {} if theirs is None else {"cpu": theirs}
    assert drift.differences({"resources": {"limits": {"cpu": ours}}}, {"resources": {"limits": observed}}) == paths


def test_only_quantities_are_compared_by_value() -> None:
    """An annotation that says 0.5 does not say 500m."""
    assert drift.differences({"annotations": {"a": "0.5"}}, {"annotations": {"a": "500m"}}) == ("annotations.a",)


@pytest.mark.parametrize("empty", [{}, []])
def test_an_empty_field_that_the_server_drops_is_no_drift(empty: Any) -> None:
    """It says the same as none; a write would be repeated for ever."""
    assert drift.differences({"spec": {"extra": empty}}, {"spec": {}}) == ()


def test_a_field_that_we_give_up_is_told_by_the_hash() -> None:
    """What is no longer in the manifest can't be compared, so its hash is."""
    note = names.ANNOTATION_MANIFEST_HASH
    wanted = {"metadata": {"annotations": {note: "new"}}, "spec": {}}
    observed = {"metadata": {"annotations": {note: "old"}}, "spec": {"behavior": {"scaleUp": {}}}}
    assert drift.differences(wanted, observed) == (f"metadata.annotations.{note}",)


@pytest.mark.parametrize(
    ("owners", "wanted"),
    [
        ([{"uid": "ours", "controller": True}], True),
        ([{"uid": "other"}, {"uid": "ours", "controller": True}], True),
        ([{"uid": "ours"}], False),
        ([{"uid": "ours", "controller": False}], False),
        ([{"uid": "other", "controller": True}], False),
        ([], False),
    ],
)
def test_ours_is_what_the_owner_with_our_uid_controls(owners: list[Manifest], *, wanted: bool) -> None:
    """A name proves nothing: a ScanService that was made anew has another uid."""
    assert wanted == drift.is_ours({"metadata": {"ownerReferences": owners}}, "ours")
    assert not drift.is_ours({"metadata": {}}, "ours")


@pytest.mark.parametrize("field", ["selector", "labelSelector"])
def test_a_label_that_somebody_adds_to_a_selector_is_drift(field: str) -> None:
    """It selects other pods, or none."""
    assert drift.differences({field: {"a": "b"}}, {field: {"a": "b", "c": "d"}}) == (field,)
    assert drift.differences({field: {"a": "b"}}, {field: {"a": "b"}}) == ()


def with_selector(selector: Manifest, labels: Manifest | None = None, revision: str = "1") -> Manifest:
    """A Deployment as the API server has it."""
    return {
        "kind": "Deployment",
        "metadata": {"annotations": {"deployment.kubernetes.io/revision": revision}},
        "spec": {"selector": selector, "template": {"metadata": {"labels": labels or {}}}},
    }


OURS: Manifest = {"a": "1", "b": "2"}
WANTED = with_selector({"matchLabels": OURS}, OURS)


@pytest.mark.parametrize(
    ("wanted", "observed", "paths"),
    [
        (WANTED, with_selector({"matchLabels": OURS}, {"other": "labels"}), ()),
        (WANTED, with_selector({"matchLabels": {**OURS, "c": "3"}}), ("spec.selector",)),
        (WANTED, with_selector({"matchLabels": {"a": "1"}}), ("spec.selector",)),
        (WANTED, with_selector({"matchExpressions": [{"key": "a", "operator": "Exists"}]}), ("spec.selector",)),
        ({"kind": "Service", "spec": {}}, {"spec": {"clusterIP": "None"}}, ("spec.clusterIP",)),
        ({"kind": "Service", "spec": {}}, {"spec": {"clusterIP": "198.19.0.7"}}, ()),
        ({"kind": "Service", "spec": {}}, {"spec": {"type": "ExternalName"}}, ()),
        ({"kind": "ConfigMap", "data": {"a": "1"}}, {"data": {"a": "1"}, "immutable": True}, ()),
        ({"kind": "ConfigMap", "data": {"a": "1"}}, {"data": {"a": "2"}}, ()),
        ({"kind": "ConfigMap", "data": {"a": "1"}}, {"data": {"a": "2"}, "immutable": True}, ("immutable data",)),
        ({"kind": "ConfigMap", "data": {"a": "1"}}, {"immutable": True}, ("immutable data",)),
        ({"kind": "ServiceAccount"}, {"metadata": {}}, ()),
    ],
)
def test_what_nobody_can_change_is_told(wanted: Manifest, observed: Manifest, paths: tuple[str, ...]) -> None:
    """An apply would be refused for ever, or not help."""
    assert drift.unchangeable(wanted, observed) == paths


@pytest.mark.parametrize(
    ("observed", "handed_on"),
    [
        # A selector that asked for as much as ours: whatever templates there were, they match.
        (with_selector({"matchLabels": {**OURS, "c": "3"}}, {**OURS, "c": "3"}, revision="9"), True),
        # Another selector, and the only template that there was matches ours.
        (with_selector({"matchLabels": {"c": "3"}}, {**OURS, "c": "3"}), True),
        # An earlier template may not have.
        (with_selector({"matchLabels": {"c": "3"}}, {**OURS, "c": "3"}, revision="2"), False),
        (with_selector({"matchLabels": {"a": "1"}}, {"a": "1"}), False),
        (with_selector({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": "1"}), False),
    ],
)
def test_pods_stay_where_none_of_them_is_left_to_nobody(observed: Manifest, *, handed_on: bool) -> None:
    """A Deployment adopts ReplicaSets that match its selector, and no others."""
    assert drift.hands_on(WANTED, observed) == handed_on


def test_only_deployments_hand_something_on() -> None:
    """A Service has its endpoints, which Kubernetes makes anew."""
    assert not drift.hands_on({"kind": "Service"}, {"spec": {"clusterIP": "None"}})


REPLICAS: Manifest = {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ({"manager": "us", "fieldsV1": REPLICAS}, True),
        ({"manager": "them", "fieldsV1": REPLICAS}, False),
        ({"manager": "us", "fieldsV1": {"f:spec": {"f:template": {}}}}, False),
        ({"manager": "us", "fieldsV1": REPLICAS, "subresource": "scale"}, False),
        ({"manager": "us"}, False),
    ],
)
def test_who_owns_the_replicas_stands_in_managed_fields(entry: Manifest, *, wanted: bool) -> None:
    """An owner through the scale subresource is another owner: it survives our letting go."""
    assert wanted == drift.owns_replicas({"metadata": {"managedFields": [entry]}}, "us")
