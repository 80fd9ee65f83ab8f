"""Does an object hold what we want of it? Decides about writes, so that an unchanged object costs none. Pure.

The API server adds defaults, other managers add fields and list entries; none of that is drift. A field of ours
with another value is, and so is a field that we used to want: the manifest's hash, an annotation, tells that one.
"""

from typing import Any, Final

from typosentinel_operator import names, quantities

# The lists that Kubernetes merges item by item, with the key: other managers may have items in them. All others are
# one value (atomic), and an item that somebody added to one of ours is drift.
_MERGE_KEYS: Final = {
    "containers": "name",
    "env": "name",
    "ownerReferences": "uid",
    "ports": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
# Maps that Kubernetes takes as one value: one more label in a selector, whoever added it, selects other pods.
_ATOMIC_MAPS: Final = frozenset({"labelSelector", "selector"})
# The address of a Service that has none.
_HEADLESS: Final = "None"
# By Kubernetes, on Deployments: how many templates there have been.
_REVISION: Final = "deployment.kubernetes.io/revision"
# How a manager is noted that owns spec.replicas and nothing else.
REPLICAS_FIELD: Final[dict[str, Any]] = {"f:spec": {"f:replicas": {}}}
# Below these keys stand quantities, which the server may write in another way (0.5 as 500m).
_QUANTITY_PARENTS: Final = frozenset({"requests", "limits"})


def differences(wanted: dict[str, Any], observed: dict[str, Any]) -> tuple[str, ...]:
    """Paths of the fields in which `observed` does not hold what `wanted` says; empty: no write is needed."""
    return tuple(_compare(wanted, observed, "", quantity=False))


def _compare(wanted: Any, observed: Any, path: str, *, quantity: bool) -> list[str]:
    if isinstance(wanted, dict):
        if not isinstance(observed, dict):
            return [path]
        return [found for key, value in wanted.items() for found in _compare_key(value, observed, key, path)]
    if isinstance(wanted, list):
        return _compare_lists(wanted, observed, path)
    if wanted == observed or (quantity and _same_quantity(wanted, observed)):
        return []
    return [path]


def _compare_key(value: Any, observed: dict[str, Any], key: str, path: str) -> list[str]:
    where = f"{path}.{key}" if path else key
    if key not in observed:
        # An empty object or list that the server drops says the same as none.
        return [] if value in ({}, []) else [where]
    if key in _ATOMIC_MAPS and isinstance(value, dict):
        return [] if value == observed[key] else [where]
    if key in _QUANTITY_PARENTS and isinstance(value, dict) and isinstance(observed[key], dict):
        return [
            found
            for name, amount in value.items()
            for found in _compare(amount, observed[key].get(name), f"{where}.{name}", quantity=True)
        ]
    return _compare(value, observed[key], where, quantity=False)


def _compare_lists(wanted: list[Any], observed: Any, path: str) -> list[str]:
    if not isinstance(observed, list):
        return [path]
    key = _MERGE_KEYS.get(path.rpartition(".")[2])
    if key is None:
        return [] if _same_atomic(wanted, observed) else [path]
    present = {item[key]: item for item in observed if isinstance(item, dict) and key in item}
    return [
        found
        for item in wanted
        for found in (
            _compare(item, present[item[key]], f"{path}[{item[key]}]", quantity=False)
            if item[key] in present
            else [f"{path}[{item[key]}]"]
        )
    ]


def _same_atomic(wanted: list[Any], observed: list[Any]) -> bool:
    """Whether the lists hold the same items; objects in any order, because the API server reorders an HPA's metrics."""
    if len(wanted) != len(observed):
        return False
    if not all(isinstance(item, dict) for item in wanted):
        return wanted == observed
    left = list(observed)
    for item in wanted:
        match = next((other for other in left if not _compare(item, other, "", quantity=False)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _same_quantity(wanted: Any, observed: Any) -> bool:
    try:
        return quantities.value(wanted) == quantities.value(observed)
    except ArithmeticError:
        return False


def unchangeable(wanted: dict[str, Any], observed: dict[str, Any]) -> tuple[str, ...]:
    """Paths of the fields in which a child differs and that Kubernetes lets nobody change; empty: an apply will do.

    A ConfigMap counts only as long as its data differ; a Service without an address is of another nature than ours.
    """
    if wanted["kind"] == names.DEPLOYMENT.name and wanted["spec"]["selector"] != observed["spec"]["selector"]:
        return ("spec.selector",)
    if wanted["kind"] == names.SERVICE.name and observed["spec"].get("clusterIP") == _HEADLESS:
        return ("spec.clusterIP",)
    if (
        wanted["kind"] == names.CONFIG_MAP.name
        and observed.get("immutable")
        and _compare(wanted["data"], observed.get("data"), "data", quantity=False)
    ):
        return ("immutable data",)
    return ()


def hands_on(wanted: dict[str, Any], observed: dict[str, Any]) -> bool:
    """Whether a new Deployment would take over every ReplicaSet that the old one leaves behind, and so its pods.

    It does by its selector, whatever theirs are. ReplicaSets carry the labels of the template that they are from: all
    of them match when the old selector has asked for as much, and when there has been one template and that matches.
    Any other Deployment would leave pods that belong to nobody.
    """
    if wanted["kind"] != names.DEPLOYMENT.name:
        return False
    labels = set(wanted["spec"]["selector"]["matchLabels"].items())
    selector, template = observed["spec"]["selector"], observed["spec"]["template"]
    if labels <= set(selector.get("matchLabels", {}).items()):
        return True
    first = observed["metadata"].get("annotations", {}).get(_REVISION) == "1"
    return first and labels <= set(template["metadata"].get("labels", {}).items())


def is_ours(observed: dict[str, Any], owner_uid: str) -> bool:
    """Whether the object is controlled by the owner with this uid."""
    owner = _controller(observed)
    return owner is not None and owner["uid"] == owner_uid


def is_orphan(observed: dict[str, Any], scan_service: str) -> bool:
    """Whether the object has our labels and no controller: its owner reference was taken off, or a backup restored."""
    labels = observed["metadata"].get("labels", {})
    ours = (labels.get(names.LABEL_MANAGED_BY), labels.get(names.LABEL_SCAN_SERVICE))
    return _controller(observed) is None and ours == (names.FIELD_MANAGER, scan_service)


def is_former(observed: dict[str, Any], scan_service: str, owner_uid: str) -> bool:
    """Whether the object belongs to a ScanService of this name that is no more: the garbage collector will take it."""
    owner = _controller(observed)
    if owner is None:
        return False
    return (owner["kind"], owner["name"]) == (names.SCAN_SERVICE.name, scan_service) and owner["uid"] != owner_uid


def _controller(observed: dict[str, Any]) -> dict[str, Any] | None:
    owners = observed["metadata"].get("ownerReferences", [])
    return next((owner for owner in owners if owner.get("controller", False)), None)


def owns_replicas(deployment: dict[str, Any], manager: str) -> bool:
    """Whether `manager` is among the owners of the Deployment's spec.replicas, by writing the Deployment itself."""
    return any(
        entry.get("manager") == manager
        and not entry.get("subresource")
        and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in deployment["metadata"].get("managedFields", [])
    )
