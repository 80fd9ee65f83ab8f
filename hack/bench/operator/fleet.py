"""What users write: ScanServices in ten namespaces, half with a fixed number of pods, half with an autoscaler."""

from collections.abc import Iterator
from typing import Any

import factories
from typosentinel_operator import names

Manifest = dict[str, Any]

SPACES = 10
CACHE, SCALING = "shared", "steady"
# One or two by number, and one by the autoscaler, which has no figures to go by.
FIXED_REPLICAS = (1, 2)
PODS_PER_SERVICE = 1.25


def spaces(run: str) -> list[str]:
    """Namespaces of one run."""
    return [f"{run}-{number}" for number in range(SPACES)]


def surroundings(run: str) -> list[Manifest]:
    """What is there before: namespaces with a policy of each kind."""
    return [
        manifest
        for space in spaces(run)
        for manifest in (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}},
            factories.cache_policy(CACHE, space, memory={"maxEntries": 20000, "ttl": "10m"}),
            factories.scaling_policy(SCALING, space, minReplicas=1, maxReplicas=4),
        )
    ]


def services(run: str, count: int) -> Iterator[Manifest]:
    """So many ScanServices, those of a namespace spread over the whole order."""
    for number, space in zip(range(count), _again(spaces(run)), strict=False):
        spec: Manifest = {"cachePolicyRef": {"name": CACHE}, "ecosystems": ["PyPI", "npm"]}
        if is_scaled(number):
            spec["scalingPolicyRef"] = {"name": SCALING}
        else:
            spec["replicas"] = FIXED_REPLICAS[number % len(FIXED_REPLICAS)]
        yield factories.scan_service(f"scan-{number}", space, **spec)


def is_scaled(number: int) -> bool:
    """Whether the ScanService of this number has an autoscaler; they alternate in each namespace."""
    return number // SPACES % 2 == 1


def children(run: str, count: int, *, with_token: bool) -> set[tuple[str, str, str]]:
    """What has to be there for all of them, as (kind, namespace, name).

    Args:
        run: whose namespaces.
        count: of ScanServices.
        with_token: whether the Secrets of administrative ports belong to it.
    """
    wanted = set()
    for number, manifest in enumerate(services(run, count)):
        name, space = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
        for kind in names.CHILD_KINDS:
            if kind != names.AUTOSCALER or is_scaled(number):
                wanted.add((kind.name, space, names.child_name(name)))
        if with_token:
            wanted.add((names.SECRET.name, space, names.admin_secret_name(name)))
    return wanted


def _again(found: list[str]) -> Iterator[str]:
    while True:
        yield from found
