"""What the chart says about the webhook: its parts fit each other, and what the process and the API server expect."""

import re
from pathlib import Path
from typing import Any

import pytest

from kube import Kubectl, Manifest
from release import RELEASE, SYSTEM, rendered
from typosentinel_operator import names, settings

NAME = f"{RELEASE}-webhook"
CERT_MANAGER = ("--set", "webhook.certificates.source=CertManager")
NARROW = ("--set", "operator.watchNamespaces={team-a,team-b}")

_KNOWN = {
    "ClusterRole",
    "ClusterRoleBinding",
    "Deployment",
    "PodDisruptionBudget",
    "Secret",
    "Service",
    "ServiceAccount",
    "ValidatingWebhookConfiguration",
}


@pytest.fixture(scope="module")
def release(programs: dict[str, Path]) -> Any:
    """Render the chart with these switches; returns objects by kind and name."""

    def render(*switches: str) -> dict[tuple[str, str], Manifest]:
        made = rendered(programs, RELEASE, *switches)
        return {(one["kind"], one["metadata"]["name"]): one for one in made}

    return render


def pod_of(release: dict[tuple[str, str], Manifest], name: str = NAME) -> Manifest:
    """The pod of a Deployment of the release."""
    found: Manifest = release["Deployment", name]["spec"]["template"]["spec"]
    return found


def environment(pod: Manifest) -> dict[str, str]:
    """Variables of its container that have a value."""
    (container,) = pod["containers"]
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


