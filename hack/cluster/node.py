"""The machine as the cluster's one node: containerd, kubelet and kube-proxy, and the name server beside them."""

import contextlib
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from hack.cluster import archive, cgroups, kubeconfig, nodeconfig, processes
from hack.cluster.api import Api
from hack.cluster.controlplane import NODE_ADDRESS
from hack.cluster.failures import ClusterError
from hack.cluster.nodeconfig import CONTAINERD_SOCKET, NODE
from hack.cluster.processes import Daemon, run, stop_all, wait_until
from hack.cluster.state import LOGS, PKI, RUN, STATE, write

NODE_TIMEOUT_SECONDS = 90.0
POD_LOG_LINKS = Path("/var/log/containers")
CNI_RESULTS = Path("/var/lib/cni/results")
KUBELET_FOLDER = Path("/var/lib/kubelet")
KUBELET_SOCKET = KUBELET_FOLDER / "device-plugins" / "kubelet.sock"
SHIM_SOCKETS = Path("/run/containerd/s")
SHIM = "containerd-shim"


class Node:
    """Starts and stops the node's programs."""

    def __init__(self, server: str, api: Api, binaries: Mapping[str, Path]) -> None:
        """Remember which API server the node belongs to."""
        self.server = server
        self.api = api
        self.binaries = binaries

    def daemons(self) -> dict[str, Daemon]:
        """Return the node's programs."""
        commands = {
            "containerd": [shutil.which("containerd") or "containerd", f"--config={STATE}/containerd.toml"],
            "kubelet": [
                self._binary("kubelet"),
                f"--config={STATE}/kubelet.json",
                f"--kubeconfig={STATE}/kubelet.kubeconfig",
                f"--root-dir={STATE}/kubelet",
                f"--cert-dir={STATE}/kubelet/pki",
                f"--hostname-override={NODE}",
                f"--node-ip={NODE_ADDRESS}",
            ],
            "kube-proxy": [self._binary("kube-proxy"), f"--config={STATE}/kube-proxy.json"],
            "coredns": [self._binary("coredns"), f"-conf={STATE}/Corefile"],
        }
        return {name: Daemon(name, tuple(command), RUN / "pids", LOGS) for name, command in commands.items()}

    def files(self) -> dict[str, dict[str, str]]:
        """Return the configuration files of each program."""
        pause = self.pause_image()
        binaries = nodeconfig.cni_binaries()
        if binaries is None:
            raise ClusterError(
                "the CNI plug-ins are not installed (looked in " + ", ".join(nodeconfig.CNI_BINARIES) + ")"
            )
        return {
            "containerd": {
                "containerd.toml": nodeconfig.containerd(pause, binaries),
                "cni/10-pods.conflist": nodeconfig.cni(),
                "registries/_default/hosts.toml": nodeconfig.no_registry(),
            },
            "kubelet": {"kubelet.json": nodeconfig.kubelet(), "resolv.conf": nodeconfig.resolver()},
            "kube-proxy": {"kube-proxy.json": nodeconfig.kube_proxy()},
            "coredns": {"Corefile": nodeconfig.corefile()},
        }

    def changed(self) -> dict[str, dict[str, str]]:
        """Return the configuration files that are not there as they should be."""
        found = {}
        for name, contents in self.files().items():
            different = {file: text for file, text in contents.items() if _text(STATE / file) != text}
            if different:
                found[name] = different
        return found

    def prepare(self) -> None:
        """Write the configuration files and stop each program whose files have changed, to be started anew."""
        daemons = self.daemons()
        for name, contents in self.changed().items():
            stop_all([daemons[name]])
            for file, text in contents.items():
                write(STATE / file, text)
        for name in ("kubelet", "kube-proxy", "coredns"):
            write(STATE / f"{name}.kubeconfig", kubeconfig.render(self.server, PKI, name), 0o600)
        cgroups.make()

    def pause_image(self) -> str:
        """Return the name of the image that holds a pod's namespaces."""
        return archive.name_of_program("typosentinel-pause", self.binaries["pause"])

    def start_containerd(self) -> None:
        """Start containerd and give it the pause image."""
        daemon = self.daemons()["containerd"]
        daemon.start()

        def settled() -> bool:
            return daemon.stopped() or (CONTAINERD_SOCKET.exists() and _answers())

        in_time = wait_until(settled, 30, 0.05)
        daemon.require()
        if not in_time:
            raise ClusterError("containerd does not answer after 30 s", log=daemon.log)
        image = self.pause_image()
        if not has_image(image):
            packed = STATE / "pause.tar"
            archive.single_program(image, self.binaries["pause"], packed)
            load([packed])

    def start(self) -> None:
        """Start what needs the API server."""
        daemons = self.daemons()
        for name in ("kubelet", "kube-proxy", "coredns"):
            daemons[name].start()

    def await_ready(self) -> None:
        """Wait until the node takes pods."""
        daemons = self.daemons()

        def settled() -> bool:
            return self.api.condition(f"/api/v1/nodes/{NODE}", "Ready") or any(
                daemon.stopped() for daemon in daemons.values()
            )

        in_time = wait_until(settled, NODE_TIMEOUT_SECONDS, 0.1)
        for daemon in daemons.values():
            daemon.require()
        if not in_time:
            raise ClusterError(f"the node is not Ready after {NODE_TIMEOUT_SECONDS:.0f} s", log=daemons["kubelet"].log)

    def stop(self) -> None:
        """Stop the programs, then kill whatever containers they leave, with their shims."""
        daemons = self.daemons()
        stop_all([daemons[name] for name in ("kubelet", "kube-proxy", "coredns")])
        everything_killed = cgroups.kill_members()
        stop_all([daemons["containerd"]])
        for pid in shims():
            processes.send(pid, signal.SIGKILL)
        if not everything_killed or not wait_until(lambda: not shims(), 10):
            raise ClusterError("some containers do not end", log=daemons["containerd"].log)
        cgroups.remove()
        unmount_below(STATE, RUN)
        forget_elsewhere()

    def _binary(self, name: str) -> str:
        return str(self.binaries[name])


