"""The scanner pods and what they need: ServiceAccount, Deployment, Service, PodDisruptionBudget."""

from typing import Any, Final

from typosentinel_operator import names, quantities
from typosentinel_operator.desired import mounts
from typosentinel_operator.desired.inputs import Inputs, Manifest, child, child_labels, manifest_hash, selector_labels
from typosentinel_operator.specs import ComputeResources

DEFAULT_REQUESTS: Final[dict[str, str]] = {"cpu": "100m", "memory": "256Mi"}
DEFAULT_LIMITS: Final[dict[str, str]] = {"memory": "512Mi"}
USER: Final = 65532
# Longest way out of a pod: the server drains for 4 s after SIGTERM, then running requests have 10 s.
GRACE_SECONDS: Final = 30


def service_account(inputs: Inputs) -> Manifest:
    """An identity of its own with no rights and no token: scanners never speak to Kubernetes."""
    return child(names.SERVICE_ACCOUNT, inputs, {"automountServiceAccountToken": False})


def service(inputs: Inputs) -> Manifest:
    """The address at which the fleet answers."""
    port = {"name": names.PORT_NAME, "port": names.PORT, "protocol": "TCP", "targetPort": names.PORT_NAME}
    return child(
        names.SERVICE,
        inputs,
        {"spec": {"type": "ClusterIP", "selector": selector_labels(inputs.name), "ports": [port]}},
    )


def disruption_budget(inputs: Inputs) -> Manifest:
    """Drains take one scanner at a time; of a single one they may take it, or nodes could never be drained."""
    return child(
        names.DISRUPTION_BUDGET,
        inputs,
        {
            "spec": {
                "maxUnavailable": 1,
                "selector": {"matchLabels": selector_labels(inputs.name)},
                # A pod that is not ready serves nobody and must not block a drain.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            }
        },
    )


def deployment(inputs: Inputs) -> Manifest:
    """The scanner pods.

    `spec.replicas` is there only where no autoscaler decides about it. The configuration's hash is not in the pod
    template: servers reload it, so a change of it must not roll them.
    """
    spec: Manifest = {
        "selector": {"matchLabels": selector_labels(inputs.name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": 300,
        "template": _template(inputs),
    }
    if inputs.replicas is not None:
        spec["replicas"] = inputs.replicas
    return child(names.DEPLOYMENT, inputs, {"spec": spec})


def begun(manifest: Manifest, first: int | None) -> Manifest:
    """The manifest by which a child is created: a Deployment begins with its first number of pods, where one is known.

    It would stay at one until its autoscaler's next look in 15 seconds; and where it has been made anew, pods that
    it has adopted would be taken away by then. The field is handed over at the next write.
    """
    if first is None or manifest["kind"] != names.DEPLOYMENT.name:
        return manifest
    return manifest | {"spec": manifest["spec"] | {"replicas": first}}


def _template(inputs: Inputs) -> Manifest:
    """The pods' template, labelled with its own hash: so pods of an older version can be told from the others."""
    template: Manifest = {"metadata": {"labels": child_labels(inputs.name)}, "spec": _pod(inputs)}
    template["metadata"]["labels"][names.LABEL_TEMPLATE] = manifest_hash(template)
    return template


def _pod(inputs: Inputs) -> Manifest:
    return {
        "serviceAccountName": names.child_name(inputs.name),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector_labels(inputs.name)},
            }
        ],
        "containers": [_container(inputs)],
        "volumes": mounts.volumes(inputs),
    }


def _container(inputs: Inputs) -> Manifest:
    processes = inputs.spec.workers.processes if inputs.spec.workers else None
    return {
        "name": names.CONTAINER,
        "image": inputs.spec.image or inputs.default_image,
        "imagePullPolicy": "IfNotPresent",
        "args": [
            "serve",
            "--host=0.0.0.0",
            f"--port={names.PORT}",
            f"--config={names.CONFIG_DIRECTORY}/{names.CONFIG_KEY}",
            *([f"--workers={processes}"] if processes is not None else []),
        ],
        # As variables, so that an image of a user's own, of an older release, starts as well.
        "env": [
            {"name": "TYPOSENTINEL_ADMIN_HOST", "value": "0.0.0.0"},
            {"name": "TYPOSENTINEL_ADMIN_PORT", "value": str(names.ADMIN_PORT)},
            {"name": "TYPOSENTINEL_ADMIN_TOKEN_FILE", "value": mounts.ADMIN.path},
        ],
        # The administrative port is not in the Service: it is for who may forward ports to pods, and knows the token.
        "ports": [
            {"name": names.PORT_NAME, "containerPort": names.PORT, "protocol": "TCP"},
            {"name": names.ADMIN_PORT_NAME, "containerPort": names.ADMIN_PORT, "protocol": "TCP"},
        ],
        "resources": _resources(inputs.spec.resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": _probe("/ready", period=1, failures=60),
        "readinessProbe": _probe("/ready", period=2, failures=2),
        "livenessProbe": _probe("/live", period=10, failures=3),
        "volumeMounts": mounts.mounts(inputs),
    }


def _resources(wanted: ComputeResources) -> Manifest:
    """The user's resources over our defaults; a default never contradicts what the user gave for the other side."""
    requests: dict[str, str] = {key: str(value) for key, value in wanted.requests.items()}
    limits: dict[str, str] = {key: str(value) for key, value in wanted.limits.items()}
    merged_limits = DEFAULT_LIMITS | limits
    for key in merged_limits.keys() & requests.keys() - limits.keys():
        merged_limits[key] = max(merged_limits[key], requests[key], key=quantities.value)
    merged_requests = DEFAULT_REQUESTS | requests
    for key in merged_requests.keys() & limits.keys() - requests.keys():
        merged_requests[key] = min(merged_requests[key], limits[key], key=quantities.value)
    return {"requests": merged_requests, "limits": merged_limits}


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": names.PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }
