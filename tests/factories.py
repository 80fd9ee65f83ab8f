"""Valid objects, one maker each: a test takes one and changes the field that it is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from typosentinel_operator import names
from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.observed import Observed, PodView, Report
from typosentinel_operator.scalingspec import ScalingPolicySpec
from typosentinel_operator.specs import ScanServiceSpec

Manifest = dict[str, Any]

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
HASH = "sha256:" + "a" * 64
TEMPLATE = "0123456789abcdef"
UID = "6f1f2b1c-6a3f-4f39-9a3e-0d9b5a6f7c11"
IMAGE = "registry.example/typosentinel-server:1"


def scan_service(name: str = "front", namespace: str = "team-a", **spec: Any) -> Manifest:
    """A ScanService as a user writes it; keyword arguments are fields of its spec."""
    return _written(names.SCAN_SERVICE, name, namespace, spec)


def cache_policy(name: str = "small", namespace: str = "team-a", **spec: Any) -> Manifest:
    """A CachePolicy as a user writes it."""
    return _written(names.CACHE_POLICY, name, namespace, spec or {"memory": {"maxEntries": 100, "ttl": "1m"}})


def scaling_policy(name: str = "steady", namespace: str = "team-a", **spec: Any) -> Manifest:
    """A ScalingPolicy as a user writes it."""
    return _written(names.SCALING_POLICY, name, namespace, spec or {"minReplicas": 2, "maxReplicas": 5})


def stored(manifest: Manifest, **metadata: Any) -> Manifest:
    """The object as an API server returns it, once it is stored."""
    given = {"uid": UID, "resourceVersion": "7", "generation": 1, **metadata}
    return {**manifest, "metadata": manifest["metadata"] | given}


def inputs(**changes: Any) -> Inputs:
    """Inputs of the builders: a ScanService `front` of one replica without policies."""
    return replace(
        Inputs(
            name="front",
            namespace="team-a",
            uid=UID,
            spec=ScanServiceSpec(),
            cache=None,
            policy=None,
            scaling=None,
            replicas=1,
            default_image=IMAGE,
        ),
        **changes,
    )


def cache_spec(**memory: Any) -> CachePolicySpec:
    """A CachePolicy's spec; keyword arguments are fields of spec.memory."""
    return CachePolicySpec.model_validate({"memory": memory})


def scaling_spec(**spec: Any) -> ScalingPolicySpec:
    """A ScalingPolicy's spec."""
    return ScalingPolicySpec.model_validate(spec)


def deployment(replicas: int = 1, **counts: Any) -> Manifest:
    """A Deployment as last seen, all of whose pods are there and ready."""
    status = {
        "observedGeneration": 3,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        **counts,
    }
    template = {"metadata": {"labels": {names.LABEL_TEMPLATE: TEMPLATE}}}
    return {
        "metadata": {"name": "front-scanner", "generation": 3},
        "spec": {"replicas": replicas, "template": template},
        "status": status,
    }


def pod(
    ready_since: str | None = "2026-05-04T11:00:00Z",
    digest: str = HASH,
    age: float = 600.0,
    template: str = TEMPLATE,
    **changes: Any,
) -> PodView:
    """A pod of the current version that has been ready for an hour and runs the wanted configuration."""
    labels = {names.LABEL_TEMPLATE: template}
    view = PodView(
        manifest={
            "metadata": {"name": "front-scanner-1", "uid": "p1", "labels": labels},
            "status": {"phase": "Running"},
        },
        ready_since=ready_since,
        report=Report(digest, age),
    )
    return replace(view, **changes)


def observed(**changes: Any) -> Observed:
    """A fleet of one pod with which all is well."""
    return replace(
        Observed(
            name="front",
            namespace="team-a",
            deployment=deployment(),
            has_service=True,
            autoscaler=None,
            min_replicas=None,
            pods=(pod(),),
            wanted_hash=HASH,
            references=0,
            unresolved=(),
            config_maps=(),
            secrets=(),
            failure=None,
            interruption=None,
            previous=(),
            now=NOW,
        ),
        **changes,
    )


def _written(kind: names.Kind, name: str, namespace: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
