"""The webhook as it is installed: asked through its Service, with certificates that a kubelet has brought."""

import json

import factories
from kube import Kubectl, Manifest
from typosentinel_operator import names

# From the operator's start: certificates are made, mounted, trusted, and the API server has heard of it.
ASKED_SECONDS = 60.0
SYSTEM = "typosentinel-system"
WEBHOOK = "typosentinel-webhook"


def _refusal(kubectl: Kubectl, manifest: Manifest) -> str:
    answer = kubectl.attempt("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    return answer.err if answer.code else ""


def test_what_cannot_work_is_refused_with_words_that_kubectl_shows(release: Kubectl, namespace: str) -> None:
    """By both pods, which are ready because each has a certificate."""
    metadata = {"name": "front-scanner", "namespace": namespace}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "front-scanner"}
    theirs = {
        "apiVersion": names.AUTOSCALER.api_version,
        "kind": names.AUTOSCALER.name,
        "metadata": metadata,
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 2},
    }
    release.apply(theirs)
    service = factories.scan_service(namespace=namespace)
    told = release.wait_until(lambda: _refusal(release, service), ASKED_SECONDS, "the webhook is asked")

    assert f'admission webhook "{names.WEBHOOK}" denied the request' in told
    assert 'HorizontalPodAutoscaler "front-scanner" scales Deployment "front-scanner"' in told
    deployment = release.require("deployment", WEBHOOK, SYSTEM)
    assert deployment["status"]["readyReplicas"] == deployment["spec"]["replicas"] == 2


def test_a_deleted_secret_is_made_anew_and_pods_take_it_up(release: Kubectl, namespace: str) -> None:
    """Without a restart, as soon as their kubelets bring it; the pods mount no key of an authority."""
    service = factories.scan_service(
        namespace=namespace, providers={"vulnerabilities": {"url": "http://10.1.2.3/v1/query"}}
    )
    release.wait_until(lambda: _refusal(release, service), ASKED_SECONDS, "the webhook is asked")
    pods = _pods(release)
    ran = _restarts(pods)
    before = release.require("secret", WEBHOOK, SYSTEM)["data"]
    release.delete("secret", WEBHOOK, SYSTEM)
    release.wait_until(
        lambda: (release.get_json("secret", WEBHOOK, SYSTEM) or {}).get("data"), 30, "the Secret is made anew"
    )
    assert release.require("secret", WEBHOOK, SYSTEM)["data"]["ca.crt"] != before["ca.crt"]
    release.wait_until(lambda: _refusal(release, service), 150, "pods serve with what is new")

    after = _pods(release)
    assert _restarts(after) == ran, _story(release, after)
    for name in (pod["metadata"]["name"] for pod in pods):
        script = "import os; print(sorted(os.listdir('/etc/typosentinel-webhook')))"
        listed = release.run("exec", name, "-n", SYSTEM, "--", "/opt/typosentinel/bin/python3", "-c", script)
        assert "tls.key" in listed
        assert "ca.key" not in listed


def _pods(kubectl: Kubectl) -> list[Manifest]:
    found = kubectl.list_json("pod", SYSTEM, f"app.kubernetes.io/name={WEBHOOK}")
    return [one for one in found if "deletionTimestamp" not in one["metadata"]]


def _restarts(pods: list[Manifest]) -> dict[str, int]:
    """By the pod's uid."""
    return {
        pod["metadata"]["uid"]: sum(one["restartCount"] for one in pod["status"]["containerStatuses"]) for pod in pods
    }


def _story(kubectl: Kubectl, pods: list[Manifest]) -> str:
    """Why containers ended, and what was said of it."""
    ended = [
        f"{pod['metadata']['name']}: {json.dumps(one['lastState'])}\n"
        + kubectl.attempt("logs", pod["metadata"]["name"], "-n", SYSTEM, "--previous", "--tail=30").out
        for pod in pods
        for one in pod["status"]["containerStatuses"]
    ]
    events = kubectl.attempt("get", "events", "-n", SYSTEM, "--field-selector=type=Warning").out
    return "\n".join([*ended, events])
