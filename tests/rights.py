"""The rights that the operator needs, by what its code calls: (group, resource) to verbs."""

from typing import Any, Final

from typosentinel_operator import names

Rights = dict[tuple[str, str], set[str]]

# A watch begins with a list; server-side apply creates what is not there yet.
_SEE: Final = {"list", "watch"}
_CHILD: Final = _SEE | {"get", "create", "patch", "delete"}


def needed() -> Rights:
    """What handlers watch, and what cluster.py is asked to do."""
    custom = {(kind.group, kind.plural): set(_SEE) for kind in names.CUSTOM_KINDS}
    # Asked for once more before anything of it is deleted.
    custom[names.GROUP, names.SCAN_SERVICE.plural].add("get")
    status = {(kind.group, f"{kind.plural}/status"): {"patch"} for kind in names.CUSTOM_KINDS}
    children = {(kind.group, kind.plural): set(_CHILD) for kind in names.CHILD_KINDS}
    return {
        **custom,
        **status,
        **children,
        # Clusters may ask for it of who sets blockOwnerDeletion.
        (names.GROUP, f"{names.SCAN_SERVICE.plural}/finalizers"): {"update"},
        ("", names.POD.plural): _SEE | {"patch"},
        # Offered and asked after, never read.
        ("", names.SECRET.plural): {"create"},
        (names.EVENT.group, names.EVENT.plural): {"create"},
    }


def needed_of_leases(name: str) -> Rights:
    """What the elector asks of its own Lease, which is written as ``leases:<name>``, and of others."""
    lease = names.LEASE
    return {(lease.group, lease.plural): {"create"}, (lease.group, f"{lease.plural}:{name}"): {"get", "update"}}


def needed_of_certificates(name: str) -> tuple[Rights, Rights]:
    """What the leader asks of the webhook's Secret, in its namespace, and of its configuration, which has none."""
    secret, configuration = names.SECRET, names.WEBHOOK_CONFIGURATION
    verbs = {"get", "patch"}
    return (
        {(secret.group, f"{secret.plural}:{name}"): set(verbs)},
        {(configuration.group, f"{configuration.plural}:{name}"): set(verbs)},
    )


def needed_of_the_webhook() -> Rights:
    """What the webhook reads."""
    objects = (names.CACHE_POLICY, names.SCALING_POLICY, names.DEPLOYMENT)
    lists = (names.SCAN_SERVICE, names.AUTOSCALER)
    return {(kind.group, kind.plural): {"get"} for kind in objects} | {
        (kind.group, kind.plural): {"list"} for kind in lists
    }


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
