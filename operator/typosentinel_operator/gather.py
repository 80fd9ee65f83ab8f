"""All reads of one reconciliation, in one place: the rest decides on what stands here.

What is watched comes out of the mirror; what others own and nobody watches is asked for.
"""

import base64
import hashlib
from typing import Any, Final

from typosentinel_operator import names, specs
from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired.inputs import selector_labels
from typosentinel_operator.errors import Permanent
from typosentinel_operator.fields import PolicyReference, SecretKeyReference
from typosentinel_operator.mirror import Mirror
from typosentinel_operator.observed import ConfigMapView, NoAnswer, PodView, Policies, SecretView, Unresolved
from typosentinel_operator.scalingspec import ScalingPolicySpec
from typosentinel_operator.scrape import Scraper
from typosentinel_operator.specs import Spec

Manifest = dict[str, Any]


_ENDED: Final = ("Succeeded", "Failed")
_NOT_READY: Final = NoAnswer("the pod is not ready")
# Keys of somebody else's ConfigMap that a message names.
_SHOWN_KEYS: Final = 5
_WITHOUT: Final = "until then scanners go on with what they had last, or without it"


def policies(mirror: Mirror, namespace: str, spec: specs.ScanServiceSpec) -> Policies:
    """The policies that a ScanService refers to."""
    cache = spec.cache_policy_ref
    scaling = spec.scaling_policy_ref
    return Policies(
        cache=_policy(mirror, names.CACHE_POLICY, namespace, cache, CachePolicySpec),
        scaling=_policy(mirror, names.SCALING_POLICY, namespace, scaling, ScalingPolicySpec),
    )


async def config_maps(cluster: Cluster, namespace: str, spec: specs.ScanServiceSpec) -> tuple[ConfigMapView, ...]:
    """The ConfigMaps that a ScanService refers to, and whether they can be used."""
    return tuple(
        [await _config_map(cluster, namespace, field, name) for field, name in specs.config_maps(spec).items()]
    )


async def secrets(
    cluster: Cluster, namespace: str, spec: specs.ScanServiceSpec, cache: CachePolicySpec | None
) -> tuple[SecretView, ...]:
    """The Secrets that a ScanService and its CachePolicy refer to, and whether they are there."""
    return tuple(
        [
            await _secret(cluster, namespace, _where(field, spec), field, reference)
            for field, reference in specs.secrets(spec, cache).items()
        ]
    )


async def children(cluster: Cluster, scan_service: Manifest) -> dict[str, list[Manifest]]:
    """Everything of our kinds that is tied to this ScanService by label or owner, by kind.

    Where it has been reported on and no Deployment of it is known, what is not known is looked for by name: another
    shard may have made it, or somebody has taken our labels off. What stays as it is must be seen as it is. For an
    autoscaler, the one child that may be wanted no more, this goes on until it has been said that there is none.

    Raises:
        ClusterError: try again.
    """
    namespace, name = scan_service["metadata"]["namespace"], scan_service["metadata"]["name"]
    tie = (names.SCAN_SERVICE, name)
    found = {kind.name: cluster.mirror.tied(kind, namespace, tie) for kind in names.CHILD_KINDS}
    reported = {one["type"]: one["reason"] for one in scan_service.get("status", {}).get("conditions", [])}
    if not reported:
        return found
    scaled = reported.get(names.Condition.SCALING_ACTIVE) != names.Reason.NO_SCALING_POLICY
    unsure = () if found[names.DEPLOYMENT.name] else names.CHILD_KINDS
    for kind in unsure or ((names.AUTOSCALER,) if scaled else ()):
        if not found[kind.name]:
            there = await cluster.get(kind, namespace, names.child_name(name))
            found[kind.name] = [] if there is None else [there]
    return found


async def pods(mirror: Mirror, scraper: Scraper, namespace: str, scan_service: str) -> tuple[PodView, ...]:
    """The scanner pods that are not on their way out, and what the ready ones say of themselves."""
    selected = selector_labels(scan_service).items()
    present = [
        pod
        for pod in mirror.tied(names.POD, namespace, (names.SCAN_SERVICE, scan_service))
        if selected <= pod["metadata"].get("labels", {}).items()
        and "deletionTimestamp" not in pod["metadata"]
        and pod["status"].get("phase") not in _ENDED
    ]
    since = {pod["metadata"]["uid"]: _ready_since(pod) for pod in present}
    reports = await scraper.ask(
        pod["status"]["podIP"] for pod in present if since[pod["metadata"]["uid"]] and "podIP" in pod["status"]
    )
    return tuple(
        PodView(pod, since[pod["metadata"]["uid"]], reports.get(pod["status"].get("podIP", ""), _NOT_READY))
        for pod in present
    )


