"""Simulated nodes: kwok as kubelet of all of them, by stages of our own, which say what becomes of nodes and pods."""

import json
from pathlib import Path
from typing import Any

from hack.cluster import toolchain
from hack.cluster.processes import Daemon
from hack.cluster.state import cache_directory

Manifest = dict[str, Any]

PODS_PER_NODE = 250
LABELS = {"type": "kwok"}
# Of documentation, as nobody talks to a node.
NODE_ADDRESS = "198.51.100.9"
_READY_NODE = """\
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
allocatable: {cpu: "4000", memory: 16Ti, pods: "PODS"}
capacity: {cpu: "4000", memory: 16Ti, pods: "PODS"}
conditions:
- type: Ready
  status: "True"
  reason: Simulated
  message: kwok says so
  lastHeartbeatTime: {{ Now | Quote }}
  lastTransitionTime: {{ Now | Quote }}
phase: Running
""".replace("PODS", str(PODS_PER_NODE))
# The address comes out of the range of the pod's node.
_RUNNING_POD = """\
{{ $pod := .metadata }}
{{ $address := PodIPWith .spec.nodeName false (or $pod.uid "") (or $pod.name "") (or $pod.namespace "") }}
phase: Running
startTime: {{ Now | Quote }}
podIP: {{ $address | Quote }}
podIPs: [{ip: {{ $address | Quote }}}]
conditions:
{{ range $kind := list "Initialized" "ContainersReady" "Ready" }}
- {type: {{ $kind }}, status: "True", lastTransitionTime: {{ Now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: simulated, ready: true, started: true,
   restartCount: 0, state: {running: {startedAt: {{ Now | Quote }}}}}
{{ end }}
"""


def nodes_for(pods: float) -> int:
    """How many nodes hold so many pods, with room for those that are on their way out."""
    return 2 + int(1.2 * pods / PODS_PER_NODE)


def nodes(count: int, block: str) -> list[Manifest]:
    """Nodes whose pods get addresses out of a block: the first two numbers of an IPv4 address."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"simulated-{number}", "labels": LABELS},
            "spec": {"podCIDR": f"{block}.{number}.0/24", "podCIDRs": [f"{block}.{number}.0/24"]},
        }
        for number in range(count)
    ]


def stages() -> list[Manifest]:
    """A node becomes ready, a pod with a node runs, a pod that is to go goes at once."""
    not_ready = '.status.conditions.[] | select(.type == "Ready") | .status'
    return [
        _stage("node", "Node", {"statusTemplate": _READY_NODE}, _expression(not_ready, "NotIn", "True")),
        _stage(
            "pod",
            "Pod",
            {"statusTemplate": _RUNNING_POD},
            _expression(".metadata.deletionTimestamp", "DoesNotExist"),
            _expression(".status.phase", "In", "Pending"),
        ),
        _stage(
            "pod-gone",
            "Pod",
            {"delete": True, "finalizers": {"empty": True}},
            _expression(".metadata.deletionTimestamp", "Exists"),
        ),
    ]


def kwok(folder: Path, kubeconfig: Path) -> Daemon:
    """The program; its stages are written beside its logs.

    Args:
        folder: of the control plane.
        kubeconfig: the administrator's.
    """
    written = folder / "stages.yaml"
    written.write_text("\n---\n".join(json.dumps(stage) for stage in stages()), encoding="utf-8")
    program = toolchain.ensure(["kwok"], cache_directory())["kwok"]
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    arguments = (
        f"--kubeconfig={kubeconfig}",
        f"--config={written}",
        f"--manage-nodes-with-label-selector={selector}",
        f"--node-ip={NODE_ADDRESS}",
        "--node-lease-duration-seconds=40",
    )
    return Daemon("kwok", (str(program), *arguments), folder / "run", folder / "logs")


def _expression(key: str, operator: str, *values: str) -> Manifest:
    return {"key": key, "operator": operator} | ({"values": list(values)} if values else {})


def _stage(name: str, kind: str, becomes: Manifest, *expressions: Manifest) -> Manifest:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": list(expressions)},
            "next": becomes,
        },
    }
