"""Certificates, made by the openssl command so that nothing has to be installed into Python first.

Three authorities, as in any real cluster: one for the API, one for the aggregation layer's front proxy (so that a
client certificate of the first kind can never pose as the proxy) and one for etcd (so that only the API server gets
in).
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.failures import ClusterError
from hack.cluster.processes import run

DAYS = "3650"
CONTENTS = "contents"
AUTHORITIES = ("ca", "front-proxy-ca", "etcd-ca")


@dataclass(frozen=True)
class Certificate:
    """What one certificate says."""

    name: str
    common_name: str
    organization: str = ""
    hosts: tuple[str, ...] = ()
    authority: str = "ca"

    def subject(self) -> str:
        """Return the subject as openssl reads it."""
        organization = f"/O={self.organization}" if self.organization else ""
        return f"{organization}/CN={self.common_name}"

    def extensions(self) -> list[str]:
        """Return the extensions: with host names it is a server's certificate, and in any case a client's."""
        usage = "serverAuth,clientAuth" if self.hosts else "clientAuth"
        values = [
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            f"extendedKeyUsage={usage}",
        ]
        if self.hosts:
            values.append(f"subjectAltName={','.join(alternative_name(host) for host in self.hosts)}")
        return values


def alternative_name(host: str) -> str:
    """Write a host as a subject alternative name: an address must not be given as a DNS name."""
    is_address = ":" in host or host.replace(".", "").isdigit()
    return f"{'IP' if is_address else 'DNS'}:{host}"


def first_address(service_range: str) -> str:
    """Return a range's first address, at which the API server's own Service answers."""
    network = service_range.split("/", maxsplit=1)[0]
    start, last = network.rsplit(".", 1)
    return f"{start}.{int(last) + 1}"


SCHEDULER = Certificate("scheduler", "system:kube-scheduler")


def control_plane_certificates(addresses: Iterable[str], service_range: str) -> list[Certificate]:
    """Return what an API server and etcd need, whether there is a node or not."""
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    own = tuple(dict.fromkeys(["localhost", "127.0.0.1", *addresses]))
    return [
        Certificate("apiserver", "kube-apiserver", hosts=(*own, first_address(service_range), *names)),
        Certificate("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
        Certificate("admin", "typosentinel-admin", "system:masters"),
        Certificate("controller-manager", "system:kube-controller-manager"),
        Certificate("front-proxy-client", "front-proxy-client", authority="front-proxy-ca"),
        Certificate("etcd", "etcd", hosts=own, authority="etcd-ca"),
        Certificate("etcd-client", "kube-apiserver-etcd-client", authority="etcd-ca"),
    ]


def node_certificates(node: str, address: str) -> list[Certificate]:
    """Return what the machine's own node and the programs beside it need."""
    service = "metrics-server.kube-system.svc"
    return [
        SCHEDULER,
        Certificate("kubelet", f"system:node:{node}", "system:nodes"),
        Certificate("kubelet-server", f"system:node:{node}", "system:nodes", (node, address)),
        Certificate("kube-proxy", "system:kube-proxy"),
        Certificate("coredns", "system:coredns"),
        Certificate("metrics-server", "system:metrics-server"),
        Certificate("metrics-server-serving", service, hosts=(service, f"{service}.cluster.local")),
    ]


def contents(certificates: Sequence[Certificate]) -> str:
    """Return a description of what is made, by which a folder of another version is recognized."""
    return "\n".join(f"{entry.name} {entry.subject()} {entry.extensions()}" for entry in certificates)


def outdated(directory: Path, certificates: Sequence[Certificate]) -> bool:
    """Tell whether the folder holds certificates other than these."""
    described = directory / CONTENTS
    return described.exists() and described.read_text(encoding="utf-8") != contents(certificates)


def ensure(directory: Path, certificates: Sequence[Certificate]) -> None:
    """Make all certificates unless they are there; the folder appears in one step, whole or not at all."""
    if directory.exists() and not outdated(directory, certificates):
        return
    temporary = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True, mode=0o700)
    for authority in AUTHORITIES:
        make_authority(temporary, authority)
    for certificate in certificates:
        sign(temporary, certificate)
    key = temporary / "service-accounts.key"
    run(["openssl", "genrsa", "-out", str(key), "2048"], "making the service accounts' key")
    run(
        ["openssl", "rsa", "-in", str(key), "-pubout", "-out", str(temporary / "service-accounts.pub")],
        "writing the service accounts' public key",
    )
    (temporary / CONTENTS).write_text(contents(certificates), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    temporary.replace(directory)


def make_authority(directory: Path, name: str) -> None:
    """Make one self-signed authority."""
    extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"]
    _request(directory, name, f"/CN=typosentinel-local-{name}", extensions, [])


def sign(directory: Path, certificate: Certificate) -> None:
    """Make one key and its certificate."""
    authority = directory / certificate.authority
    signer = ["-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"]
    _request(directory, certificate.name, certificate.subject(), certificate.extensions(), signer)


def _request(directory: Path, name: str, subject: str, extensions: Sequence[str], signer: Sequence[str]) -> None:
    command = ["openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ec"]
    command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", DAYS, "-subj", subject, *signer]
    command += ["-keyout", str(directory / f"{name}.key"), "-out", str(directory / f"{name}.crt")]
    for extension in extensions:
        command += ["-addext", extension]
    try:
        run(command, f"making the certificate {name}")
    except ClusterError as error:
        error.advice = error.advice or "openssl 3.0 or newer is needed."
        raise
