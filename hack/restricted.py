"""A pod of the `restricted` level that runs one container once, for what is to happen inside the cluster."""

from collections.abc import Sequence
from typing import Any

# As the images' own user, which owns nothing.
USER = 65532


def pod(
    name: str, namespace: str, app: str, container: dict[str, Any], volumes: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The manifest.

    Args:
        name: of the pod.
        namespace: of the pod.
        app: what the pod belongs to, for its label.
        container: all of it but what the level asks for.
        volumes: that it mounts.
    """
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "imagePullPolicy": "IfNotPresent",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
            | container
        ],
    }
    if volumes:
        spec["volumes"] = list(volumes)
    metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": app}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
