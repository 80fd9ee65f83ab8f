"""What a cluster has beyond Kubernetes proper: name service, metrics, and the rights of the programs on the host."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hack.cluster import kubeconfig
from hack.cluster.api import Api
from hack.cluster.controlplane import NODE_ADDRESS
from hack.cluster.failures import ClusterError
from hack.cluster.processes import Daemon, run, wait_until
from hack.cluster.state import KUBECONFIG, LOGS, PKI, RUN, STATE, write

METRICS_PORT = 10260
API_SERVICE = "v1beta1.metrics.k8s.io"
RULES: dict[str, list[dict[str, list[str]]]] = {
    "system:coredns": [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ],
    "system:metrics-server": [
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
    ],
}


def metrics_server(binaries: Mapping[str, Path]) -> Daemon:
    """Return metrics-server as a program on the host, reached by the API server through a Service."""
    own = STATE / "metrics-server.kubeconfig"
    arguments = [
        str(binaries["metrics-server"]),
        f"--kubeconfig={own}",
        f"--authentication-kubeconfig={own}",
        f"--authorization-kubeconfig={own}",
        f"--bind-address={NODE_ADDRESS}",
        f"--secure-port={METRICS_PORT}",
        f"--tls-cert-file={PKI}/metrics-server-serving.crt",
        f"--tls-private-key-file={PKI}/metrics-server-serving.key",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/metrics-server.crt",
        f"--kubelet-client-key={PKI}/metrics-server.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=15s",
    ]
    return Daemon("metrics-server", tuple(arguments), RUN / "pids", LOGS)


def start_metrics_server(server: str, binaries: Mapping[str, Path]) -> None:
    """Start metrics-server."""
    write(STATE / "metrics-server.kubeconfig", kubeconfig.render(server, PKI, "metrics-server"), 0o600)
    metrics_server(binaries).start()


def apply(binaries: Mapping[str, Path]) -> None:
    """Bring the objects into the cluster."""
    file = STATE / "addons.json"
    write(file, json.dumps({"apiVersion": "v1", "kind": "List", "items": objects((PKI / "ca.crt").read_bytes())}))
    command = [str(binaries["kubectl"]), f"--kubeconfig={KUBECONFIG}", "apply", "--server-side", "--force-conflicts"]
    run([*command, "--filename", str(file)], "applying the add-ons", log=LOGS / "kube-apiserver.log")


def await_ready(api: Api, binaries: Mapping[str, Path]) -> None:
    """Wait until the metrics are served: while an aggregated API is down, no namespace can be deleted."""
    daemon = metrics_server(binaries)
    path = f"/apis/apiregistration.k8s.io/v1/apiservices/{API_SERVICE}"
    in_time = wait_until(lambda: api.condition(path, "Available") or daemon.stopped(), 60)
    daemon.require()
    if not in_time:
        raise ClusterError(f"the APIService {API_SERVICE} is not Available after 60 s", log=daemon.log)


def objects(authority: bytes) -> list[dict[str, Any]]:
    """Return the objects: rights for the programs on the host, and Services that lead to them."""
    found: list[dict[str, Any]] = []
    for name, rules in RULES.items():
        found += [_role(name, rules), _binding("ClusterRoleBinding", name, "ClusterRole", name)]
    found.append(
        _binding("ClusterRoleBinding", "system:metrics-server:delegator", "ClusterRole", "system:auth-delegator")
    )
    found.append(
        {
            **_binding(
                "RoleBinding", "metrics-server-auth-reader", "Role", "extension-apiserver-authentication-reader"
            ),
            "metadata": {"name": "metrics-server-auth-reader", "namespace": "kube-system"},
        }
    )
    found += service("kube-dns", {"dns": (53, "UDP"), "dns-tcp": (53, "TCP")}, {"dns": 53, "dns-tcp": 53})
    found += service("metrics-server", {"https": (443, "TCP")}, {"https": METRICS_PORT})
    for group in ("admin", "edit", "view"):
        found.append(_metrics_reader(group))
    found.append(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": API_SERVICE},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "caBundle": base64.b64encode(authority).decode("ascii"),
                "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443},
            },
        }
    )
    return found


def service(name: str, ports: Mapping[str, tuple[int, str]], targets: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return a Service without selector and the slice that leads it to a program on the host."""
    metadata = {"name": name, "namespace": "kube-system"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "ports": [
                    {"name": port, "port": number, "protocol": protocol, "targetPort": targets[port]}
                    for port, (number, protocol) in ports.items()
                ]
            },
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [
                {"name": port, "port": targets[port], "protocol": protocol} for port, (_, protocol) in ports.items()
            ],
            "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
        },
    ]


def _role(name: str, rules: list[dict[str, list[str]]]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }


def _metrics_reader(group: str) -> dict[str, Any]:
    rules = [{"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]}]
    role = _role(f"system:aggregated-metrics-reader:{group}", rules)
    role["metadata"]["labels"] = {f"rbac.authorization.k8s.io/aggregate-to-{group}": "true"}
    return role


def _binding(kind: str, name: str, role_kind: str, role: str) -> dict[str, Any]:
    user = name if name in RULES else "system:metrics-server"
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }
