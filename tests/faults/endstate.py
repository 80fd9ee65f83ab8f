"""What a namespace holds in the end, without what differs between two runs that went alike."""

import json
from typing import Any

from kube import Kubectl, Manifest
from typosentinel_operator import names

CHILDREN = ",".join((*(kind.plural for kind in names.CHILD_KINDS), names.SECRET.plural))
OWN = ",".join(kind.plural for kind in names.CUSTOM_KINDS)

# Times, identities that the API server gives, and what other controllers say of objects.
_PASSING = frozenset(
    {
        "clusterIP",
        "clusterIPs",
        "creationTimestamp",
        "deployment.kubernetes.io/revision",
        "generation",
        "lastTransitionTime",
        "observedGeneration",
        "resourceVersion",
        "time",
        names.ANNOTATION_MANIFEST_HASH,
    }
)
_COUNTS = ("replicas", "readyReplicas", "updatedReplicas")


def end_state(kubectl: Kubectl, namespace: str) -> dict[str, Manifest]:
    """Everything of ours in a namespace, by kind and name, with the fields that the operator holds of each.

    Who holds a field is part of it: that the operator gave one up is as important as its value.
    """
    found = kubectl.list_json(CHILDREN, namespace, names.MANAGED_SELECTOR) + kubectl.list_json(OWN, namespace)
    uids = {one["metadata"]["uid"] for one in found}
    return {f"{one['kind']}/{one['metadata']['name']}": _lasting(one, namespace, uids) for one in found}


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where two end states differ, as paths with both values."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted(wanted.keys() | found.keys())
            for line in differences(wanted.get(key), found.get(key), f"{path}.{key}".strip("."))
        ]
    return [] if wanted == found else [f"{path}: {json.dumps(wanted)[:120]} became {json.dumps(found)[:120]}"]


def _lasting(manifest: Manifest, namespace: str, uids: set[str]) -> Manifest:
    meta = manifest["metadata"]
    kept = {
        "labels": meta.get("labels"),
        "annotations": meta.get("annotations"),
        "owners": meta.get("ownerReferences"),
        "finalizers": meta.get("finalizers"),
        "deleted": "deletionTimestamp" in meta,
        "spec": manifest.get("spec"),
        "data": manifest.get("data") if manifest["kind"] != names.SECRET.name else sorted(manifest["data"]),
        "status": _status(manifest),
        "held": sorted(
            json.dumps([entry["manager"], entry.get("subresource"), entry["fieldsV1"]], sort_keys=True)
            for entry in meta.get("managedFields", [])
            if entry["manager"].startswith(names.FIELD_MANAGER)
        ),
    }
    text = json.dumps(_without_passing(kept)).replace(namespace, "NAMESPACE")
    for uid in uids:
        text = text.replace(uid, "UID")
    masked: Manifest = json.loads(text)
    return masked


def _status(manifest: Manifest) -> Manifest:
    status: Manifest = manifest.get("status", {})
    if manifest["apiVersion"].startswith(f"{names.GROUP}/"):
        # The autoscaler's own words, which it changes in its own time.
        conditions = [one for one in status.get("conditions", []) if one["type"] != names.Condition.SCALING_ACTIVE]
        return status | {"conditions": conditions}
    return {count: status.get(count) for count in _COUNTS} if manifest["kind"] == names.DEPLOYMENT.name else {}


def _without_passing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_passing(held) for key, held in value.items() if key not in _PASSING}
    if isinstance(value, list):
        return [_without_passing(held) for held in value]
    return value
