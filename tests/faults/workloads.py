"""What users do to a ScanService: each from a state that has come to rest to another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import factories
from kube import Kubectl, Manifest

Act = Callable[[Kubectl, str], None]


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing that users do.

    Attributes:
        name: in figures and as the beginning of namespaces' names.
        before: what is there before, for a namespace.
        act: does it.
        leaves: whether a ScanService is there afterwards.
    """

    name: str
    before: Callable[[str], Sequence[Manifest]]
    act: Act
    leaves: bool = True


def _service(namespace: str, **spec: Any) -> Manifest:
    return factories.scan_service(namespace=namespace, **spec)


def _policies(namespace: str) -> list[Manifest]:
    return [
        factories.cache_policy(namespace=namespace),
        factories.scaling_policy(namespace=namespace, minReplicas=2, maxReplicas=5),
    ]


_REFERENCES = {"cachePolicyRef": {"name": "small"}, "scalingPolicyRef": {"name": "steady"}}


def _scaled(namespace: str) -> list[Manifest]:
    return [*_policies(namespace), _service(namespace, **_REFERENCES)]


def _fixed(namespace: str) -> list[Manifest]:
    return [*_policies(namespace), _service(namespace, replicas=1)]


def _applies(make: Callable[[str], Sequence[Manifest]]) -> Act:
    return lambda kubectl, namespace: kubectl.apply(*make(namespace))


def _delete(kubectl: Kubectl, namespace: str) -> None:
    kubectl.delete("scanservice", "front", namespace, wait=False)


WORKLOADS = (
    Workload("create", lambda _: (), _applies(_scaled)),
    Workload(
        "change",
        _fixed,
        _applies(lambda where: [_service(where, replicas=1, ecosystems=["npm"], resources={"requests": {"cpu": "1"}})]),
    ),
    Workload("scale", _fixed, _applies(lambda where: [_service(where, replicas=3)])),
    # The number of pods passes to the autoscaler, and comes back from it.
    Workload("autoscale", _fixed, _applies(lambda where: [_service(where, **_REFERENCES)])),
    Workload("fix", _scaled, _applies(lambda where: [_service(where, replicas=2)])),
    Workload(
        "policy",
        _scaled,
        _applies(
            lambda where: [
                factories.cache_policy(namespace=where, memory={"maxEntries": 500, "ttl": "5m"}),
                factories.scaling_policy(namespace=where, minReplicas=2, maxReplicas=6),
            ]
        ),
    ),
    Workload("delete", _scaled, _delete, leaves=False),
)
