"""The webhook's certificates: made, kept and renewed by the leader, or by somebody else as the chart asks for it."""

import base64
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

import certified
import factories
from kube import Kubectl, Manifest
from operator_process import Candidacy, Operator
from plane import ROOT
from probed_process import free_port
from release import ACCOUNT, SYSTEM, kubeconfig_of
from typosentinel_operator import certificates, issuing, names
from webhook_process import Webhook

WEBHOOK = "sentinel-webhook"
CONFIGURATION = "validatingwebhookconfiguration"
REFUSED = factories.scan_service(namespace="default", providers={"vulnerabilities": {"url": "http://10.1.2.3/q"}})
# The leader looks every ten seconds; the rest is for a busy machine.
LOOK_SECONDS = 25.0


@dataclass
class Kept:
    """A release of which the leader keeps the certificates; and the kubelet of its webhook.

    Attributes:
        kubectl: the administrator's.
        operator: who leads.
        webhook: who serves.
        chart: the release.
    """

    kubectl: Kubectl
    operator: Operator
    webhook: Webhook
    chart: list[Manifest]
    mounted: dict[str, str] = field(default_factory=dict)

    def secret(self) -> dict[str, str]:
        """Data of the Secret; none where it is not there."""
        found = self.kubectl.get_json("secret", WEBHOOK, SYSTEM) or {}
        return dict(found.get("data") or {})

    def published(self) -> bytes:
        """Whom the API server trusts."""
        (webhook,) = self.kubectl.require(CONFIGURATION, WEBHOOK)["webhooks"]
        return base64.b64decode(webhook["clientConfig"].get("caBundle", ""))

    def mount(self) -> None:
        """Do what a kubelet does every minute."""
        data = {key: value for key, value in self.secret().items() if key in certified.MOUNTED}
        if data and data != self.mounted:
            certified.mount(data, self.webhook.folder)
            self.mounted = data

    def settled(self) -> bool:
        """Whether the API server trusts just the authority that has signed what the Secret holds."""
        held = certificates.read(self.secret())
        if held.authority is None or held.serving is None or self.published() != certificates.bundle(held.trusted):
            return False
        return certificates.plan(held, self.published(), [certified.ADDRESS], datetime.now(UTC)).why == ""

    def await_settled(self, seconds: float = LOOK_SECONDS) -> None:
        """Wait for that."""
        self.kubectl.wait_until(self.settled, seconds, "certificates are in accord")

    def judged(self) -> bool:
        """Whether the API server asks and hears: what is refused would be let in otherwise."""
        given = json.dumps(REFUSED)
        answer = self.kubectl.attempt("apply", "--dry-run=server", "--validate=false", "-f", "-", stdin=given)
        return "denied the request" in answer.err

    def change_secret(self, data: dict[str, str | None]) -> None:
        """Change some of its keys, by hand."""
        self.kubectl.patch("secret", WEBHOOK, SYSTEM, {"data": data})


@pytest.fixture
def kept(
    no_operator: None,
    kubectl: Kubectl,
    kubeconfig: Path,
    operator_kubeconfig: Path,
    chart: list[Manifest],
    tmp_path: Path,
) -> Iterator[Kept]:
    """The release with its Secret, which is empty, its configuration, and its leader."""
    others = {
        "TYPOSENTINEL_WEBHOOK_CONFIGURATION": WEBHOOK,
        "TYPOSENTINEL_WEBHOOK_SECRET": WEBHOOK,
        "TYPOSENTINEL_WEBHOOK_HOSTS": certified.ADDRESS,
    }
    candidacy = Candidacy(SYSTEM, ACCOUNT, f"{ACCOUNT}-0")
    operator = Operator(operator_kubeconfig, candidacy, free_port(), tmp_path / "operator.log", others=others)
    webhook = Webhook(kubeconfig_of(WEBHOOK, kubectl, kubeconfig, tmp_path / "kubeconfig"), tmp_path)
    (secret,) = [one for one in chart if one["kind"] == "Secret"]
    made = Kept(kubectl, operator, webhook, chart)
    try:
        kubectl.apply(secret, webhook.configured(chart))
        operator.start()
        made.await_settled()
        made.mount()
        webhook.start()
        kubectl.wait_until(made.judged, LOOK_SECONDS, "the webhook is asked")
        yield made
    finally:
        webhook.stop()
        operator.stop()
        kubectl.delete(CONFIGURATION, WEBHOOK)
        kubectl.delete("secret", WEBHOOK, SYSTEM)
    assert operator.crashes() == []
    assert "Traceback" not in webhook.log.read_text()


