"""The rights that the operator needs, by what its code calls: (group, resource) to verbs."""

from typing import Any, Final

from typosentinel_operator import names

Rights = dict[tuple[str, str], set[str]]

# A watch begins with a list; server-side apply creates what is not there yet.
_READ: Final = {"get", "list", "watch"}
_CHILD: Final = _READ | {"create", "patch", "delete"}


def needed() -> Rights:
    """What handlers watch, and what cluster.py is asked to do."""
    custom = {(kind.group, kind.plural): set(_READ) for kind in names.CUSTOM_KINDS}
    status = {(kind.group, f"{kind.plural}/status"): {"patch"} for kind in names.CUSTOM_KINDS}
    children = {(kind.group, kind.plural): set(_CHILD) for kind in names.CHILD_KINDS}
    return {
        **custom,
        **status,
        **children,
        # Clusters may ask for it of who sets blockOwnerDeletion.
        (names.GROUP, f"{names.SCAN_SERVICE.plural}/finalizers"): {"update"},
        ("", names.POD.plural): {"list", "watch", "patch"},
        # Offered and asked after, never read.
        ("", names.SECRET.plural): {"create"},
        (names.EVENT.group, names.EVENT.plural): {"create"},
    }


def needed_of_leases(name: str) -> Rights:
    """What the elector asks of its own Lease, which is written as ``leases:<name>``, and of others."""
    lease = names.LEASE
    return {(lease.group, lease.plural): {"create"}, (lease.group, f"{lease.plural}:{name}"): {"get", "update"}}


def granted(rules: list[dict[str, Any]]) -> Rights:
    """What the rules of a role grant; a resource that is restricted to a name is written with it."""
    found: Rights = {}
    for rule in rules:
        assert set(rule) - {"resourceNames"} == {"apiGroups", "resources", "verbs"}, rule
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [""]):
                    named = f"{resource}:{name}" if name else resource
                    found.setdefault((group, named), set()).update(rule["verbs"])
    return found
