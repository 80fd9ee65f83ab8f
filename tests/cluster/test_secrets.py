"""Secrets on a real API server: one is made and never read, others are asked after and never read."""

import base64
import time
from typing import Any

import pytest

import factories
from children import Children
from kube import Kubectl, Manifest
from operator_process import RESYNC_SECONDS, Operator
from typosentinel_operator.tokens import OFFER_SECONDS

# An offer has its pause, and a look that comes by itself its interval.
BACK_SECONDS = OFFER_SECONDS + 2 * RESYNC_SECONDS + 5
REDIS = {"external": {"urlSecretRef": {"name": "redis", "key": "url"}}}
pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def children(kubectl: Kubectl, namespace: str) -> Children:
    """Those of the ScanService `front`."""
    kubectl.apply(factories.scan_service(namespace=namespace))
    found = Children(kubectl, namespace, "front")
    found.await_all()
    return found


def token_of(children: Children) -> Manifest:
    """The Secret with the token."""
    return children.kubectl.require("secret", "front-scanner-admin", children.namespace)


def secret(namespace: str, name: str = "redis", **data: str) -> Manifest:
    """A Secret as a user writes it."""
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}


def references(children: Children) -> tuple[str, str]:
    """Status and reason of the condition that speaks of Secrets."""
    return children.kubectl.condition("scanservice", "front", children.namespace, "ReferencesResolved")


def test_every_scan_service_has_a_token_of_its_own(children: Children) -> None:
    """Long enough that nobody guesses it, and owned, so that it goes when the ScanService goes."""
    found = token_of(children)
    owner = children.kubectl.require("scanservice", "front", children.namespace)
    assert [one["uid"] for one in found["metadata"]["ownerReferences"]] == [owner["metadata"]["uid"]]
    assert len(base64.b64decode(found["data"]["token"])) == 43
    children.kubectl.apply(factories.scan_service("other", namespace=children.namespace))
    other = Children(children.kubectl, children.namespace, "other")
    other.await_all()
    assert children.kubectl.require("secret", "other-scanner-admin", children.namespace)["data"] != found["data"]


def test_a_token_is_left_alone(children: Children, process: Operator) -> None:
    """Whoever writes one of their own keeps it; and another operator makes no other."""
    mine = {"data": {"token": base64.b64encode(b"m" * 40).decode()}}
    children.kubectl.patch("secret", "front-scanner-admin", children.namespace, mine)
    version = token_of(children)["metadata"]["resourceVersion"]
    process.stop()
    process.start()
    children.await_observed()
    time.sleep(RESYNC_SECONDS)
    assert token_of(children)["metadata"]["resourceVersion"] == version


def test_a_deleted_token_is_made_anew(children: Children) -> None:
    """So it is rotated."""
    before = token_of(children)
    children.kubectl.delete("secret", "front-scanner-admin", children.namespace)
    children.kubectl.wait_until(
        lambda: children.kubectl.get_json("secret", "front-scanner-admin", children.namespace),
        BACK_SECONDS,
        "the Secret is back",
    )
    assert token_of(children)["data"] != before["data"]


def test_the_token_goes_with_its_scan_service(children: Children) -> None:
    """By the garbage collector, which needs no right of ours."""
    children.kubectl.delete("scanservice", "front", children.namespace)
    children.kubectl.wait_until(
        lambda: children.kubectl.get_json("secret", "front-scanner-admin", children.namespace) is None,
        BACK_SECONDS,
        "the Secret has gone",
    )


def test_the_operator_may_not_look_into_secrets(children: Children, operator_kubeconfig: Any) -> None:
    """Not even into the one that it made."""
    account = Kubectl([children.kubectl.path[0], f"--kubeconfig={operator_kubeconfig}"])
    for verb in ("get", "list", "watch", "patch", "update", "delete"):
        answer = account.attempt("auth", "can-i", verb, "secrets", "-n", children.namespace)
        assert answer.out.strip() == "no", verb
    assert account.attempt("auth", "can-i", "create", "secrets", "-n", children.namespace).out.strip() == "yes"


def test_a_missing_secret_is_a_condition_and_its_coming_is_noticed(children: Children) -> None:
    """With field and object in the message; what runs goes on, and asking leaves nothing behind."""
    kubectl, where = children.kubectl, children.namespace
    kubectl.apply(
        factories.cache_policy(namespace=where, redis=REDIS),
        factories.scan_service(namespace=where, cachePolicyRef={"name": "small"}),
    )
    kubectl.wait_until(
        lambda: references(children) == ("False", "SecretNotFound"),
        BACK_SECONDS,
        lambda: f"told; {references(children)}",
    )
    (told,) = [
        condition["message"]
        for condition in kubectl.require("scanservice", "front", where)["status"]["conditions"]
        if condition["type"] == "ReferencesResolved"
    ]
    assert 'Secret "redis" of spec.redis.external.urlSecretRef in CachePolicy "small" does not exist' in told
    kubectl.wait_until(lambda: ("Warning", "SecretNotFound") in children.events(), BACK_SECONDS, "an Event warns of it")
    assert kubectl.get_json("secret", "redis", where) is None
    kubectl.apply(secret(where, url="redis://redis:6379"))
    kubectl.wait_until(
        lambda: references(children) == ("True", "ReferencesResolved"),
        BACK_SECONDS,
        lambda: f"noticed; {references(children)}",
    )


def test_a_secret_stays_mounted_until_another_can_be_used(children: Children) -> None:
    """A wrong reference costs no pod the address that it has; when the policy goes, nothing changes either."""
    kubectl, where = children.kubectl, children.namespace
    service = factories.scan_service(namespace=where, cachePolicyRef={"name": "small"})
    kubectl.apply(secret(where, url="redis://a"), factories.cache_policy(namespace=where, redis=REDIS), service)
    kubectl.wait_until(lambda: mounted(children) == "redis", BACK_SECONDS, "the Secret is mounted")
    document = children.configuration()

    wrong = {"external": {"urlSecretRef": {"name": "reddis", "key": "url"}}}
    kubectl.apply(factories.cache_policy(namespace=where, redis=wrong))
    kubectl.wait_until(
        lambda: references(children) == ("False", "SecretNotFound"), BACK_SECONDS, "the wrong reference is told"
    )
    assert (mounted(children), children.configuration()) == ("redis", document)

    kubectl.delete("cachepolicy", "small", where)
    kubectl.wait_for_condition(
        "scanservice", "front", where, ("PolicyResolved", "False", "PolicyNotFound"), BACK_SECONDS
    )
    assert (mounted(children), children.configuration()) == ("redis", document)


def mounted(children: Children) -> str:
    """The Secret that pods mount for the address of Redis."""
    pod = children.one("Deployment")["spec"]["template"]["spec"]
    return next((volume["secret"]["secretName"] for volume in pod["volumes"] if volume["name"] == "redis-url"), "")
