"""The local cluster with the chart of this checkout, and namespaces that admit only `restricted` pods."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet import Fleet
from hack import deploy
from kube import Kubectl
from rightsaudit import record
from statuswatch import watched

ROOT = Path(__file__).resolve().parent.parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real pods take their time: two minutes for each test of this tier, and its marker."""
    for item in items:
        if "e2e" in Path(str(item.fspath)).parts:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Kubectl of the local cluster, which `make test-e2e` has started."""
    cluster = [sys.executable, str(ROOT / "hack" / "cluster")]
    status = subprocess.run([*cluster, "status"], capture_output=True, text=True, check=False)
    assert status.returncode == 0, f"the local cluster does not run; make test-e2e starts it\n{status.stdout}"
    return Kubectl([deploy.local_target().kubectl])


@pytest.fixture(scope="session")
def release(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """The chart of this checkout with this checkout's images, installed and ready."""
    command = [sys.executable, str(ROOT / "hack" / "cluster"), "audit-log"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    # With kind there is none.
    log = Path(told.stdout.strip()) if told.returncode == 0 else None
    start = log.stat().st_size if log is not None and log.exists() else 0
    deploy.install(deploy.local_target(), deploy.local_images())
    with watched(kubectl, tmp_path_factory.mktemp("statuses")):
        yield kubectl
    if log is not None:
        record.keep("e2e", log, start=start)


@pytest.fixture(scope="module")
def namespace(release: Kubectl) -> Iterator[str]:
    """A namespace that enforces the `restricted` Pod Security level; it is gone when the module has ended."""
    name = f"e2e-{secrets.token_hex(3)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    release.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    release.run("delete", "namespace", name, "--wait=true", "--timeout=120s", seconds=130)


@pytest.fixture(scope="module")
def fleet(release: Kubectl, namespace: str) -> Fleet:
    """A ScanService with both policies, Ready."""
    fleet = Fleet(release, namespace, "main")
    fleet.apply_all()
    fleet.wait_ready()
    return fleet


@pytest.fixture(scope="session")
def server_image() -> str:
    """Name of the scanner image of this checkout."""
    return deploy.local_images()["server"]
