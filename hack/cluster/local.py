"""The cluster made of processes on this machine, used where Docker does not answer."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from hack.cluster import addons, kubeconfig, network, node, packages, pki, privilege, processes, state, toolchain
from hack.cluster.controlplane import NODE_ADDRESS, SERVICE_RANGE, ControlPlane, Ports, Settings
from hack.cluster.failures import ClusterError
from hack.cluster.nodeconfig import NODE
from hack.cluster.processes import Daemon, run, stop_all
from hack.cluster.progress import Steps, say
from hack.cluster.state import AUDIT_LOG, KUBECONFIG, LOCK, PKI, RUN, STATE, WRAPPERS

PROGRAM = Path(__file__).resolve().parent
FIXED_STEPS = 5


@dataclass(frozen=True)
class Parts:
    """All that runs."""

    control_plane: ControlPlane
    node: node.Node
    metrics_server: Daemon

    def daemons(self) -> list[Daemon]:
        """Return every program of the cluster."""
        return [*self.control_plane.daemons(), *self.node.daemons().values(), self.metrics_server]


class LocalCluster:
    """Starts, stops and describes the cluster."""

    kubeconfig = KUBECONFIG
    wrappers = WRAPPERS

    def __init__(self, cache: Path) -> None:
        """Only remember where the binaries are."""
        self.cache = cache

    def parts(self) -> Parts:
        """Return what the cluster consists of, running or not."""
        binaries = toolchain.paths(toolchain.CLUSTER, self.cache)
        certificates = pki.control_plane_certificates([NODE_ADDRESS], SERVICE_RANGE)
        settings = Settings(
            directory=STATE,
            run_directory=RUN / "pids",
            binaries=binaries,
            ports=Ports(),
            address=NODE_ADDRESS,
            certificates=(*certificates, *pki.node_certificates(NODE, NODE_ADDRESS)),
            audit_log=AUDIT_LOG,
            with_node=True,
        )
        plane = ControlPlane(settings)
        return Parts(plane, node.Node(plane.server, plane.api, binaries), addons.metrics_server(binaries))

    def up(self) -> None:
        """Start whatever of the cluster does not run yet."""
        if self.healthy():
            say(f"the cluster is up already: KUBECONFIG={KUBECONFIG}")
            return
        privilege.check_reachable()
        wanted = packages.missing()
        packages.check_installable(wanted)
        self._show_plan(wanted)
        steps = Steps(len(toolchain.missing(toolchain.CLUSTER, self.cache)) + bool(wanted) + FIXED_STEPS)
        toolchain.ensure(toolchain.CLUSTER, self.cache, steps)
        os.environ["TYPOSENTINEL_PLAN_SHOWN"] = "1"
        privilege.become_root(PROGRAM, ["up"])
        with state.locked(LOCK, "starting or stopping the cluster"):
            self._start(steps, packages.missing())
        say(f"the cluster is up: KUBECONFIG={KUBECONFIG}")

    def _start(self, steps: Steps, wanted: list[str]) -> None:
        if wanted:
            with steps.step(f"installing {', '.join(wanted)}", "about 30 s"):
                packages.install(wanted)
        parts = self.parts()
        plane, machine = parts.control_plane, parts.node
        STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
        with steps.step("network: bridges, routes, firewall table", "1 s"):
            network.up()
        with steps.step("certificates and configuration", "2 s"):
            if pki.outdated(PKI, plane.settings.certificates):
                raise ClusterError(
                    f"the cluster in {STATE} was made by another version of this program",
                    advice="Remove it with `down`, then run `up` again.",
                )
            plane.prepare()
            machine.prepare()
            self._hand_over(parts)
        with steps.step("etcd, kube-apiserver, kube-controller-manager, kube-scheduler", "4 s"):
            machine.daemons()["containerd"].start()
            plane.start()
            self._hand_over(parts)
        with steps.step("containerd, kubelet, kube-proxy, CoreDNS: waiting for the node", "4 s"):
            machine.start_containerd()
            machine.start()
            addons.apply(machine.binaries)
            machine.await_ready()
        with steps.step("metrics-server, the first service account", "4 s"):
            addons.start_metrics_server(plane.server, machine.binaries)
            addons.await_ready(plane.api, machine.binaries)
            account = "/api/v1/namespaces/default/serviceaccounts/default"
            if not processes.wait_until(lambda: plane.api.has(account), 30):
                raise ClusterError("no service account appears", log=STATE / "logs" / "kube-controller-manager.log")

    def _hand_over(self, parts: Parts) -> None:
        """Give the person who called this what is theirs, and scripts that need no environment."""
        owner = state.person()
        AUDIT_LOG.touch(mode=0o600)
        state.give_to(owner, KUBECONFIG, AUDIT_LOG)
        for name in ("kubectl", "helm"):
            state.write(WRAPPERS / name, kubeconfig.wrapper(parts.node.binaries[name], KUBECONFIG), 0o755)

    def healthy(self) -> bool:
        """Tell whether everything runs, in the version of this checkout, and answers."""
        owner = state.person()
        theirs = os.access(KUBECONFIG, os.R_OK) and owner.uid in (0, KUBECONFIG.stat().st_uid)
        if not theirs or toolchain.missing(toolchain.CLUSTER, self.cache):
            return False
        parts = self.parts()
        if parts.node.changed() or not all(daemon.current() for daemon in parts.daemons()):
            return False
        return all(self._ask(path) for path in (f"/api/v1/nodes/{NODE}", "/apis/metrics.k8s.io/v1beta1"))

    def _ask(self, path: str) -> bool:
        try:
            run([str(WRAPPERS / "kubectl"), "--request-timeout=5s", "get", "--raw", path], "asking", seconds=10)
        except ClusterError:
            return False
        return True

    def down(self) -> None:
        """Stop everything and leave nothing but the binaries."""
        if not STATE.exists() and not RUN.exists() and not self.leftovers():
            say("there is no cluster to stop")
            return
        privilege.become_root(PROGRAM, ["down"])
        with state.locked(LOCK, "starting or stopping the cluster"):
            steps = Steps(3)
            parts = self.parts()
            with steps.step("stopping the node and its containers", "5 s"):
                stop_all([parts.metrics_server])
                parts.node.stop()
            with steps.step("stopping the control plane", "2 s"):
                parts.control_plane.stop()
                self._stop_strays(parts)
            with steps.step("removing network and state", "1 s"):
                network.down()
                self._remove()
        remaining = self.leftovers()
        if remaining:
            raise ClusterError("something is left of the cluster:\n    " + "\n    ".join(remaining))

    def _remove(self) -> None:
        remaining = node.mounts_below(STATE, RUN)
        if remaining:
            raise ClusterError(f"still mounted, so nothing is removed: {', '.join(remaining)}")
        for folder in (RUN, STATE):
            shutil.rmtree(folder, ignore_errors=True)

    def _stop_strays(self, parts: Parts) -> None:
        """Stop processes whose pid file has been lost: known by their command line, word for word."""
        for daemon in parts.daemons():
            for pid, arguments in processes.all_processes():
                if arguments == daemon.arguments:
                    daemon.run_directory.mkdir(parents=True, exist_ok=True)
                    daemon.adopt(pid)
                    stop_all([daemon])

    def leftovers(self) -> list[str]:
        """List what is left after `down`; nothing, it is hoped."""
        commands = {daemon.arguments: daemon.name for daemon in self.parts().daemons()}
        found = [f"process {pid} ({commands[line]})" for pid, line in processes.all_processes() if line in commands]
        found += node.leftovers()
        if packages.find("nft") and packages.find("ip"):
            found += network.leftovers() if privilege.is_root() else []
        return found + [f"folder {folder}" for folder in (STATE, RUN) if folder.exists()]

    def status(self) -> bool:
        """Print what runs; tell whether all of it does."""
        for daemon in self.parts().daemons():
            pid = daemon.running()
            print(f"{daemon.name:<24} {f'pid {pid}' if pid else 'stopped':<12} {daemon.log}")
        healthy = self.healthy()
        print(f"{'API, node, metrics':<24} {'answer' if healthy else 'do not answer'}")
        return healthy

    def load(self, archives: list[Path]) -> None:
        """Import images."""
        privilege.become_root(PROGRAM, ["load", *(str(file.absolute()) for file in archives)])
        node.load(archives)

    def has_image(self, name: str) -> bool:
        """Tell whether an image is there."""
        privilege.become_root(PROGRAM, ["has-image", name])
        return node.has_image(name)

    def _show_plan(self, wanted: list[str]) -> None:
        if os.environ.get("TYPOSENTINEL_PLAN_SHOWN"):
            return
        say("Starting a Kubernetes made of processes on this machine (Docker does not answer). It will:")
        if wanted:
            say(f"  - install the Debian packages {', '.join(wanted)} (no services are started)")
        if toolchain.missing(toolchain.CLUSTER, self.cache):
            say(f"  - compile Kubernetes and its companions into {self.cache} (about 10 min on 2 cores, once)")
        say(f"  - add the bridges {network.NODE_LINK} and {network.POD_LINK}, and routes for 198.18.0.0/15 and")
        say(f"    {network.NODE_RANGE} that end on this machine; firewall tables {network.FIREWALL} and kube-proxy")
        say(f"  - set sysctls (forwarding on {network.POD_LINK}; kubelet: {', '.join(network.SETTINGS_CHANGED)})")
        say(f"  - mount containers below {STATE} and {RUN}, and add the control group typosentinel-cluster")
        say("`down` undoes all of it but the packages and the compiled programs.")