def test_the_api_server_is_led_to_the_process(release: Any) -> None:
    """Through the Service to a port of the container, at its path, by a name that its certificate has."""
    made = release()
    (webhook,) = made["ValidatingWebhookConfiguration", NAME]["webhooks"]
    assert webhook["name"] == names.WEBHOOK
    client = webhook["clientConfig"]
    assert client == {"service": {"name": NAME, "namespace": SYSTEM, "path": names.WEBHOOK_PATH, "port": 443}}
    service = made["Service", NAME]["spec"]
    (port,) = [one for one in service["ports"] if one["port"] == 443]
    deployment = made["Deployment", NAME]["spec"]
    assert service["selector"].items() <= deployment["template"]["metadata"]["labels"].items()
    assert deployment["selector"]["matchLabels"] == service["selector"]
    (container,) = pod_of(made)["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    told = settings.load_webhook(environment(pod_of(made)))
    assert (ports[port["targetPort"]], ports["probes"]) == (told.webhook_port, told.probe_port)
    assert environment(pod_of(made, "sentinel-operator"))["TYPOSENTINEL_WEBHOOK_HOSTS"] == f"{NAME}.{SYSTEM}.svc"


def test_nobody_waits_for_it(release: Any) -> None:
    """Away, it stops nothing; and the process answers before the API server has gone on."""
    made = release("--set", "webhook.timeoutSeconds=3")
    (webhook,) = made["ValidatingWebhookConfiguration", NAME]["webhooks"]
    wanted = {"failurePolicy": "Ignore", "sideEffects": "None", "matchPolicy": "Equivalent", "timeoutSeconds": 3}
    assert wanted.items() <= webhook.items()
    assert webhook["admissionReviewVersions"] == ["v1"]
    assert settings.load_webhook(environment(pod_of(made))).webhook_timeout_seconds == 2
    assert {group for rule in webhook["rules"] for group in rule["apiGroups"]} == {names.GROUP}
    plurals = {kind.plural for kind in names.CUSTOM_KINDS}
    assert {resource for rule in webhook["rules"] for resource in rule["resources"]} == plurals


def test_pods_mount_what_they_serve_with_and_no_more(release: Any) -> None:
    """Not the authority's key; and a pod waits for its certificate, or it would start without one."""
    for switches in ((), CERT_MANAGER):
        made = release(*switches)
        pod = pod_of(made)
        (volume,) = pod["volumes"]
        secret = volume["secret"]
        assert {one["key"] for one in secret["items"]} == {names.SERVING_CERTIFICATE_KEY, names.SERVING_PRIVATE_KEY}
        assert all(one["key"] == one["path"] for one in secret["items"])
        assert "optional" not in secret
        (mount,) = pod["containers"][0]["volumeMounts"]
        assert mount["mountPath"] == settings.load_webhook(environment(pod)).webhook_directory
        holder = (
            made["Certificate", NAME]["spec"]["secretName"] if switches else made["Secret", NAME]["metadata"]["name"]
        )
        assert secret["secretName"] == holder


def test_a_busy_node_restarts_nobody(release: Any) -> None:
    """What a probe waits for is seconds, not the one that is the default: starved processes do hang for one."""
    made = release()
    pods = [one["spec"]["template"]["spec"] for (kind, _), one in made.items() if kind == "Deployment"]
    probes = [
        container[name]
        for pod in pods
        for container in pod["containers"]
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
    ]
    assert len(pods) == 2
    assert min(probe["timeoutSeconds"] for probe in probes) >= 5


def test_the_operator_is_told_of_what_it_keeps(release: Any) -> None:
    """The Secret, which is empty, and the configuration, which does not say whom to trust."""
    made = release()
    told = settings.load(
        environment(pod_of(made, "sentinel-operator"))
        | {"TYPOSENTINEL_POD_NAME": "x", "TYPOSENTINEL_POD_NAMESPACE": SYSTEM}
    )
    assert ("ValidatingWebhookConfiguration", told.webhook_configuration) in made
    assert "data" not in made["Secret", told.webhook_secret]


def test_with_cert_manager_the_operator_has_nothing_to_do_with_it(release: Any) -> None:
    """Neither settings nor rights; the annotation leads to the Certificate, which names what is in the Service."""
    made = release(*CERT_MANAGER)
    assert not any("WEBHOOK" in name for name in environment(pod_of(made, "sentinel-operator")))
    assert not any("certificates" in name for _, name in made)
    annotations = made["ValidatingWebhookConfiguration", NAME]["metadata"]["annotations"]
    certificate = made["Certificate", NAME]
    where = f"{certificate['metadata']['namespace']}/{certificate['metadata']['name']}"
    assert annotations == {"cert-manager.io/inject-ca-from": where}
    assert certificate["spec"]["dnsNames"] == [f"{NAME}.{SYSTEM}.svc"]
    issuer = certificate["spec"]["issuerRef"]
    assert (issuer["kind"], issuer["name"]) in made

    of_theirs = ("--set", "webhook.certificates.issuerRef.kind=ClusterIssuer,webhook.certificates.issuerRef.name=ca")
    made = release(*CERT_MANAGER, *of_theirs)
    assert made["Certificate", NAME]["spec"]["issuerRef"] == {"kind": "ClusterIssuer", "name": "ca"}
    assert ("Issuer", NAME) not in made


def test_a_release_for_some_namespaces_asks_there_only(release: Any) -> None:
    """With cert-manager; with certificates of its own the operator would need a right to the whole cluster."""
    assert [key for key in release(*NARROW) if "webhook" in key[1]] == []
    made = release(*NARROW, *CERT_MANAGER)
    (webhook,) = made["ValidatingWebhookConfiguration", NAME]["webhooks"]
    (term,) = webhook["namespaceSelector"]["matchExpressions"]
    wanted = ["team-a", "team-b"]
    assert term == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": wanted}
    assert settings.load_webhook(environment(pod_of(made))).watch_namespaces == tuple(wanted)
    assert ("ClusterRoleBinding", NAME) not in made
    assert made["RoleBinding", NAME]["metadata"]["namespace"] in wanted


def test_switched_off_nothing_of_it_is_left(release: Any) -> None:
    """No pod, no right, no variable."""
    made = release("--set", "webhook.enabled=false")
    assert [key for key in made if re.search("webhook|certificates", key[1])] == []
    assert not any("WEBHOOK" in name for name in environment(pod_of(made, "sentinel-operator")))


def test_the_api_server_takes_all_of_it(release: Any, kubectl: Kubectl) -> None:
    """But for cert-manager's kinds, which it does not know."""
    for switches in ((), CERT_MANAGER):
        parts = [one for (kind, name), one in release(*switches).items() if NAME in name and kind in _KNOWN]
        assert len(parts) >= 6
        kubectl.apply(*parts, arguments=["--dry-run=server"])


def test_with_every_switch_thrown_it_is_still_one_release(release: Any) -> None:
    """The values of continuous integration, at their widest."""
    made = release("--values=charts/typosentinel/ci/all-values.yaml")
    deployment = made["Deployment", "sentinel-webhook"]
    assert deployment["spec"]["replicas"] == 3
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"]["team"] == "security"
    assert {"nodeSelector", "tolerations", "affinity", "priorityClassName", "imagePullSecrets"} <= set(pod["spec"])
