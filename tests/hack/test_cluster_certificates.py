import subprocess
from pathlib import Path

from hack.cluster import kubeconfig, pki


def certificate(name: str) -> pki.Certificate:
    """One of the control plane's certificates."""
    found = pki.control_plane_certificates(["198.51.100.1"], "198.19.0.0/16")
    return next(entry for entry in found if entry.name == name)


def test_the_api_server_is_known_by_every_address_that_reaches_it() -> None:
    """The api server is known by every address that reaches it."""
    names = certificate("apiserver").extensions()[-1]
    for name in ("IP:127.0.0.1", "IP:198.51.100.1", "IP:198.19.0.1", "DNS:kubernetes.default.svc"):
        assert name in names.removeprefix("subjectAltName=").split(",")


def test_addresses_are_no_host_names() -> None:
    """Addresses are no host names."""
    assert pki.alternative_name("198.19.0.1") == "IP:198.19.0.1"
    assert pki.alternative_name("node1") == "DNS:node1"


def test_clients_are_no_servers() -> None:
    """Clients are no servers."""
    assert "extendedKeyUsage=clientAuth" in certificate("admin").extensions()
    assert "extendedKeyUsage=serverAuth,clientAuth" in certificate("apiserver").extensions()


def test_the_front_proxy_and_etcd_have_authorities_of_their_own() -> None:
    """The front proxy and etcd have authorities of their own."""
    assert certificate("front-proxy-client").authority == "front-proxy-ca"
    assert certificate("etcd-client").authority == "etcd-ca"
    assert certificate("admin").authority == "ca"


def test_the_kubelet_is_a_node() -> None:
    """The kubelet is a node."""
    kubelet = next(entry for entry in pki.node_certificates("node1", "198.51.100.1") if entry.name == "kubelet")
    assert kubelet.subject() == "/O=system:nodes/CN=system:node:node1"


def test_other_certificates_make_a_folder_outdated(tmp_path: Path) -> None:
    """Other certificates make a folder outdated."""
    folder = tmp_path / "pki"
    folder.mkdir()
    wanted = [certificate("admin")]
    assert not pki.outdated(folder, wanted)
    (folder / pki.CONTENTS).write_text(pki.contents(wanted))
    assert not pki.outdated(folder, wanted)
    assert pki.outdated(folder, [*wanted, certificate("apiserver")])


def test_certificates_are_signed_by_their_authority_and_made_once(tmp_path: Path) -> None:
    """Certificates are signed by their authority and made once."""
    folder = tmp_path / "pki"
    wanted = [certificate("admin"), certificate("front-proxy-client")]
    pki.ensure(folder, wanted)
    for entry in wanted:
        command = ["openssl", "verify", "-CAfile", f"{folder}/{entry.authority}.crt", f"{folder}/{entry.name}.crt"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert folder.stat().st_mode & 0o077 == 0
    before = (folder / "admin.crt").read_bytes()
    pki.ensure(folder, wanted)
    assert (folder / "admin.crt").read_bytes() == before
    text = kubeconfig.render("https://198.51.100.1:6443", folder, "admin")
    assert '"current-context": "typosentinel-local"' in text


def test_the_wrapper_sets_the_kubeconfig_whatever_the_caller_has(tmp_path: Path) -> None:
    """The wrapper sets the kubeconfig whatever the caller has."""
    script = tmp_path / "kubectl"
    script.write_text(kubeconfig.wrapper(Path("/usr/bin/env"), tmp_path / "own"))
    done = subprocess.run(
        ["/bin/sh", str(script)], env={"KUBECONFIG": "/other"}, capture_output=True, text=True, check=True
    )
    assert f"KUBECONFIG={tmp_path}/own" in done.stdout.splitlines()