async def _config_map(cluster: Cluster, namespace: str, field: str, name: str) -> ConfigMapView:
    if field not in specs.DOCUMENTS:
        # Lists of popular names may fill it: what it holds is not asked for.
        there = await cluster.exists(names.CONFIG_MAP, namespace, name)
        return ConfigMapView(field, name, None if there else _not_there(namespace, field, name))
    manifest = await cluster.get(names.CONFIG_MAP, namespace, name)
    if manifest is None:
        return ConfigMapView(field, name, _not_there(namespace, field, name))
    _, key = specs.DOCUMENTS[field]
    text, binary = manifest.get("data") or {}, manifest.get("binaryData") or {}
    if key not in text and key not in binary:
        return ConfigMapView(field, name, _without_key(field, name, key, sorted((*text, *binary))))
    content = text[key].encode() if key in text else base64.b64decode(binary[key])
    return ConfigMapView(field, name, digest="sha256:" + hashlib.sha256(content).hexdigest())


async def _secret(
    cluster: Cluster, namespace: str, where: str, field: str, reference: SecretKeyReference
) -> SecretView:
    name = reference.name
    if await cluster.taken(names.SECRET, namespace, name) is not False:
        return SecretView(field, reference)
    trouble = Unresolved(
        names.Reason.SECRET_NOT_FOUND,
        f'Secret "{name}" of {where} does not exist in namespace "{namespace}": create it with the key '
        f"{reference.key} or correct the reference; {_WITHOUT}",
    )
    return SecretView(field, reference, trouble)


def _where(field: str, spec: specs.ScanServiceSpec) -> str:
    """The field, with the object that has it where that is another one."""
    policy = spec.cache_policy_ref
    of_policy = policy is not None and field in specs.POLICY_SECRETS
    return f'{field} in CachePolicy "{policy.name}"' if of_policy and policy else field


def _not_there(namespace: str, field: str, name: str) -> Unresolved:
    return Unresolved(
        names.Reason.CONFIG_MAP_NOT_FOUND,
        f'ConfigMap "{name}" of {field} does not exist in namespace "{namespace}": create it or correct the '
        f"reference; {_WITHOUT}",
    )


def _without_key(field: str, name: str, key: str, present: list[str]) -> Unresolved:
    shown = ", ".join(present[:_SHOWN_KEYS]) + (" and others" if len(present) > _SHOWN_KEYS else "")
    return Unresolved(
        names.Reason.CONFIG_MAP_KEY_NOT_FOUND,
        f'ConfigMap "{name}" of {field} has no key {key}{f", but {shown}" if present else "; it is empty"}: '
        f"put the list under {key} or correct the reference; {_WITHOUT}",
    )


def _policy(
    mirror: Mirror, kind: names.Kind, namespace: str, reference: PolicyReference | None, model: type[Spec]
) -> Spec | Unresolved | None:
    if reference is None:
        return None
    name = reference.name
    manifest = mirror.get(kind, namespace, name)
    if manifest is None:
        selector = mirror.scope.selector
        of_us = f" with labels that this operator looks for ({selector})" if selector else ""
        return Unresolved(
            names.Reason.POLICY_NOT_FOUND,
            f'{kind.name} "{name}" does not exist in namespace "{namespace}"{of_us}: create it or correct the '
            "reference; what runs goes on as it is",
        )
    try:
        return specs.parse(model, manifest)
    except Permanent as error:
        return Unresolved(names.Reason.INVALID_POLICY, f'{kind.name} "{name}": {error.message}')


def _ready_since(pod: Manifest) -> str | None:
    for condition in pod["status"].get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            # Whoever stands in for a kubelet may leave it out.
            return str(condition.get("lastTransitionTime") or pod["metadata"]["creationTimestamp"])
    return None
