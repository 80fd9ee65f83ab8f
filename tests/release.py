"""The project's chart on a control plane of a test's own: kinds, rights, and kubeconfigs of who has them."""

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from kube import Kubectl, Manifest
from plane import ROOT, Plane

SYSTEM = "typosentinel-system"
RELEASE = "sentinel"
ACCOUNT = f"{RELEASE}-operator"
RIGHTS = frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})


@dataclass(frozen=True, slots=True)
class Installed:
    """What is needed of a control plane on which the chart's kinds and rights are installed.

    Attributes:
        server: the API server's URL.
        admin: the administrator's kubeconfig.
        kubectl: the administrator's.
        kubeconfig: of the operator's account.
    """

    server: str
    admin: Path
    kubectl: Kubectl
    kubeconfig: Path


def up(plane: Plane, programs: Mapping[str, Path], folder: Path) -> Installed:
    """Start a control plane and install kinds and rights on it; kubeconfigs go into the folder."""
    admin = plane.up()
    server: str = yaml.safe_load(admin.read_text())["clusters"][0]["cluster"]["server"]
    kubectl = Kubectl([str(programs["kubectl"]), f"--kubeconfig={admin}"])
    install(kubectl, rendered(programs))
    own = kubeconfig_of(ACCOUNT, kubectl, admin, folder / "operator.kubeconfig")
    return Installed(server, admin, kubectl, own)


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


def credential_of(kubeconfig: Path) -> str:
    """Which token is in a kubeconfig that was made here: what audit logs call it."""
    token = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"]
    payload = token.split(".")[1]
    found: str = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"]
    return found


def holder(kubectl: Kubectl, lease: str = ACCOUNT) -> str | None:
    """Who leads: the holder of the Lease, None where it was given back."""
    found: str | None = kubectl.require("lease", lease, SYSTEM)["spec"].get("holderIdentity")
    return found or None
