"""What an object belongs to or refers to: by these ties a change of one reaches the other. Pure."""

from typing import Any, Final

from typosentinel_operator import names
from typosentinel_operator.names import Kind

Manifest = dict[str, Any]
# A kind and a name, in the namespace of the object that is tied to it.
Tie = tuple[Kind, str]

# Field of a ScanService's spec that refers to a policy of this kind.
REFERENCE_FIELDS: Final = {
    names.CACHE_POLICY: "cachePolicyRef",
    names.SCALING_POLICY: "scalingPolicyRef",
}


def of(kind: Kind, manifest: Manifest) -> frozenset[Tie]:
    """The policies of a ScanService; the ScanServices of a child or pod; nothing of a policy."""
    if kind == names.SCAN_SERVICE:
        return frozenset(policies(manifest))
    if kind in REFERENCE_FIELDS:
        return frozenset()
    return frozenset((names.SCAN_SERVICE, name) for name in _scan_services(manifest["metadata"]))


def policies(scan_service: Manifest) -> tuple[Tie, ...]:
    """Policies that a ScanService refers to; none by a reference of another version of the definitions."""
    spec = scan_service.get("spec") or {}
    found = [(kind, spec[field]) for kind, field in REFERENCE_FIELDS.items() if isinstance(spec.get(field), dict)]
    return tuple((kind, reference["name"]) for kind, reference in found if isinstance(reference.get("name"), str))


def _scan_services(meta: dict[str, Any]) -> set[str]:
    """By its label or its owner: somebody may have taken the label off."""
    owners = {owner["name"] for owner in meta.get("ownerReferences", []) if owner["kind"] == names.SCAN_SERVICE.name}
    label = meta.get("labels", {}).get(names.LABEL_SCAN_SERVICE)
    return owners | ({label} if label else set())