def test_certificates_at_rest_are_not_written(kept: Kept) -> None:
    """Two looks long. What others have left behind on this control plane may still move, and is not counted."""

    def writes() -> tuple[float, ...]:
        found = kept.operator.writes()
        return found["apply Secret"], found["apply ValidatingWebhookConfiguration"]

    assert writes() == (1, 1)
    time.sleep(22)
    assert writes() == (1, 1)


def test_what_is_taken_away_is_there_again(kept: Kept) -> None:
    """With the rights of the chart: the trust, the Secret's contents, and the Secret."""
    kept.kubectl.patch(CONFIGURATION, WEBHOOK, "", {"webhooks": kept.webhook.configured(kept.chart)["webhooks"]})
    assert kept.published() == b""
    kept.await_settled()
    assert kept.judged()

    kept.change_secret({"ca.key": None, "tls.crt": "AAAA"})
    kept.await_settled()
    kept.kubectl.delete("secret", WEBHOOK, SYSTEM)
    kept.await_settled()
    kept.mount()
    kept.kubectl.wait_until(kept.judged, LOOK_SECONDS, "the webhook serves with what is new")


def test_under_a_stream_of_admissions_all_is_renewed_and_none_fails(
    kept: Kept, record_property: Callable[[str, object], None]
) -> None:
    """An authority past two thirds of its life gives way; every request is judged, every new handshake succeeds."""
    old = issuing.authority(datetime.now(UTC) - timedelta(days=250))
    _age(kept, old)
    stream = _Stream(kept)
    stream.start()
    try:
        deadline = time.monotonic() + 60
        while not (kept.settled() and _signer_is_new(kept, old)):
            assert time.monotonic() < deadline, "not renewed in a minute"
            time.sleep(0.5)
        renewed = kept.secret()
        # A kubelet takes its time; until then the old one is served, and trusted.
        time.sleep(5)
        kept.mount()
        time.sleep(8)
    finally:
        stream.stop()
    record_property("admissions", stream.judged)
    record_property("handshakes", stream.handshakes)
    assert stream.failed == []
    assert stream.judged >= 20
    assert stream.handshakes >= 20
    # Of the old authority's key nothing is left, and it is trusted for as long as what it signed could be served.
    held = certificates.read(renewed)
    assert held.trusted[1:] == (old.certificate,)
    assert {one.serial_number for one in stream.served} == {stream.first, _serial(renewed)}


def _age(kept: Kept, old: certificates.Signed) -> None:
    """Let the release have been made with this authority, and be served and trusted by it."""
    served = issuing.serving(old, [certified.ADDRESS], datetime.now(UTC))
    data = certificates.write(old, [old.certificate], served)
    kept.operator.stop()
    kept.kubectl.patch("secret", WEBHOOK, SYSTEM, {"data": data}, by=names.CERTIFICATE_MANAGER)
    (webhook,) = kept.webhook.configured(kept.chart, base64.b64encode(certificates.bundle([old.certificate])).decode())[
        "webhooks"
    ]
    kept.kubectl.patch(CONFIGURATION, WEBHOOK, "", {"webhooks": [webhook]}, by=names.CERTIFICATE_MANAGER)
    kept.mount()
    kept.kubectl.wait_until(kept.judged, LOOK_SECONDS, "the webhook is asked")
    kept.operator.start(wait=False)


