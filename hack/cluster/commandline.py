"""The commands of ``python3 hack/cluster``."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hack.cluster import toolchain
from hack.cluster.controlplane import ControlPlane, Settings
from hack.cluster.failures import ClusterError
from hack.cluster.kind import KindCluster
from hack.cluster.local import LocalCluster
from hack.cluster.progress import say
from hack.cluster.state import AUDIT_LOG, STATE, cache_directory

DOCKER_TIMEOUT_SECONDS = 15


def docker_answers() -> bool:
    """Tell whether a Docker engine runs, not merely its client."""
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=DOCKER_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def choose(cache: Path) -> LocalCluster | KindCluster:
    """Return kind's cluster where Docker answers, else the one of processes; one that is there already decides."""
    return LocalCluster(cache) if STATE.exists() or not docker_answers() else KindCluster(cache)


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="python3 hack/cluster", description="A real Kubernetes on this machine.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, description in {
        "up": "start the cluster, or what of it does not run; builds what is missing",
        "down": "stop the cluster and remove all of it but the compiled programs",
        "status": "show what runs; exit code 1 unless all of it does",
        "kubeconfig": "print the path of the cluster's kubeconfig",
        "kubectl": "print the path of a kubectl that talks to this cluster",
        "helm": "print the path of a helm that talks to this cluster",
        "build": "compile what is missing and start nothing",
        "kwok": "build kwok if need be and print its path",
        "audit-log": "print the path of the API server's audit log",
        "leftovers": "list what is left of a stopped cluster; exit code 1 if anything is",
    }.items():
        command = commands.add_parser(name, help=description, description=description)
        if name == "build":
            command.add_argument("--control-plane", action="store_true", help="only what `control-plane` needs")
            command.add_argument("--crowded", action="store_true", help="only what a crowded one and its nodes need")
    load = commands.add_parser("load", help="import container image archives into the cluster")
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    has_image = commands.add_parser("has-image", help="exit with 0 if the cluster has this image, else with 1")
    has_image.add_argument("name", metavar="NAME")
    plane = commands.add_parser("control-plane", help="an API server of one's own for tests, without root")
    plane.add_argument("--dir", type=Path, required=True, help="the folder that it lives in")
    plane.add_argument("--no-controllers", action="store_true", help="without kube-controller-manager")
    crowded = "for thousands of objects: with kube-scheduler, and with components that may ask far more often"
    plane.add_argument("--crowded", action="store_true", help=crowded)
    plane.add_argument("action", choices=("up", "down"))
    return top


def control_plane(options: argparse.Namespace, cache: Path) -> None:
    """Start or stop an isolated control plane; the last line of output is its kubeconfig's path."""
    wanted = toolchain.CROWDED if options.crowded else toolchain.CONTROL_PLANE
    up = options.action == "up"
    if not up and not options.dir.exists():
        return
    binaries = toolchain.ensure(wanted, cache) if up else toolchain.paths(wanted, cache)
    # A controller manager that runs is stopped in any case.
    controllers = not (up and options.no_controllers)
    plane = ControlPlane(
        Settings.isolated(options.dir, binaries, with_controllers=controllers, crowded=options.crowded)
    )
    if up:
        print(plane.start())
    else:
        plane.stop()


def execute(options: argparse.Namespace, cache: Path) -> int:
    """Carry out one command."""
    if options.command == "control-plane":
        control_plane(options, cache)
        return 0
    if options.command == "build":
        parts = toolchain.CONTROL_PLANE if options.control_plane else toolchain.CLUSTER
        toolchain.ensure(toolchain.CROWDED if options.crowded else parts, cache)
        return 0
    if options.command == "kwok":
        print(toolchain.ensure(["kwok"], cache)["kwok"])
        return 0
    cluster = choose(cache)
    match options.command:
        case "up":
            cluster.up()
        case "down":
            cluster.down()
        case "load":
            cluster.load(options.files)
        case "kubeconfig":
            print(cluster.kubeconfig)
        case "kubectl" | "helm":
            print(cluster.wrappers / options.command)
        case "status":
            return 0 if cluster.status() else 1
        case _:
            return execute_local(options, cluster)
    return 0


def execute_local(options: argparse.Namespace, cluster: LocalCluster | KindCluster) -> int:
    """Carry out the commands that look behind the cluster's API, which kind does in ways of its own."""
    if isinstance(cluster, KindCluster):
        raise ClusterError(f"with kind there is no `{options.command}`", advice="Use kind's and Docker's own commands.")
    match options.command:
        case "audit-log":
            print(AUDIT_LOG)
        case "has-image":
            return 0 if cluster.has_image(options.name) else 1
        case _:
            found = cluster.leftovers()
            print("\n".join(found) or "nothing is left")
            return 1 if found else 0
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are for people, so no traceback."""
    options = parser().parse_args(arguments)
    try:
        return execute(options, cache_directory())
    except ClusterError as error:
        say(error.report())
    except KeyboardInterrupt:
        say("interrupted; the same command goes on where this one stopped")
        return 130
    except OSError as error:
        say(f"error: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
