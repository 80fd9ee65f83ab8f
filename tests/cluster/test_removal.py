"""Removal in any order, with and without a living operator: nothing hangs, and nothing of ours is left.

On a control plane of its own, with a real release: definitions and namespaces go here that other tests stand on.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import factories
from children import Children
from kube import Kubectl
from operator_process import Candidacy, Operator
from plane import ROOT, Plane
from probed_process import free_port
from release import ACCOUNT, RELEASE, SYSTEM, kubeconfig_of

HERE = "t-removal"
OWN = "scanservices,cachepolicies,scalingpolicies"
GONE_SECONDS = 60
MANY = 10
REFUSED_EACH = 6
# Longer than the first few of the operator's pauses between attempts.
SETTLE_SECONDS = 5.0
WAITING = "the custom resources are not installed yet; waiting"
# Long enough for an operator that does not wait to end again and again.
WITHOUT_SECONDS = 15.0
# A line a second would be an operator that spins.
LINES_A_SECOND = 4
NAMESPACED = (
    "serviceaccount,configmap,service,endpointslice,deployment,replicaset,pod,poddisruptionbudget,"
    "horizontalpodautoscaler,secret,lease,role,rolebinding"
)
CLUSTERWIDE = (
    "namespace,customresourcedefinition,clusterrole,clusterrolebinding,"
    "validatingwebhookconfiguration,mutatingwebhookconfiguration"
)
# Kubernetes' own, in every namespace or cluster.
FOREIGN = ("default", "kube-", "kubernetes", "system:", "admin", "edit", "view", "cluster-admin", "extension-apiserver")


@dataclass(frozen=True, slots=True)
class Site:
    """A control plane on which the release is installed and removed again and again.

    Attributes:
        kubectl: the administrator's.
        admin: the administrator's kubeconfig.
        helm: the program.
    """

    kubectl: Kubectl
    admin: Path
    helm: Path

    def run_helm(self, *arguments: str) -> None:
        """Call helm."""
        command = [str(self.helm), *arguments, f"--kubeconfig={self.admin}", f"--namespace={SYSTEM}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr

    def delete(self, *what: str) -> None:
        """Delete with kubectl, and see it gone."""
        self.kubectl.run("delete", *what, "--ignore-not-found", f"--timeout={GONE_SECONDS}s", seconds=GONE_SECONDS + 10)

    def left(self) -> list[str]:
        """What is there that Kubernetes itself has not brought along."""
        found = self.kubectl.list_json(CLUSTERWIDE)
        found += self.kubectl.list_json(NAMESPACED)
        return [
            f"{one['kind']}/{one['metadata']['name']}{' (terminating)' * ('deletionTimestamp' in one['metadata'])}"
            for one in found
            if not one["metadata"]["name"].startswith(FOREIGN)
            and not one["metadata"].get("namespace", "").startswith("kube-")
        ]


@pytest.fixture(scope="module")
def site(programs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The control plane; nothing is installed yet."""
    plane = Plane(tmp_path_factory.mktemp("removal"))
    try:
        admin = plane.up()
        yield Site(Kubectl([str(programs["kubectl"]), f"--kubeconfig={admin}"]), admin, programs["helm"])
    finally:
        plane.down()


@pytest.fixture
def installed(site: Site, tmp_path: Path) -> Iterator[Operator]:
    """The release, an operator with its rights, and a ScanService with policies and all its children."""
    site.run_helm("install", RELEASE, "charts/typosentinel", "--create-namespace")
    kubeconfig = kubeconfig_of(ACCOUNT, site.kubectl, site.admin, tmp_path / "kubeconfig")
    made = Operator(kubeconfig, Candidacy(SYSTEM, ACCOUNT, f"{ACCOUNT}-0"), free_port(), tmp_path / "log")
    site.kubectl.run("create", "namespace", HERE)
    try:
        made.start()
        site.kubectl.apply(*fleet())
        Children(site.kubectl, HERE, "front").await_all(scaled=True)
        yield made
    finally:
        made.kill()
        for step in (their_namespace, definitions, our_namespace, clusterwide):
            step(site)


def fleet() -> list[dict[str, object]]:
    """A ScanService with both policies."""
    return [
        factories.cache_policy(namespace=HERE),
        factories.scaling_policy(namespace=HERE),
        factories.scan_service(namespace=HERE, cachePolicyRef={"name": "small"}, scalingPolicyRef={"name": "steady"}),
    ]


def services(site: Site) -> None:
    """What users wrote."""
    site.delete(OWN, "--all", f"--namespace={HERE}")


def release(site: Site) -> None:
    """What helm knows; the Lease goes with it, though helm does not know that."""
    site.run_helm("uninstall", RELEASE, "--wait", f"--timeout={GONE_SECONDS}s")
    site.kubectl.wait_until(lambda: not site.kubectl.list_json("lease", SYSTEM), GONE_SECONDS, "the Lease is gone")


