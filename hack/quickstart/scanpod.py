"""Send scans through a Service from a pod inside the cluster, as a client there would."""

import json
import secrets
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from hack import restricted
from hack.quickstart.kubectl import Kubectl, KubectlError


def manifest(name: str, namespace: str, image: str, arguments: Sequence[str]) -> dict[str, Any]:
    """A pod that runs the scanner's command line once."""
    container = {
        "name": "scan",
        "image": image,
        "args": ["scan", *arguments],
        "env": [{"name": "COLUMNS", "value": "140"}],
    }
    return restricted.pod(name, namespace, "typosentinel-client", container)


def scan(
    kubectl: Kubectl, namespace: str, service: str, ecosystem: str, names: Sequence[str], image: str | None = None
) -> str:
    """Scan names through a ScanService's Service; returns what the client printed.

    Args:
        kubectl: of the cluster.
        namespace: of the ScanService, and of the client's pod.
        service: name of the ScanService.
        ecosystem: whose names they are.
        names: to scan.
        image: of the client; default: the one that the scanners run.

    Raises:
        KubectlError: the ScanService does not exist or the client failed; its own words.
    """
    status = kubectl.get("scanservice", service, namespace).get("status", {})
    endpoint = status.get("endpoint")
    if not endpoint:
        raise KubectlError(f"ScanService {namespace}/{service} has no endpoint yet")
    if image is None:
        scanners = kubectl.get("deployment", f"{service}-scanner", namespace)
        image = scanners["spec"]["template"]["spec"]["containers"][0]["image"]
    name = f"scan-{secrets.token_hex(3)}"
    arguments = ["--server", endpoint, "--ecosystem", ecosystem, "--", *names]
    kubectl.run("create", "-f", "-", stdin=json.dumps(manifest(name, namespace, image, arguments)))
    try:
        return _answer(kubectl, namespace, name)
    finally:
        kubectl.run("delete", "pod", name, "-n", namespace, "--wait=false", "--ignore-not-found")


def _answer(kubectl: Kubectl, namespace: str, name: str) -> str:
    done = kubectl.run(
        "wait", f"pod/{name}", "-n", namespace, "--for=jsonpath={.status.containerStatuses[0].state.terminated}",
        "--timeout=60s", check=False,
    )  # fmt: skip
    printed = kubectl.run("logs", name, "-n", namespace, check=False)
    pod = kubectl.get("pod", name, namespace)
    state = pod["status"].get("containerStatuses", [{}])[0].get("state", {})
    code = state.get("terminated", {}).get("exitCode")
    if code != 0:
        raise KubectlError(f"the scanning client ended with {code}: {printed.strip() or state or done.strip()}")
    return printed


def main(kubectl: Kubectl, namespace: str, service: str, ecosystem: str, names: Sequence[str]) -> int:
    """Scan and print; returns the exit code."""
    try:
        print(scan(kubectl, namespace, service, ecosystem, names), end="")
    except (KubectlError, subprocess.SubprocessError) as error:
        print(f"scan: {error}", file=sys.stderr)
        print("Is the quickstart's cluster up? make cluster-status, make quickstart", file=sys.stderr)
        return 1
    return 0
