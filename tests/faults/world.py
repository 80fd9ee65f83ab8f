"""All that a campaign needs: a control plane, the proxy before it, the operator behind that, and pods that answer."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hack.cluster import toolchain
from hack.cluster.state import cache_directory

import release
from faults.audit import AuditLog
from faults.proxy import ApiProxy
from faults.standins import StandIns
from kube import Kubectl, Manifest
from operator_process import Candidacy, Operator
from plane import Plane
from probed_process import free_port

# As in production: what heals by the next look at everything takes as long as it does there.
RESYNC_SECONDS = 30.0
CLEAR_SECONDS = 180


@dataclass(frozen=True, slots=True)
class World:
    """A cluster whose operator sees it through the proxy.

    Attributes:
        kubectl: the administrator's, who speaks to the API server itself.
        proxy: what is between the operator and the API server.
        operator: a real process with the rights of the chart; not started yet.
        audit: the API server's own notes.
        admin: the administrator's kubeconfig.
        folder: where all of it lives.
    """

    kubectl: Kubectl
    proxy: ApiProxy
    operator: Operator
    audit: AuditLog
    admin: Path
    folder: Path

    def candidate(self, identity: str, times: tuple[int, float, float]) -> Operator:
        """Another operator for the same Lease, by this name, with a token of its own: not started yet.

        Args:
            identity: name of its pod.
            times: duration, deadline and retry of the election, in seconds.
        """
        token = release.kubeconfig_of(release.ACCOUNT, self.kubectl, self.admin, self.folder / f"{identity}.token")
        through = self.proxy.kubeconfig(token, self.folder / f"{identity}.kubeconfig")
        candidacy = Candidacy(release.SYSTEM, release.ACCOUNT, identity, *times)
        return Operator(through, candidacy, free_port(), self.folder / f"{identity}.log", resync_seconds=RESYNC_SECONDS)

    def prepare(self, namespaces: Sequence[str], objects: Sequence[Manifest]) -> None:
        """Make namespaces and what is in them, in two calls."""
        head = {"apiVersion": "v1", "kind": "Namespace"}
        if namespaces:
            self.kubectl.apply(*(head | {"metadata": {"name": name}} for name in namespaces))
        if objects:
            self.kubectl.apply(*objects)

    def writes(self, namespace: str | None = None) -> int:
        """Writes that the operator has tried so far, in one namespace or in all, as the proxy has seen them."""
        # A copy first: the proxy's thread goes on.
        return sum(call.writes and namespace in {None, call.namespace} for call in tuple(self.proxy.calls))

    def clear(self, namespaces: Sequence[str], *, wait: bool = True) -> None:
        """Remove namespaces with all that is in them, and see them gone unless told not to wait."""
        gone = ["namespace", *namespaces, "--ignore-not-found", f"--wait={wait}", f"--timeout={CLEAR_SECONDS}s"]
        self.kubectl.run("delete", *gone, seconds=CLEAR_SECONDS + 10)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A world in a folder of its own, taken down at the end."""
    programs = toolchain.ensure(["kubectl", "helm"], cache_directory())
    plane = Plane(folder / "plane", "faults")
    with ExitStack() as stack:
        stack.callback(plane.down)
        found = release.up(plane, programs, folder)
        proxy = stack.enter_context(ApiProxy(found.server, plane.pki))
        through = proxy.kubeconfig(found.kubeconfig, folder / "proxied.kubeconfig")
        stack.enter_context(StandIns(found.server, plane.pki))
        # Under the same name each time, as a container that is started again in its pod.
        candidacy = Candidacy(release.SYSTEM, release.ACCOUNT, f"{release.ACCOUNT}-0")
        operator = Operator(through, candidacy, free_port(), folder / "operator.log", resync_seconds=RESYNC_SECONDS)
        stack.callback(operator.kill)
        yield World(found.kubectl, proxy, operator, AuditLog(plane.audit_log), found.admin, folder)
