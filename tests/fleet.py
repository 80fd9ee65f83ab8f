"""One ScanService with its policies, its pods and their metrics, as the e2e tests look at it."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hack.quickstart import kubectl as quickstart_kubectl
from hack.quickstart import scanpod
from prometheus_client.parser import text_string_to_metric_families

from kube import Kubectl

Manifest = dict[str, Any]
CHILDREN = (
    "serviceaccount",
    "configmap",
    "service",
    "deployment",
    "poddisruptionbudget",
    "horizontalpodautoscaler",
)
READY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """A ScanService `name` with a CachePolicy and a ScalingPolicy of the same name."""

    kubectl: Kubectl
    namespace: str
    name: str

    @property
    def child(self) -> str:
        """Name of its children."""
        return f"{self.name}-scanner"

    def manifests(self, *, max_entries: int = 5000, ttl: str = "2m", min_replicas: int = 2) -> list[Manifest]:
        """The three objects as a user writes them."""
        meta = {"name": self.name, "namespace": self.namespace}
        head = {"apiVersion": "typosentinel.io/v1alpha1", "metadata": meta}
        reference = {"name": self.name}
        return [
            head | {"kind": "CachePolicy", "spec": {"memory": {"maxEntries": max_entries, "ttl": ttl}}},
            head | {"kind": "ScalingPolicy", "spec": {"minReplicas": min_replicas, "maxReplicas": 3}},
            head
            | {
                "kind": "ScanService",
                "spec": {
                    "ecosystems": ["PyPI", "npm"],
                    "cachePolicyRef": reference,
                    "scalingPolicyRef": reference,
                    "resources": {"requests": {"cpu": "50m"}},
                },
            },
        ]

    def apply_all(self, **changes: Any) -> None:
        """Apply the three objects."""
        self.kubectl.apply(*self.manifests(**changes))

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until the ScanService of the present generation is Ready."""
        self.kubectl.wait_until(self._is_ready, seconds, lambda: f"Ready; now: {self.conditions()}")

    def _is_ready(self) -> bool:
        found = self.kubectl.require("scanservice", self.name, self.namespace)
        current = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
        return current and self.conditions().get("Ready", ("", "", ""))[0] == "True"

    def conditions(self) -> dict[str, tuple[str, str, str]]:
        """Conditions as type to (status, reason, message)."""
        found = self.kubectl.require("scanservice", self.name, self.namespace)
        return {
            condition["type"]: (condition["status"], condition["reason"], condition["message"])
            for condition in found.get("status", {}).get("conditions", [])
        }

    def children(self) -> dict[str, Manifest]:
        """The children by kind."""
        return {kind: self.kubectl.require(kind, self.child, self.namespace) for kind in CHILDREN}

    def pods(self) -> list[Manifest]:
        """The scanner pods that are ready and stay."""
        selector = f"typosentinel.io/scanservice={self.name}"
        return [
            pod
            for pod in self.kubectl.list_json("pod", self.namespace, selector)
            if "deletionTimestamp" not in pod["metadata"] and _is_ready(pod)
        ]

    def scan(self, ecosystem: str, *names: str, image: str | None = None) -> str:
        """What the scanner's command line prints when a pod sends these names through the Service."""
        client = quickstart_kubectl.Kubectl(self.kubectl.path[0])
        return scanpod.scan(client, self.namespace, self.name, ecosystem, names, image)

    def metric(self, pod: Manifest, name: str, labels: Mapping[str, str] | None = None) -> float:
        """Sum of a metric's samples in one pod; 0 where there are none."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod['metadata']['name']}:8080/proxy/metrics"
        wanted = dict(labels or {})
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.kubectl.run("get", "--raw", path))
            for sample in family.samples
            if sample.name == name and wanted.items() <= sample.labels.items()
        )

    @contextmanager
    def forwarded(self) -> Iterator[tuple[str, int]]:
        """A local address from which the Service's port is forwarded, as (host, port)."""
        command = [*self.kubectl.path, "port-forward", f"service/{self.child}", "-n", self.namespace, ":8080"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                # Forwarding from 127.0.0.1:40123 -> 8080
                local = process.stdout.readline().split()[2]
                host, _, port = local.rpartition(":")
                yield host, int(port)
            finally:
                process.terminate()


def _is_ready(pod: Manifest) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
