"""metrics-server as a pod, for kind: where the nodes are containers, a program on the host does not reach them.

Without it no HorizontalPodAutoscaler sees CPU or memory. The image holds nothing but the program compiled here.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hack.cluster import addons, archive, state, toolchain
from hack.cluster.processes import run

PORT = 10250
NAME = "metrics-server"


def install(cache: Path, kubeconfig: Path, load: Callable[[list[Path]], None]) -> None:
    """Load the image and apply the objects."""
    program = toolchain.ensure([NAME], cache)[NAME]
    image = archive.name_of_program(f"typosentinel-{NAME}", program)
    packed = cache / "kind" / f"{NAME}.tar"
    packed.parent.mkdir(parents=True, exist_ok=True)
    archive.single_program(image, program, packed)
    load([packed])
    manifest = cache / "kind" / f"{NAME}.json"
    state.write(manifest, json.dumps({"apiVersion": "v1", "kind": "List", "items": objects(image)}))
    kubectl = str(toolchain.ensure(["kubectl"], cache)["kubectl"])
    run([kubectl, f"--kubeconfig={kubeconfig}", "apply", "--filename", str(manifest)], f"installing {NAME}")


def objects(image: str) -> list[dict[str, Any]]:
    """Return the objects: those of the program on the host, with a pod and its account instead of host and user."""
    metadata = {"name": NAME, "namespace": "kube-system"}
    account = {"kind": "ServiceAccount", **metadata}
    found: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}]
    for entry in addons.objects(b""):
        if "metrics" not in entry["metadata"]["name"] or entry["kind"] == "EndpointSlice":
            continue
        if "subjects" in entry:
            entry["subjects"] = [account]
        if entry["kind"] == "Service":
            entry["spec"] = {"selector": {"app": NAME}, "ports": [{"name": "https", "port": 443, "targetPort": PORT}]}
        if entry["kind"] == "APIService":
            # kind's kubelets and this pod make their own certificates.
            del entry["spec"]["caBundle"]
            entry["spec"]["insecureSkipTLSVerify"] = True
        found.append(entry)
    return [*found, _deployment(image)]


def _deployment(image: str) -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "Never",
        "args": [
            f"--secure-port={PORT}",
            "--cert-dir=/tmp",
            "--kubelet-insecure-tls",
            "--kubelet-preferred-address-types=InternalIP",
            "--metric-resolution=15s",
        ],
        "ports": [{"name": "https", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "https", "scheme": "HTTPS"}},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - an emptyDir of the pod alone
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {"labels": {"app": NAME}},
                "spec": {
                    "serviceAccountName": NAME,
                    "priorityClassName": "system-cluster-critical",
                    "containers": [container],
                    "volumes": [{"name": "tmp", "emptyDir": {}}],
                },
            },
        },
    }
