"""The project's chart on a control plane of a test's own: kinds, rights, and kubeconfigs of who has them."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from kube import Kubectl, Manifest
from plane import ROOT

SYSTEM = "typosentinel-system"
RELEASE = "sentinel"
ACCOUNT = f"{RELEASE}-operator"
RIGHTS = frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})


def rendered(programs: Mapping[str, Path], release: str = RELEASE, *switches: str) -> list[Manifest]:
    """What helm makes of the chart."""
    command = [str(programs["helm"]), "template", release, "charts/typosentinel", f"--namespace={SYSTEM}", *switches]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def install(kubectl: Kubectl, chart: list[Manifest]) -> None:
    """Install the kinds, and the rights as the chart has them; who is to have them runs outside the cluster."""
    kubectl.run("apply", "--server-side", "-f", str(ROOT / "crds"))
    kubectl.run("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))
    kubectl.run("create", "namespace", SYSTEM)
    kubectl.apply(*(manifest for manifest in chart if manifest["kind"] in RIGHTS))


def kubeconfig_of(account: str, kubectl: Kubectl, admin: Path, path: Path) -> Path:
    """A kubeconfig of a ServiceAccount: it can do what the chart lets it do, and no more."""
    token = kubectl.run("create", "token", account, f"--namespace={SYSTEM}", "--duration=4h").strip()
    content = yaml.safe_load(admin.read_text())
    content["users"] = [{"name": user["name"], "user": {"token": token}} for user in content["users"]]
    path.write_text(yaml.safe_dump(content))
    return path
