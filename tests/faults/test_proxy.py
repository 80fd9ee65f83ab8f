"""The proxy before a real API server: what comes through, and what each fault does."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import kinds
from faults.calls import Call
from faults.world import World
from kube import Kubectl, Manifest


@pytest.fixture(name="through")
def kubectl_through(world: World, tmp_path: Path) -> Iterator[Kubectl]:
    """The operator's own account, through the proxy; no fault is left behind."""
    program, _ = world.kubectl.path
    config = world.proxy.kubeconfig(world.operator.kubeconfig, tmp_path / "kubeconfig")
    yield Kubectl([program, f"--kubeconfig={config}"])
    world.proxy.heal()


@pytest.fixture(name="space")
def a_namespace(world: World) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"proxy-{uuid.uuid4().hex[:8]}"
    world.kubectl.run("create", "namespace", name)
    yield name
    world.kubectl.delete("namespace", name, wait=False)


def config_map(space: str, name: str) -> Manifest:
    """Something that the operator's account may create."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": space}}


def creates(call: Call) -> bool:
    """Whether it makes a ConfigMap, in kubectl's way or by an apply."""
    return call.resource == "configmaps" and call.writes


def test_the_caller_keeps_its_own_rights(world: World, through: Kubectl, space: str) -> None:
    """What its token allows and no more, and the proxy has noted what was asked."""
    through.apply(config_map(space, "mine"))
    assert through.get_json("configmap", "mine", space) is not None
    assert "forbidden" in through.attempt("get", "secrets", f"--namespace={space}").err.lower()
    assert Call("apply", "", "configmaps", space, "mine") in world.proxy.calls


def test_a_reset_before_undoes_nothing_because_nothing_was_done(world: World, through: Kubectl, space: str) -> None:
    """One call only, where that was said."""
    injection = world.proxy.inject(kinds.reset_before, creates, times=1)
    assert through.try_apply(config_map(space, "lost")).code != 0
    assert [call.resource for call in injection.met] == ["configmaps"]
    assert world.kubectl.get_json("configmap", "lost", space) is None
    assert through.try_apply(config_map(space, "lost")).code == 0


def test_a_reset_after_leaves_what_was_done(world: World, through: Kubectl, space: str) -> None:
    """The caller is told of a failure, and the object is there."""
    world.proxy.inject(kinds.reset_after, creates, times=1)
    assert through.try_apply(config_map(space, "committed")).code != 0
    assert world.kubectl.get_json("configmap", "committed", space) is not None


def test_errors_are_told_as_the_api_server_tells_them(world: World, through: Kubectl, space: str) -> None:
    """With the status, and nothing is carried out."""
    world.proxy.inject(kinds.refuse(409, "Conflict"), creates)
    answer = through.try_apply(config_map(space, "refused"))
    assert "injected" in answer.err
    assert world.kubectl.get_json("configmap", "refused", space) is None


def test_who_is_told_to_come_later_does(world: World, through: Kubectl, space: str) -> None:
    """429 with Retry-After: kubectl waits and asks again by itself."""
    injection = world.proxy.inject(kinds.refuse(429, "TooManyRequests", retry_after=1), creates, times=1)
    started = time.monotonic()
    through.apply(config_map(space, "later"))
    assert len(injection.met) == 1
    assert time.monotonic() - started >= 1


def test_a_delayed_call_comes_through(world: World, through: Kubectl, space: str) -> None:
    """Later."""
    world.proxy.inject(kinds.delay(1.5), creates, times=1)
    started = time.monotonic()
    through.apply(config_map(space, "slow"))
    assert time.monotonic() - started >= 1.5


def test_lines_of_open_watches_can_be_withheld(world: World, through: Kubectl, space: str) -> None:
    """Of one object: its coming is never seen, and that of others is."""

    def of_the_hidden(call: Call, event: Manifest) -> bool:
        return call.resource == "configmaps" and event["object"]["metadata"]["name"] == "hidden"

    world.proxy.withhold(of_the_hidden)
    path = f"/api/v1/namespaces/{space}/configmaps?watch=true&timeoutSeconds=3&resourceVersion=0"
    world.kubectl.apply(config_map(space, "hidden"), config_map(space, "seen"))
    raw = through.attempt("get", "--raw", path, seconds=20).out
    seen = {json.loads(line)["object"]["metadata"]["name"] for line in raw.splitlines()}
    assert "seen" in seen
    assert "hidden" not in seen
    world.proxy.heal()
    assert "hidden" in through.attempt("get", "--raw", path, seconds=20).out