def definitions(site: Site) -> None:
    """The three kinds, which helm leaves."""
    site.delete("crd", *(f"{plural}.typosentinel.io" for plural in OWN.split(",")))


def their_namespace(site: Site) -> None:
    """That of the ScanService, with all that is in it."""
    site.delete("namespace", HERE)


def our_namespace(site: Site) -> None:
    """The operator's, with what helm knows about the release."""
    site.delete("namespace", SYSTEM)


def clusterwide(site: Site) -> None:
    """What of the release is in no namespace, where helm knows nothing of it any more."""
    kinds = "clusterrole,clusterrolebinding,validatingwebhookconfiguration"
    site.delete(kinds, "--selector=app.kubernetes.io/part-of=typosentinel")


Step = Callable[[Site], None]
ORDERS: dict[str, tuple[tuple[Step, ...], ...]] = {
    "as documented": ((services,), (release,), (definitions,), (our_namespace,), (their_namespace,)),
    "the release first": ((release,), (services,), (definitions,), (our_namespace,), (their_namespace,)),
    "the definitions first": ((definitions,), (release,), (our_namespace,), (their_namespace,)),
    "their namespace first": ((their_namespace,), (release,), (definitions,), (our_namespace,)),
    "the operator's namespace first": ((our_namespace,), (clusterwide,), (definitions,), (their_namespace,)),
    "everything at once": ((services, release, definitions, their_namespace), (our_namespace,)),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every order with and without a living operator, or each of them once, in turns with and without."""
    if "order" in metafunc.fixturenames:
        cases = [(order, alive) for order in ORDERS for alive in (True, False)]
        if not metafunc.config.getoption("--every-removal"):
            cases = [case for turn, case in enumerate(cases) if turn % 4 in {0, 3}]
        ids = [f"{order}-{'alive' if alive else 'killed'}" for order, alive in cases]
        metafunc.parametrize(("order", "alive"), cases, ids=ids)


def test_nothing_hangs_and_nothing_is_left(order: str, installed: Operator, site: Site, *, alive: bool) -> None:
    """No object waits for a finalizer, and neither children nor Secret, Lease or right outlive what they belong to."""
    if not alive:
        installed.kill()
    started = time.monotonic()
    for steps in ORDERS[order]:
        with ThreadPoolExecutor(len(steps)) as pool:
            for done in [pool.submit(step, site) for step in steps]:
                done.result()
    site.kubectl.wait_until(lambda: not site.left(), GONE_SECONDS, lambda: f"nothing is left: {site.left()}", every=1)
    assert time.monotonic() - started < GONE_SECONDS
    assert installed.crashes() == []
    lines = installed.log.read_text().splitlines()
    assert len(lines) < 20 + LINES_A_SECOND * (time.monotonic() - started), lines[-20:]


def test_a_namespace_that_goes_in_the_middle_of_the_work_is_let_go(installed: Operator, site: Site) -> None:
    """What the API server refuses there is not tried over and over, and the namespace does not hang."""
    many = [f"service-{number}" for number in range(MANY)]
    site.kubectl.apply(*(factories.scan_service(name, HERE) for name in many))
    their_namespace(site)
    time.sleep(SETTLE_SECONDS)
    size = installed.log.stat().st_size
    time.sleep(SETTLE_SECONDS)
    assert HERE not in installed.log.read_text()[size:]
    assert installed.running
    assert installed.crashes() == []
    refused = [line for line in installed.log.read_text().splitlines() if "being terminated" in line]
    # A child, the Secret and the Events about them.
    assert len(refused) <= REFUSED_EACH * (MANY + 1)


def test_definitions_that_go_are_waited_for(installed: Operator, site: Site, tmp_path: Path) -> None:
    """The leader ends and says why, its standby and its successor wait; when they come back, the work goes on."""
    candidacy = Candidacy(SYSTEM, ACCOUNT, f"{ACCOUNT}-1")
    standby = Operator(installed.kubeconfig, candidacy, free_port(), tmp_path / "standby.log")
    standby.start()
    try:
        definitions(site)
        logs = {one: one.log for one in (installed, standby)}
        starts = 0
        until = time.monotonic() + WITHOUT_SECONDS
        while time.monotonic() < until or not all(WAITING in log.read_text() for log in logs.values()):
            assert time.monotonic() < until + GONE_SECONDS, [log.read_text()[-500:] for log in logs.values()]
            for one in logs:
                # As a kubelet would.
                starts += not one.running
                one.start(wait=False)
            time.sleep(0.5)
        assert starts <= 1
        assert "a watch failed; the process ends" in installed.log.read_text()
        site.kubectl.run("apply", "--server-side", "-f", str(ROOT / "crds"))
        site.kubectl.run("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))
        site.kubectl.apply(*fleet())
        Children(site.kubectl, HERE, "front").await_all(scaled=True)
        assert [*installed.crashes(), *standby.crashes()] == []
    finally:
        standby.kill()
