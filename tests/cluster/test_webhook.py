"""The admission webhook as `kubectl apply` meets it, with the rights and the configuration of the chart."""

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import certified
import factories
from kube import Kubectl, Manifest
from release import RIGHTS, kubeconfig_of, rendered
from typosentinel_operator import names
from webhook_process import REVIEW_SECONDS, Webhook

ACCOUNT = "sentinel-webhook"
CHILD = "front-scanner"
CONFIGURATION = "validatingwebhookconfiguration"
PROVIDERS = {"vulnerabilities": {"url": "http://10.1.2.3/v1/query"}}


def meta(name: str, namespace: str, **more: Any) -> Manifest:
    """Metadata of an object."""
    return {"name": name, "namespace": namespace, **more}


def deployment(namespace: str, **more: Any) -> Manifest:
    """A Deployment of somebody's under the name of ours."""
    labels = {"app": "theirs"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "registry.example/a:1"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(CHILD, namespace, **more), "spec": spec}


def autoscaler(namespace: str, name: str = "theirs") -> Manifest:
    """An autoscaler of somebody's for our Deployment."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": CHILD}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 2}
    return {
        "apiVersion": names.AUTOSCALER.api_version,
        "kind": names.AUTOSCALER.name,
        "metadata": meta(name, namespace),
        "spec": spec,
    }


@pytest.fixture(scope="module")
def process(kubectl: Kubectl, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    """The webhook with the rights of the chart, which tests may stop and kill."""
    folder = tmp_path_factory.mktemp("webhook")
    made = Webhook(kubeconfig_of(ACCOUNT, kubectl, kubeconfig, folder / "kubeconfig"), folder)
    try:
        yield made
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


@pytest.fixture(scope="module")
def trusted(process: Webhook, kubectl: Kubectl, chart: list[Manifest]) -> Iterator[None]:
    """A certificate made by somebody else, as cert-manager would, and a configuration that trusts it."""
    data, bundle = certified.fresh()
    certified.mount(data, process.folder)
    configuration = process.configured(chart, base64.b64encode(bundle).decode())
    kubectl.apply(configuration)
    process.start()
    # The API server has taken it up once it asks.
    probe = factories.scan_service(namespace="default", providers=PROVIDERS)
    kubectl.wait_until(lambda: refusal(kubectl, probe), 20, "the webhook is asked")
    yield
    kubectl.delete(CONFIGURATION, configuration["metadata"]["name"])


@pytest.fixture
def webhook(trusted: None, process: Webhook, no_operator: None) -> Webhook:
    """The webhook at work, and nobody who would make or take away children."""
    process.start()
    return process


def refusal(kubectl: Kubectl, manifest: Manifest) -> str:
    """What is said to who would apply it; empty: nothing against it."""
    answer = kubectl.attempt("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    return answer.err if answer.code else ""


def applied(kubectl: Kubectl, *manifests: Manifest) -> list[str]:
    """Apply; returns the warnings that kubectl shows."""
    answer = kubectl.try_apply(*manifests)
    assert answer.code == 0, answer.err
    return [line for line in answer.err.splitlines() if line.startswith("Warning: ")]


def test_a_deployment_of_somebody_else_is_refused(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """With words that kubectl shows and that say what to do; nothing is stored."""
    kubectl.apply(deployment(namespace))
    told = refusal(kubectl, factories.scan_service(namespace=namespace))
    assert f'admission webhook "{names.WEBHOOK}" denied the request' in told
    assert f'Deployment "{CHILD}" in namespace "{namespace}" exists and is not ours: rename or delete it' in told
    assert applied(kubectl, factories.scan_service("rear", namespace)) == []
    assert webhook.requests("unchecked") == 0


def test_what_would_be_adopted_is_let_in(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """A Deployment of ours whose owner reference was taken off, or that came out of a backup."""
    labels = {names.LABEL_MANAGED_BY: names.FIELD_MANAGER, names.LABEL_SCAN_SERVICE: "front"}
    kubectl.apply(deployment(namespace, labels=labels))
    assert applied(kubectl, factories.scan_service(namespace=namespace)) == []


@pytest.mark.parametrize("spec", [{"replicas": 2}, {"scalingPolicyRef": {"name": "steady"}}], ids=["fixed", "scaled"])
def test_an_autoscaler_of_somebody_else_is_refused(
    webhook: Webhook, kubectl: Kubectl, namespace: str, spec: Manifest
) -> None:
    """It would fight with us for the number of pods."""
    kubectl.apply(autoscaler(namespace), factories.scaling_policy(namespace=namespace))
    told = refusal(kubectl, factories.scan_service(namespace=namespace, **spec))
    assert f'HorizontalPodAutoscaler "theirs" scales Deployment "{CHILD}"' in told


def test_a_spec_beyond_the_definitions_own_rules_is_refused(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """CEL lets it pass, for its cost; the operator could not read it."""
    told = refusal(kubectl, factories.scan_service(namespace=namespace, providers=PROVIDERS))
    assert "10.1.2.3 lies in no network of allowPrivate" in told


def test_policies_that_are_not_there_are_warned_of(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """And let in: GitOps applies in any order. With them there, nobody says a word."""
    service = factories.scan_service(
        namespace=namespace, cachePolicyRef={"name": "small"}, scalingPolicyRef={"name": "steady"}
    )
    warnings = applied(kubectl, service)
    assert len(warnings) == 2
    assert 'CachePolicy "small" does not exist' in warnings[0]
    assert 'ScalingPolicy "steady" does not exist' in warnings[1]
    policies = (factories.cache_policy(namespace=namespace), factories.scaling_policy(namespace=namespace))
    assert applied(kubectl, *policies) == []
    assert applied(kubectl, {**service, "spec": service["spec"] | {"logLevel": "Debug"}}) == []


def test_deleting_a_policy_in_use_is_warned_of(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """And done."""
    policy = factories.cache_policy(namespace=namespace)
    applied(kubectl, policy, factories.scan_service(namespace=namespace, cachePolicyRef={"name": "small"}))
    answer = kubectl.attempt("delete", "cachepolicy", "small", f"--namespace={namespace}")
    assert answer.code == 0
    assert 'Warning: CachePolicy "small" is still referred to, by ScanService front' in answer.err


def test_a_bad_object_can_be_labelled_corrected_and_deleted(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """It came in while nobody was asked; only another change of its spec is judged, and that as a whole."""
    webhook.kill()
    bad = factories.scan_service(namespace=namespace, providers=PROVIDERS)
    assert applied(kubectl, bad) == []
    webhook.start()
    before = webhook.requests("allowed")
    kubectl.run("label", "scanservice", "front", f"--namespace={namespace}", "team=security")
    kubectl.run("scale", "scanservice/front", f"--namespace={namespace}", "--replicas=2")
    # Neither came as far as here.
    assert webhook.requests("allowed") == before
    assert "lies in no network" in refusal(kubectl, {**bad, "spec": bad["spec"] | {"logLevel": "Debug"}})
    assert refusal(kubectl, {**bad, "spec": {"providers": PROVIDERS | {"allowPrivate": ["10.0.0.0/8"]}}}) == ""
    kubectl.patch("scanservice", "front", namespace, {"metadata": {"finalizers": ["example.com/hold"]}})
    kubectl.delete("scanservice", "front", namespace, wait=False)
    kubectl.patch("scanservice", "front", namespace, {"spec": {"logLevel": "Debug"}})
    kubectl.patch("scanservice", "front", namespace, {"metadata": {"finalizers": []}})
    assert kubectl.get_json("scanservice", "front", namespace) is None


def test_without_the_webhook_everything_is_let_in(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """At once, and without a word."""
    kubectl.apply(deployment(namespace))
    webhook.kill()
    assert applied(kubectl, factories.scan_service(namespace=namespace)) == []
    webhook.start()


def test_a_webhook_that_is_told_to_stop_ends_in_order(webhook: Webhook, kubectl: Kubectl, namespace: str) -> None:
    """It goes on answering for its time, and is not ready meanwhile."""
    assert webhook.stop() == 0
    webhook.start()
    assert "denied the request" in refusal(kubectl, factories.scan_service(namespace=namespace, providers=PROVIDERS))


def test_an_api_server_that_hangs_costs_a_warning(
    webhook: Webhook, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """Told within the time that the one who asked has."""
    webhook.stop()
    with socket.create_server((certified.ADDRESS, 0), backlog=16) as silent:
        content = yaml.safe_load(webhook.kubeconfig.read_text())
        for cluster in content["clusters"]:
            cluster["cluster"]["server"] = f"https://{certified.ADDRESS}:{silent.getsockname()[1]}"
        elsewhere = tmp_path / "kubeconfig"
        elsewhere.write_text(yaml.safe_dump(content))
        webhook.start(elsewhere)
        started = time.monotonic()
        (warning,) = applied(kubectl, factories.scan_service(namespace=namespace))
        assert time.monotonic() - started < REVIEW_SECONDS + 10
        webhook.stop()
    assert "Not checked against other objects, and let through" in warning


def test_for_some_namespaces_no_right_leads_beyond_them(
    webhook: Webhook, programs: dict[str, Path], kubectl: Kubectl, kubeconfig: Path, namespace: str, tmp_path: Path
) -> None:
    """Another release, with certificates by cert-manager: it judges there, and is not asked elsewhere."""
    switches = (f"operator.watchNamespaces={{{namespace}}}", "webhook.certificates.source=CertManager")
    chart = rendered(programs, "narrow", *(part for switch in switches for part in ("--set", switch)))
    kubectl.apply(*(one for one in chart if one["kind"] in RIGHTS))
    narrow = Webhook(
        kubeconfig_of("narrow-webhook", kubectl, kubeconfig, tmp_path / "kubeconfig"), tmp_path, [namespace]
    )
    data, bundle = certified.fresh()
    certified.mount(data, tmp_path)
    kubectl.apply(deployment(namespace))
    webhook.kill()
    try:
        narrow.start()
        kubectl.apply(narrow.configured(chart, base64.b64encode(bundle).decode()))
        service = factories.scan_service(namespace=namespace)
        told = kubectl.wait_until(lambda: refusal(kubectl, service), 20, "the webhook is asked")
        assert "exists and is not ours" in told
        before = narrow.requests("denied")
        assert refusal(kubectl, factories.scan_service(namespace="default", providers=PROVIDERS)) == ""
        assert (narrow.requests("denied"), narrow.requests("unchecked")) == (before, 0)
    finally:
        narrow.stop()
        kubectl.delete(CONFIGURATION, "narrow-webhook")
        webhook.start()
    account = "--as=system:serviceaccount:typosentinel-system:narrow-webhook"
    answer = kubectl.attempt("auth", "can-i", "list", "scanservices.typosentinel.io", "--namespace=default", account)
    assert (answer.code, answer.out.strip()) == (1, "no")
