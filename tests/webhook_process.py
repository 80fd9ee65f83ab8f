"""The webhook as a process of its own, which an API server on this machine reaches at a loopback port."""

import re
from collections.abc import Sequence
from pathlib import Path

from certified import ADDRESS
from kube import Manifest
from probed_process import ProbedProcess, free_port

REVIEW_SECONDS = 2.0


class Webhook(ProbedProcess):
    """One webhook process at a time.

    Args:
        kubeconfig: as whom it reads.
        folder: where its certificate is mounted, and its log.
        namespaces: whose objects it judges; none: all.
    """

    def __init__(self, kubeconfig: Path, folder: Path, namespaces: Sequence[str] = ()) -> None:
        super().__init__(free_port(), folder / "log")
        self.kubeconfig = kubeconfig
        self.folder = folder
        self.namespaces = ",".join(namespaces)
        self.asked_at = free_port()

    def start(self, kubeconfig: Path | None = None, *, wait: bool = True) -> None:
        """Start it, as whoever else, and wait until it has a certificate."""
        if self.running:
            return
        variables = {
            "TYPOSENTINEL_WATCH_NAMESPACES": self.namespaces,
            "TYPOSENTINEL_WEBHOOK_HOST": ADDRESS,
            "TYPOSENTINEL_WEBHOOK_PORT": str(self.asked_at),
            "TYPOSENTINEL_WEBHOOK_DIRECTORY": str(self.folder),
            "TYPOSENTINEL_WEBHOOK_TIMEOUT_SECONDS": str(REVIEW_SECONDS),
            "TYPOSENTINEL_WEBHOOK_DRAIN_SECONDS": "1",
        }
        self._launch(("webhook", "--kubeconfig", str(kubeconfig or self.kubeconfig)), variables)
        if wait:
            self.await_ready()

    def requests(self, result: str) -> float:
        """How many requests have had this result."""
        _, text = self.ask("/metrics")
        found = re.search(rf'^typosentinel_webhook_requests_total{{result="{result}"}} (\S+)$', text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def configured(self, chart: Sequence[Manifest], bundle: str | None = None) -> Manifest:
        """The chart's configuration, but that the process is reached at its port instead of through a Service.

        Args:
            chart: what helm has made of it.
            bundle: whom to trust, base64; None: that is somebody else's affair.
        """
        (made,) = [one for one in chart if one["kind"] == "ValidatingWebhookConfiguration"]
        (asked,) = made["webhooks"]
        client = {"url": f"https://{ADDRESS}:{self.asked_at}{asked['clientConfig']['service']['path']}"}
        trusted = {} if bundle is None else {"caBundle": bundle}
        return {**made, "webhooks": [{**asked, "clientConfig": client | trusted}]}
