"""All reads of one reconciliation, in one place: the rest decides on what stands here."""

from typing import Any, Final

from typosentinel_operator import names, specs
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired.inputs import selector_labels
from typosentinel_operator.errors import Permanent
from typosentinel_operator.fields import PolicyReference
from typosentinel_operator.observed import NoAnswer, PodView, Policies, Unresolved
from typosentinel_operator.scrape import Scraper
from typosentinel_operator.specs import CachePolicySpec, ScalingPolicySpec, Spec

Manifest = dict[str, Any]


_ENDED: Final = ("Succeeded", "Failed")
_NOT_READY: Final = NoAnswer("the pod is not ready")


async def policies(cluster: Cluster, namespace: str, spec: specs.ScanServiceSpec) -> Policies:
    """Read the policies that a ScanService refers to."""
    cache = spec.cache_policy_ref
    scaling = spec.scaling_policy_ref
    return Policies(
        cache=await _policy(cluster, names.CACHE_POLICY, namespace, cache, CachePolicySpec),
        scaling=await _policy(cluster, names.SCALING_POLICY, namespace, scaling, ScalingPolicySpec),
    )


async def missing_config_maps(cluster: Cluster, namespace: str, spec: specs.ScanServiceSpec) -> dict[str, Unresolved]:
    """The ConfigMaps that a ScanService refers to and that are not there, by name."""
    return {
        name: Unresolved(
            names.Reason.CONFIG_MAP_NOT_FOUND,
            f'ConfigMap "{name}" of {field} does not exist in namespace "{namespace}": create it or correct the '
            "reference; until then scanners go on without it",
        )
        for field, name in specs.config_maps(spec).items()
        if not await cluster.exists(names.CONFIG_MAP, namespace, name)
    }


async def children(cluster: Cluster, namespace: str, scan_service: str) -> dict[str, list[Manifest]]:
    """Everything of our kinds that carries this ScanService's label, by kind."""
    selector = f"{names.MANAGED_SELECTOR},{names.LABEL_SCAN_SERVICE}={scan_service}"
    return {kind.name: await cluster.list(kind, namespace, selector=selector) for kind in names.CHILD_KINDS}


async def pods(cluster: Cluster, scraper: Scraper, namespace: str, scan_service: str) -> tuple[PodView, ...]:
    """The scanner pods that are not on their way out, and what the ready ones say of themselves."""
    selector = ",".join(f"{key}={value}" for key, value in selector_labels(scan_service).items())
    present = [
        pod
        for pod in await cluster.list(names.POD, namespace, selector=selector)
        if "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in _ENDED
    ]
    since = {pod["metadata"]["uid"]: _ready_since(pod) for pod in present}
    reports = await scraper.ask(
        pod["status"]["podIP"] for pod in present if since[pod["metadata"]["uid"]] and "podIP" in pod["status"]
    )
    return tuple(
        PodView(pod, since[pod["metadata"]["uid"]], reports.get(pod["status"].get("podIP", ""), _NOT_READY))
        for pod in present
    )


async def _policy(
    cluster: Cluster, kind: names.Kind, namespace: str, reference: PolicyReference | None, model: type[Spec]
) -> Spec | Unresolved | None:
    if reference is None:
        return None
    name = reference.name
    manifest = await cluster.get(kind, namespace, name)
    if manifest is None:
        return Unresolved(
            names.Reason.POLICY_NOT_FOUND,
            f'{kind.name} "{name}" does not exist in namespace "{namespace}": create it or correct the reference; '
            "what runs goes on as it is",
        )
    try:
        return specs.parse(model, manifest)
    except Permanent as error:
        return Unresolved(names.Reason.INVALID_POLICY, f'{kind.name} "{name}": {error.message}')


def _ready_since(pod: Manifest) -> str | None:
    for condition in pod["status"].get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            return str(condition["lastTransitionTime"])
    return None