def shims() -> list[int]:
    """Return containerd's shims of this cluster: those that talk to its socket."""
    found = []
    for pid, arguments in processes.all_processes():
        if arguments and Path(arguments[0]).name.startswith(SHIM) and str(CONTAINERD_SOCKET) in arguments:
            found.append(pid)
    return found


def mounts_below(*folders: Path) -> list[str]:
    """Return what is mounted below these folders, the innermost first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        target = line.split()[4].encode().decode("unicode_escape")
        if any(target.startswith(f"{folder}/") for folder in folders):
            found.append(target)
    return list(reversed(found))


def unmount_below(*folders: Path) -> None:
    """Unmount everything below these folders; network namespaces are such mounts too."""
    for target in mounts_below(*folders):
        with contextlib.suppress(ClusterError):
            run(["umount", "--lazy", target], f"unmounting {target}")


def forget_elsewhere() -> None:
    """Remove the few files that have a fixed place outside the cluster's directories, and only the cluster's own."""
    for address in (RUN / "containerd" / "state").glob("io.containerd.runtime.v2.task/*/*/address"):
        socket = Path(_text(address).strip().removeprefix("unix://"))
        if SHIM_SOCKETS in socket.parents:
            socket.unlink(missing_ok=True)
    if POD_LOG_LINKS.is_dir():
        for link in POD_LOG_LINKS.iterdir():
            if link.is_symlink() and str(link.readlink()).startswith(f"{STATE}/"):
                link.unlink()
    for result in CNI_RESULTS.glob(f"{nodeconfig.CNI_NETWORK}-*-eth0"):
        sandbox = result.name.removeprefix(f"{nodeconfig.CNI_NETWORK}-").removesuffix("-eth0")
        (CNI_RESULTS / f"cni-loopback-{sandbox}-lo").unlink(missing_ok=True)
        result.unlink()
    if KUBELET_FOLDER.is_dir() and list(KUBELET_FOLDER.rglob("*")) == [KUBELET_SOCKET.parent, KUBELET_SOCKET]:
        KUBELET_SOCKET.unlink()
    places = (POD_LOG_LINKS, CNI_RESULTS, CNI_RESULTS.parent, KUBELET_SOCKET.parent, KUBELET_FOLDER)
    for folder in (*places, SHIM_SOCKETS, SHIM_SOCKETS.parent):
        # Not empty: then it is somebody else's too.
        with contextlib.suppress(OSError):
            folder.rmdir()


def leftovers() -> list[str]:
    """List what is left of the node."""
    found = [f"process {pid} ({SHIM})" for pid in shims()]
    found += [f"process {pid} in the control group" for pid in sorted(cgroups.members())]
    found += [f"control group {folder}" for folder in cgroups.hierarchies() if folder.exists()]
    return found + [f"mount {target}" for target in mounts_below(STATE, RUN)]


def load(archives: list[Path]) -> None:
    """Import images into the cluster."""
    for file in archives:
        if not file.is_file():
            raise ClusterError(f"{file} is no file")
        run([*_ctr(), "images", "import", str(file)], f"loading {file}", seconds=600, log=LOGS / "containerd.log")


def images() -> set[str]:
    """Return the names of the images that the cluster has."""
    return set(run([*_ctr(), "images", "list", "--quiet"], "listing images", log=LOGS / "containerd.log").split())


def has_image(name: str) -> bool:
    """Tell whether the cluster has an image."""
    return name in images()


def _ctr() -> list[str]:
    return ["ctr", f"--address={CONTAINERD_SOCKET}", "--namespace=k8s.io"]


def _answers() -> bool:
    try:
        run([*_ctr(), "version"], "asking containerd", seconds=5)
    except ClusterError:
        return False
    return True


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
