"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler.

Used twice: by the cluster on this machine, and by tests, which start one of their own in a temporary folder, without
root and on loopback only (`ControlPlane(Settings.isolated(...))`).
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from hack.cluster import kubeconfig, pki, state
from hack.cluster.api import Api
from hack.cluster.failures import ClusterError
from hack.cluster.processes import Daemon, stop_all, wait_until

SERVICE_RANGE = "198.19.0.0/16"
POD_RANGE = "198.18.0.0/16"
NODE_ADDRESS = "198.51.100.1"
AUDIT_LOG = "audit.log"
# Where operators are installed, in tests and by the chart's own instructions: what they read is noted, too.
OPERATORS = "system:serviceaccounts:typosentinel-system"
# What a crowded control plane lets its components ask for: by default 20 and 50 requests a second are theirs.
CROWD_RATES = ("--kube-api-qps=1000", "--kube-api-burst=2000")
# Simulated pods have addresses on loopback, which no endpoint may have: these would try for ever.
CROWD_CONTROLLERS = "*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller"
AUDIT_MEGABYTES, CROWD_AUDIT_MEGABYTES = 100, 4000
READY_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Ports:
    """The ports of one control plane."""

    api: int = 6443
    etcd: int = 2379
    etcd_peer: int = 2380
    controller_manager: int = 10257
    scheduler: int = 10259

    @classmethod
    def free(cls, address: str = "127.0.0.1") -> "Ports":
        """Pick ports that nobody uses; all are held until all are picked, so that they differ."""
        sockets = [socket.create_server((address, 0)) for _ in range(5)]
        try:
            return cls(*(int(each.getsockname()[1]) for each in sockets))
        finally:
            for each in sockets:
                each.close()


@dataclass(frozen=True)
class Settings:
    """Where a control plane runs and what belongs to it; a crowded one is for thousands of objects."""

    directory: Path
    run_directory: Path
    binaries: Mapping[str, Path]
    ports: Ports
    address: str
    certificates: tuple[pki.Certificate, ...]
    audit_log: Path | None = None
    with_node: bool = False
    with_controllers: bool = True
    crowded: bool = False

    @property
    def with_scheduler(self) -> bool:
        """Whether there are nodes that somebody has to choose from."""
        return self.with_node or self.crowded

    @classmethod
    def isolated(
        cls, directory: Path, binaries: Mapping[str, Path], *, with_controllers: bool = True, crowded: bool = False
    ) -> "Settings":
        """Return settings for a test: free ports, which are remembered, and nothing outside the folder."""
        directory = directory.absolute()
        remembered = directory / "ports.json"
        if remembered.exists():
            ports = Ports(**json.loads(remembered.read_text(encoding="utf-8")))
        else:
            ports = Ports.free()
            state.write(remembered, json.dumps(asdict(ports)))
        return cls(
            directory=directory,
            run_directory=directory / "run",
            binaries=binaries,
            ports=ports,
            address="127.0.0.1",
            certificates=(*pki.control_plane_certificates([], SERVICE_RANGE), *([pki.SCHEDULER] if crowded else [])),
            audit_log=directory / "logs" / AUDIT_LOG,
            with_controllers=with_controllers,
            crowded=crowded,
        )


