"""Rolling updates and scale-ins under load: `python -m hack.load.rollout`, or `make faults-rollout`.

Needs the local cluster with images and chart (`make quickstart`). Makes a namespace of its own and removes it. The last
line is JSON: requests, failures, and the 99th percentile while pods change beside that before.
"""

import argparse
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hack import deploy
from hack.load import pod
from hack.load.outcome import NINETY_NINE, Outcome, Span, near, quantile
from hack.quickstart.kubectl import Kubectl, KubectlError

SERVICE = "main"
REPLICAS = 3
READY_SECONDS = 120.0
POLL_SECONDS = 0.2
# Before the first change and after the last one, and what one change takes at most on a busy machine.
BASELINE_SECONDS = 10.0
REST_SECONDS = 3.0
# What a change takes on two cores. Where changes end sooner the load goes on until this time is over, and where they
# take longer it goes on as well, up to so many times as long.
RESTART_SECONDS = 22.0
SCALE_SECONDS = 14.0
PATIENCE = 4


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is done under which load.

    Attributes:
        restarts: rolling updates of all pods.
        scale_ins: times that a pod is taken away and put back.
        rate: requests per second.
        fresh: share of requests on a connection of their own.
    """

    restarts: int
    scale_ins: int
    rate: float
    fresh: float = 0.1

    @property
    def seconds(self) -> float:
        """How long to send at least."""
        return 2 * BASELINE_SECONDS + self.restarts * RESTART_SECONDS + self.scale_ins * SCALE_SECONDS


@dataclass(slots=True)
class Fleet:
    """A ScanService in a namespace of its own, and what happened to it.

    Attributes:
        kubectl: of the cluster.
        namespace: that enforces the `restricted` Pod Security level.
        events: (seconds since the epoch, what began or ended).
    """

    kubectl: Kubectl
    namespace: str
    events: list[tuple[float, str]] = field(default_factory=list)

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Apply manifests."""
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
        self.kubectl.run("apply", "--server-side", "-f", "-", stdin=document)

    def scale(self, replicas: int) -> None:
        """Say how many pods are wanted."""
        spec = {"replicas": replicas, "ecosystems": ["PyPI"]}
        meta = {"name": SERVICE, "namespace": self.namespace}
        head = {"apiVersion": "typosentinel.io/v1alpha1", "kind": "ScanService"}
        self.apply(head | {"metadata": meta, "spec": spec})

    def restart(self) -> None:
        """Replace every pod, and wait until that is done."""
        name = f"deployment/{SERVICE}-scanner"
        self.kubectl.run("rollout", "restart", name, "-n", self.namespace)
        self.kubectl.run("rollout", "status", name, "-n", self.namespace, f"--timeout={READY_SECONDS:g}s")
        self.await_pods(REPLICAS)

    def shrink(self) -> None:
        """Take one pod away, wait until it has gone, and put one back."""
        self.scale(REPLICAS - 1)
        self.await_pods(REPLICAS - 1)
        self.note("a pod was put back")
        self.scale(REPLICAS)
        self.await_pods(REPLICAS)

    def await_pods(self, wanted: int) -> None:
        """Wait until so many pods are ready and no other is left."""

        def settled() -> bool:
            selector = f"--selector=typosentinel.io/scanservice={SERVICE}"
            pods = self.kubectl.json("get", "pods", "-n", self.namespace, selector)["items"]
            ready = [one for one in pods if _is_ready(one) and "deletionTimestamp" not in one["metadata"]]
            return len(pods) == len(ready) == wanted

        self.await_true(settled, f"{wanted} ready pods and no other")

    def await_true(self, predicate: Callable[[], bool], what: str) -> None:
        """Wait for something.

        Raises:
            KubectlError: it does not come.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not predicate():
            if time.monotonic() > deadline:
                raise KubectlError(f"not within {READY_SECONDS:g} s: {what}")
            time.sleep(POLL_SECONDS)

    def note(self, what: str) -> None:
        """Remember when something happened."""
        self.events.append((time.time(), what))


def _is_ready(one: dict[str, Any]) -> bool:
    conditions = one.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


@contextmanager
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace that goes when this is left."""
    name = f"rollout-{secrets.token_hex(3)}"
    kubectl.run("create", "namespace", name)
    kubectl.run("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    try:
        yield name
    finally:
        kubectl.run("delete", "namespace", name, "--wait=true", "--timeout=120s", check=False)


def run(fleet: Fleet, image: str, campaign: Campaign) -> tuple[Outcome, list[Span]]:
    """Change the pods under load; returns what became of the requests, and the spans in which pods changed.

    Raises:
        KubectlError: the cluster did not do what it was told.
    """
    fleet.scale(REPLICAS)
    fleet.await_true(lambda: _deployed(fleet), "a Deployment")
    fleet.await_pods(REPLICAS)
    host = f"{SERVICE}-scanner.{fleet.namespace}.svc"
    arguments = [f"--host={host}", "--port=8080", f"--rate={campaign.rate:g}"]
    arguments.append(f"--seconds={PATIENCE * campaign.seconds:g}")
    fleet.apply(*pod.manifests(fleet.namespace, image, [*arguments, f"--fresh={campaign.fresh:g}"]))
    pod.await_begun(fleet.kubectl, fleet.namespace)
    until = time.monotonic() + campaign.seconds
    time.sleep(BASELINE_SECONDS)
    spans = []
    # A scale-in now and then between the restarts.
    every = max(1, campaign.restarts // max(1, campaign.scale_ins))
    for number in range(max(campaign.restarts, campaign.scale_ins * every)):
        steps = [("restart", fleet.restart)] if number < campaign.restarts else []
        steps += [("scale-in", fleet.shrink)] if number % every == 0 and number // every < campaign.scale_ins else []
        for name, step in steps:
            began = time.time()
            fleet.note(f"{name} {number + 1} began")
            step()
            spans.append((began, time.time()))
            fleet.note(f"{name} {number + 1} ended")
            time.sleep(REST_SECONDS)
    beyond = time.monotonic() - until
    if beyond > (PATIENCE - 1) * campaign.seconds:
        raise KubectlError(f"the pods took {beyond:.0f} s longer to change than they should; try on a quieter machine")
    time.sleep(max(0.0, -beyond))
    pod.stop(fleet.kubectl, fleet.namespace)
    return pod.await_outcome(fleet.kubectl, fleet.namespace, READY_SECONDS), spans


def figures(outcome: Outcome, spans: list[Span]) -> dict[str, Any]:
    """What a run is judged by."""
    before = quantile(outcome.took([(outcome.began + 1.0, spans[0][0])]), NINETY_NINE)
    during = quantile(outcome.took(spans), NINETY_NINE)
    return {
        "requests": outcome.requests,
        "failed": len(outcome.failures),
        "failures": outcome.kinds(),
        "changes": len(spans),
        "connections": outcome.connections,
        "p99_before_ms": round(before * 1000, 1),
        "p99_during_ms": round(during * 1000, 1),
        "p99_ratio": round(during / before, 2) if before else None,
        "sent_late_ms": round(outcome.late * 1000, 1),
    }


def _deployed(fleet: Fleet) -> bool:
    return bool(
        fleet.kubectl.run(
            "get", "deployment", f"{SERVICE}-scanner", "-n", fleet.namespace, "--ignore-not-found", "-o=name"
        ).strip()
    )


def main() -> int:
    """Run the campaign; returns the exit code: 1 where a request failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--restarts", type=int, default=10, help="rolling updates of all pods (%(default)s)")
    parser.add_argument("--scale-ins", type=int, default=3, help="times that a pod is taken away (%(default)s)")
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second (%(default)s)")
    parser.add_argument("--fresh", type=float, default=0.1, help="share on connections of their own (%(default)s)")
    options = parser.parse_args()
    campaign = Campaign(options.restarts, options.scale_ins, options.rate, options.fresh)
    try:
        target, images = deploy.local_target(), deploy.local_images()
        deploy.install(target, images)
        kubectl = Kubectl(target.kubectl)
        print(
            f"{campaign.restarts} restarts and {campaign.scale_ins} scale-ins in {campaign.seconds:.0f} s …", flush=True
        )
        with namespace(kubectl) as name:
            fleet = Fleet(kubectl, name)
            outcome, spans = run(fleet, images["server"], campaign)
    except (KubectlError, deploy.DeployError, subprocess.SubprocessError) as error:
        print(f"rollout: {error}", file=sys.stderr)
        return 2
    for line in near(outcome.failures, fleet.events):
        print(line)
    print(json.dumps(figures(outcome, spans)))
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