def _signer_is_new(kept: Kept, old: certificates.Signed) -> bool:
    held = certificates.read(kept.secret())
    if held.authority is None or held.serving is None:
        return False
    issued = certificates._issued_by(held.serving.certificate, held.authority.certificate)
    return held.authority.certificate != old.certificate and issued


def _serial(data: dict[str, str]) -> int:
    held = certificates.read(data)
    assert held.serving is not None
    return held.serving.certificate.serial_number


class _Stream:
    """Requests and handshakes, one after the other, in threads.

    Attributes:
        judged: requests that were judged.
        handshakes: new connections with a certificate that the API server's bundle of that moment vouches for.
        failed: what was not.
        served: certificates that were met.
        first: serial number of the first of them.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask), threading.Thread(target=self._shake)]
        self.judged = self.handshakes = 0
        self.failed: list[str] = []
        self.served: set[x509.Certificate] = set()
        self.first = _serial(kept.secret())

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, and wait until what is under way has ended."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            if self._kept.judged():
                self.judged += 1
            else:
                self.failed.append("let in without being judged")

    def _shake(self) -> None:
        while not self._over.is_set():
            bundle = self._kept.published()
            try:
                self.served.add(_met(self._kept.webhook.asked_at, bundle))
                self.handshakes += 1
            except OSError as error:
                self.failed.append(f"handshake: {error}")


def _met(port: int, bundle: bytes) -> x509.Certificate:
    """The certificate that is served, to a client that trusts the bundle."""
    with (
        socket.create_connection((certified.ADDRESS, port), timeout=10) as plain,
        certified.trusting(bundle).wrap_socket(plain, server_hostname=certified.ADDRESS) as connection,
    ):
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")


def test_an_upgrade_leaves_certificates_and_trust_alone_and_nothing_stays_after_the_release(
    programs: dict[str, Path], kubectl: Kubectl, kubeconfig: Path, namespace: str
) -> None:
    """By helm itself: what the operator has written is not in the chart, so it is nobody's to take away."""
    helm = [str(programs["helm"]), f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]
    chart = [str(ROOT / "charts" / "typosentinel"), "--set", "crds.install=false"]
    _run(*helm, "install", "kept", *chart)
    try:
        data, bundle = certified.fresh()
        encoded = base64.b64encode(bundle).decode()
        trust = {"webhooks": [{"name": names.WEBHOOK, "clientConfig": {"caBundle": encoded}}]}
        configuration = {
            "apiVersion": names.WEBHOOK_CONFIGURATION.api_version,
            "kind": names.WEBHOOK_CONFIGURATION.name,
        }
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kept-webhook", "namespace": namespace}}
        # Parts of objects: kubectl would miss what belongs to others.
        arguments = [f"--field-manager={names.CERTIFICATE_MANAGER}", "--validate=false"]
        kubectl.apply(configuration | {"metadata": {"name": "kept-webhook"}} | trust, arguments=arguments)
        kubectl.apply(secret | {"data": data}, arguments=arguments)
        _run(*helm, "upgrade", "kept", *chart, "--set", "webhook.timeoutSeconds=3", "--set", "operator.workers=2")
        (webhook,) = kubectl.require(CONFIGURATION, "kept-webhook")["webhooks"]
        assert (webhook["timeoutSeconds"], webhook["clientConfig"]["caBundle"]) == (3, encoded)
        assert kubectl.require("secret", "kept-webhook", namespace)["data"] == data
    finally:
        _run(*helm, "uninstall", "kept", "--wait")
    assert kubectl.get_json(CONFIGURATION, "kept-webhook") is None
    assert kubectl.get_json("secret", "kept-webhook", namespace) is None
    left = kubectl.list_json("clusterrole,clusterrolebinding", selector="app.kubernetes.io/instance=kept")
    assert left == []


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