class ControlPlane:
    """Starts and stops one control plane."""

    def __init__(self, settings: Settings) -> None:
        """Only remember; nothing is touched before `start`."""
        self.settings = settings
        self.pki = settings.directory / "pki"
        self.kubeconfig = settings.directory / "kubeconfig"
        self.server = f"https://{settings.address}:{settings.ports.api}"
        self.api = Api(settings.address, settings.ports.api, self.pki)

    def start(self) -> Path:
        """Start what does not run yet, wait until the API server is ready, and return the kubeconfig's path."""
        self.prepare()
        etcd, api_server, *others = self.daemons()
        started = etcd.start()
        # A running API server survives a restart of etcd, but not that of an etcd which has lost its data.
        if started:
            stop_all([api_server])
        api_server.start()
        self._await_ready(etcd, api_server)
        for daemon in others:
            daemon.start()
        return self.kubeconfig

    def stop(self) -> None:
        """Stop everything, clients first."""
        *rest, etcd = reversed(self.daemons())
        stop_all(rest)
        stop_all([etcd])

    def prepare(self) -> None:
        """Write certificates, kubeconfigs and the audit policy."""
        directory = self.settings.directory
        pki.ensure(self.pki, self.settings.certificates)
        components = {"controller-manager": "controller-manager"}
        if self.settings.with_scheduler:
            components["scheduler"] = "scheduler"
        for name, certificate in components.items():
            state.write(directory / f"{name}.kubeconfig", kubeconfig.render(self.server, self.pki, certificate), 0o600)
        state.write(self.kubeconfig, kubeconfig.render(self.server, self.pki, "admin"), 0o600)
        if self.settings.audit_log:
            self.settings.audit_log.parent.mkdir(parents=True, exist_ok=True)
            state.write(directory / "audit-policy.json", json.dumps(audit_policy(), indent=2))

    def daemons(self) -> list[Daemon]:
        """Return the programs in the order in which they start."""
        wanted = [("etcd", self.etcd_arguments()), ("kube-apiserver", self.api_server_arguments())]
        if self.settings.with_controllers:
            wanted.append(("kube-controller-manager", self.controller_manager_arguments()))
        if self.settings.with_scheduler:
            wanted.append(("kube-scheduler", self.scheduler_arguments()))
        binaries = self.settings.binaries
        logs = self.settings.directory / "logs"
        return [
            Daemon(name, (str(binaries[name]), *arguments), self.settings.run_directory, logs)
            for name, arguments in wanted
        ]

    def etcd_arguments(self) -> list[str]:
        """Return etcd's arguments: without fsync, as its data is worth no more than a test's."""
        address, ports = self.settings.address, self.settings.ports
        client = f"https://{address}:{ports.etcd}"
        peer = f"https://{address}:{ports.etcd_peer}"
        return [
            f"--data-dir={self.settings.directory / 'etcd'}",
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            f"--cert-file={self.pki / 'etcd.crt'}",
            f"--key-file={self.pki / 'etcd.key'}",
            "--client-cert-auth",
            f"--trusted-ca-file={self.pki / 'etcd-ca.crt'}",
            f"--peer-cert-file={self.pki / 'etcd.crt'}",
            f"--peer-key-file={self.pki / 'etcd.key'}",
            "--peer-client-cert-auth",
            f"--peer-trusted-ca-file={self.pki / 'etcd-ca.crt'}",
        ]

    def api_server_arguments(self) -> list[str]:
        """Return the API server's arguments."""
        made = self.pki
        settings = self.settings
        arguments = [
            f"--etcd-servers=https://{settings.address}:{settings.ports.etcd}",
            f"--etcd-cafile={made / 'etcd-ca.crt'}",
            f"--etcd-certfile={made / 'etcd-client.crt'}",
            f"--etcd-keyfile={made / 'etcd-client.key'}",
            f"--bind-address={settings.address}",
            f"--secure-port={settings.ports.api}",
            # Loopback is refused here. In a test nobody asks for this address, so it need not exist.
            f"--advertise-address={NODE_ADDRESS}",
            f"--tls-cert-file={made / 'apiserver.crt'}",
            f"--tls-private-key-file={made / 'apiserver.key'}",
            f"--client-ca-file={made / 'ca.crt'}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={made / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={made / 'service-accounts.key'}",
            "--authorization-mode=Node,RBAC",
            # The second one is off by default, and on in hardened clusters: who owns what must have a right to it.
            "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
            "--allow-privileged=true",
            "--profiling=false",
            f"--requestheader-client-ca-file={made / 'front-proxy-ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={made / 'front-proxy-client.crt'}",
            f"--proxy-client-key-file={made / 'front-proxy-client.key'}",
        ]
        if settings.with_node:
            arguments += [
                f"--kubelet-certificate-authority={made / 'ca.crt'}",
                f"--kubelet-client-certificate={made / 'apiserver-kubelet-client.crt'}",
                f"--kubelet-client-key={made / 'apiserver-kubelet-client.key'}",
                "--kubelet-preferred-address-types=InternalIP",
            ]
        else:
            arguments.append("--endpoint-reconciler-type=none")
        if settings.audit_log:
            arguments += [
                f"--audit-policy-file={settings.directory / 'audit-policy.json'}",
                f"--audit-log-path={settings.audit_log}",
                "--audit-log-format=json",
                f"--audit-log-maxsize={CROWD_AUDIT_MEGABYTES if settings.crowded else AUDIT_MEGABYTES}",
                "--audit-log-maxbackup=2",
            ]
        return arguments

    def controller_manager_arguments(self) -> list[str]:
        """Return the controller manager's arguments: the default controllers, with the default pace."""
        own = self.settings.directory / "controller-manager.kubeconfig"
        return [
            f"--kubeconfig={own}",
            f"--authentication-kubeconfig={own}",
            f"--authorization-kubeconfig={own}",
            f"--bind-address={self.settings.address}",
            f"--secure-port={self.settings.ports.controller_manager}",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={self.pki / 'service-accounts.key'}",
            f"--root-ca-file={self.pki / 'ca.crt'}",
            f"--client-ca-file={self.pki / 'ca.crt'}",
            f"--requestheader-client-ca-file={self.pki / 'front-proxy-ca.crt'}",
            f"--cluster-signing-cert-file={self.pki / 'ca.crt'}",
            f"--cluster-signing-key-file={self.pki / 'ca.key'}",
            # Pod addresses are the CNI plug-in's; a range given to a simulated node must not overlap with them.
            "--allocate-node-cidrs=false",
            "--profiling=false",
            *((*CROWD_RATES, f"--controllers={CROWD_CONTROLLERS}") if self.settings.crowded else ()),
        ]

    def scheduler_arguments(self) -> list[str]:
        """Return the scheduler's arguments."""
        own = self.settings.directory / "scheduler.kubeconfig"
        return [
            f"--kubeconfig={own}",
            f"--authentication-kubeconfig={own}",
            f"--authorization-kubeconfig={own}",
            f"--bind-address={self.settings.address}",
            f"--secure-port={self.settings.ports.scheduler}",
            f"--client-ca-file={self.pki / 'ca.crt'}",
            "--leader-elect=false",
            "--profiling=false",
            *(CROWD_RATES if self.settings.crowded else ()),
        ]

    def _await_ready(self, etcd: Daemon, api_server: Daemon) -> None:
        def settled() -> bool:
            return self.api.ready() or etcd.stopped() or api_server.stopped()

        in_time = wait_until(settled, READY_TIMEOUT_SECONDS, 0.05)
        etcd.require()
        api_server.require()
        if not in_time:
            raise ClusterError(
                f"kube-apiserver is not ready after {READY_TIMEOUT_SECONDS:.0f} s",
                log=api_server.log,
                advice=f"etcd's log is {etcd.log}.",
            )


def audit_policy() -> dict[str, object]:
    """Return the audit policy: who wrote what and when, but no contents, and no reads but the operator's."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {"level": "Metadata", "userGroups": [OPERATORS]},
            {"level": "None", "verbs": ["get", "list", "watch"]},
            {"level": "Metadata"},
        ],
    }
