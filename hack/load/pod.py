"""The generator in a pod of the `restricted` level, from the scanner's image and a ConfigMap with the program."""

import time
from pathlib import Path
from typing import Any

from hack import restricted
from hack.load import outcome
from hack.load.outcome import Outcome
from hack.quickstart.kubectl import Kubectl, KubectlError

PROGRAM = Path(__file__).with_name("generator.py")
PYTHON = "/opt/typosentinel/bin/python"
NAME = "load"
APP = "typosentinel-load"
START_SECONDS = 60.0
POLL_SECONDS = 0.5


def manifests(namespace: str, image: str, arguments: list[str]) -> list[dict[str, Any]]:
    """The ConfigMap and the pod."""
    container = {
        "name": NAME,
        "image": image,
        "command": [PYTHON, f"/program/{PROGRAM.name}", *arguments],
        # Of the cores a good part is its own: who measures must not be late because others are busy.
        "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}},
        "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}],
    }
    pod = restricted.pod(NAME, namespace, APP, container, [{"name": "program", "configMap": {"name": NAME}}])
    program = {PROGRAM.name: PROGRAM.read_text()}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": pod["metadata"], "data": program}, pod]


def await_begun(kubectl: Kubectl, namespace: str) -> None:
    """Wait until the generator sends.

    Raises:
        KubectlError: it does not.
    """
    deadline = time.monotonic() + START_SECONDS
    while '"began"' not in kubectl.run("logs", NAME, "-n", namespace, check=False):
        if time.monotonic() > deadline:
            raise KubectlError(f"the load's pod sends nothing: {kubectl.get('pod', NAME, namespace)['status']}")
        time.sleep(POLL_SECONDS)


def stop(kubectl: Kubectl, namespace: str) -> None:
    """Let the generator come to its end, if it has not yet."""
    program = "import os, signal; os.kill(1, signal.SIGUSR1)"
    kubectl.run("exec", NAME, "-n", namespace, "--", PYTHON, "-c", program, check=False)


def await_outcome(kubectl: Kubectl, namespace: str, seconds: float) -> Outcome:
    """Wait until the generator is done, and tell what became of its requests.

    Raises:
        KubectlError: it is not done in time, or ended without telling.
    """
    deadline = time.monotonic() + seconds
    while kubectl.get("pod", NAME, namespace)["status"]["phase"] not in {"Succeeded", "Failed"}:
        if time.monotonic() > deadline:
            raise KubectlError(f"the load's pod is not done after {seconds:g} s")
        time.sleep(POLL_SECONDS)
    try:
        return outcome.read(kubectl.run("logs", NAME, "-n", namespace))
    except outcome.Unfinished as error:
        raise KubectlError(f"the load's pod ended early: {error}") from None
