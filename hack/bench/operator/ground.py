"""What a run stands on: a control plane of its own, simulated nodes, pods that answer, the chart's rights."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import release
from faults.audit import AuditLog
from hack.bench.operator import fleet, nodes
from hack.cluster import toolchain
from hack.cluster.processes import stop_all
from hack.cluster.state import cache_directory
from kube import Kubectl
from operator_process import Candidacy, Operator
from plane import ROOT, Plane
from probed_process import free_port

RESYNC_SECONDS = 30.0
CLEAR_SECONDS = 600
NODES_READY_SECONDS = 60
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True, slots=True)
class Ground:
    """A cluster of simulated nodes.

    Attributes:
        folder: for whatever a run writes.
        plane: the control plane.
        server: the API server's URL.
        kubectl: the administrator's.
        kubeconfig: of the operator's account.
        audit: the API server's own notes.
    """

    folder: Path
    plane: Plane
    server: str
    kubectl: Kubectl
    kubeconfig: Path
    audit: AuditLog

    def operator(self, under: tuple[str, ...] = ()) -> Operator:
        """An operator with the settings of production, not started yet."""
        candidacy = Candidacy(release.SYSTEM, release.ACCOUNT, f"{release.ACCOUNT}-0")
        log = self.folder / "operator.log"
        made = Operator(self.kubeconfig, candidacy, free_port(), log, resync_seconds=RESYNC_SECONDS)
        made.under = under
        return made

    def start(self, module: str, *arguments: str, **pipes: int | None) -> "subprocess.Popen[str]":
        """Start a module of this benchmark; `pipes` are standard input and output."""
        command = [sys.executable, "-m", f"hack.bench.operator.{module}", *arguments]
        return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def access(self) -> tuple[str, ...]:
        """Arguments of modules that speak to the API server as the administrator."""
        return "--server", self.server, "--pki", str(self.plane.pki)

    def pid(self, part: str) -> int:
        """Process of a part of the control plane."""
        return int((self.plane.folder / "run" / f"{part}.pid").read_text(encoding="ascii"))

    def prepare(self, run: str) -> None:
        """Make the namespaces of a run and its policies."""
        found = fleet.surroundings(run)
        self.kubectl.apply(*(manifest for manifest in found if manifest["kind"] == "Namespace"))
        self.kubectl.apply(*(manifest for manifest in found if manifest["kind"] != "Namespace"))

    def clear(self, run: str) -> None:
        """Remove the namespaces of a run with all that is in them, and see them gone."""
        gone = ["namespace", *fleet.spaces(run), "--wait=true", f"--timeout={CLEAR_SECONDS}s"]
        self.kubectl.run("delete", *gone, seconds=CLEAR_SECONDS + 10)


@contextmanager
def ground(folder: Path, most: int) -> Iterator[Ground]:
    """A cluster in a folder of its own, taken down at the end.

    Args:
        folder: where it lives.
        most: ScanServices at the same time.
    """
    programs = toolchain.ensure(toolchain.CROWDED, cache_directory())
    plane = Plane(folder / "plane", crowded=True)
    count = nodes.nodes_for(most * fleet.PODS_PER_SERVICE)
    with ExitStack() as stack:
        stack.callback(plane.down)
        made = release.up(plane, programs, folder)
        found = Ground(folder, plane, made.server, made.kubectl, made.kubeconfig, AuditLog(plane.audit_log))
        pods = found.start(
            "pods", *found.access(), "--nodes", str(count), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        stack.callback(_end, pods)
        assert pods.stdout is not None  # noqa: S101 - for the type checker
        block = json.loads(pods.stdout.readline())["block"]
        kwok = nodes.kwok(plane.folder, made.admin)
        stack.callback(stop_all, [kwok])
        kwok.start()
        made.kubectl.apply(*nodes.nodes(count, block))
        made.kubectl.run("wait", "node", "--all", "--for=condition=Ready", f"--timeout={NODES_READY_SECONDS}s")
        yield found


def _end(process: "subprocess.Popen[str]") -> None:
    """End a process that lives for as long as its standard input."""
    process.communicate(timeout=10)
