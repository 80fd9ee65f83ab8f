import json
import tomllib
from pathlib import Path

from hack.cluster import addons, metricspod, network, nodeconfig
from hack.cluster.controlplane import ControlPlane, Ports, Settings, audit_policy

BINARIES = {
    name: Path("/bin") / name for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
}


def settings(directory: Path, *, with_node: bool) -> Settings:
    """Settings as the cluster on a machine has them."""
    return Settings(
        directory=directory,
        run_directory=directory / "run",
        binaries=BINARIES,
        ports=Ports(),
        address="198.51.100.1",
        certificates=(),
        audit_log=directory / "audit.log",
        with_node=with_node,
    )


def test_containerd_keeps_to_its_own_folders_and_names_images_in_full() -> None:
    """Containerd keeps to its own folders and names images in full."""
    config = tomllib.loads(nodeconfig.containerd("localhost/pause:1", "/usr/lib/cni"))
    assert config["root"].startswith("/var/lib/typosentinel-cluster/")
    assert config["state"].startswith("/run/typosentinel-cluster/")
    assert config["grpc"]["address"].startswith("/run/typosentinel-cluster/")
    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "localhost/pause:1"
    assert cri["restrict_oom_score_adj"] is True
    runc = cri["containerd"]["runtimes"]["runc"]["options"]
    assert runc["SystemdCgroup"] is False
    assert runc["Root"].startswith("/run/typosentinel-cluster/")


def test_kubelet_runs_where_the_prototypes_ran() -> None:
    """Kubelet runs where the prototypes ran."""
    config = json.loads(nodeconfig.kubelet())
    assert config["failCgroupV1"] is False
    assert config["cgroupDriver"] == "cgroupfs"
    assert config["evictionHard"] == {}
    assert config["clusterDNS"] == ["198.51.100.1"]
    assert config["authentication"]["anonymous"] == {"enabled": False}


def test_pods_get_no_gateway_from_the_plug_in_as_that_would_forward_for_the_whole_machine() -> None:
    """Pods get no gateway from the plug in as that would forward for the whole machine."""
    (bridge,) = json.loads(nodeconfig.cni())["plugins"]
    assert bridge["isGateway"] is False
    assert bridge["ipMasq"] is False
    assert bridge["ipam"]["ranges"] == [[{"subnet": "198.18.0.0/24", "gateway": "198.18.0.1"}]]


def test_link_names_fit_the_kernel() -> None:
    """Link names fit the kernel."""
    assert all(len(name) <= 15 for name in (network.NODE_LINK, network.POD_LINK))


def test_pods_cannot_talk_to_anything_beyond_the_machine() -> None:
    """Pods cannot talk to anything beyond the machine."""
    assert 'iifname "ts-pods0" oifname != "ts-pods0" reject' in network.FIREWALL_RULES


def test_kube_proxy_opens_node_ports_on_the_nodes_address_only() -> None:
    """Kube proxy opens node ports on the nodes address only."""
    config = json.loads(nodeconfig.kube_proxy())
    assert config["mode"] == "nftables"
    assert config["nodePortAddresses"] == ["198.51.100.1/32"]
    assert config["conntrack"]["maxPerCore"] == 0


def test_names_outside_the_cluster_are_not_forwarded() -> None:
    """Names outside the cluster are not forwarded."""
    assert "forward" not in nodeconfig.corefile()
    assert nodeconfig.corefile().count("{") == nodeconfig.corefile().count("}")


def test_the_api_server_listens_on_the_cluster_s_address_only(tmp_path: Path) -> None:
    """The api server listens on the cluster's address only."""
    arguments = ControlPlane(settings(tmp_path, with_node=True)).api_server_arguments()
    assert "--bind-address=198.51.100.1" in arguments
    assert "--kubelet-preferred-address-types=InternalIP" in arguments
    assert "--audit-log-maxbackup=2" in arguments
    assert "--endpoint-reconciler-type=none" not in arguments


def test_a_control_plane_for_tests_stays_in_its_folder_and_keeps_its_ports(tmp_path: Path) -> None:
    """A control plane for tests stays in its folder and keeps its ports."""
    first = Settings.isolated(tmp_path, BINARIES)
    assert Settings.isolated(tmp_path, BINARIES).ports == first.ports
    assert len({first.ports.api, first.ports.etcd, first.ports.etcd_peer}) == 3
    daemons = ControlPlane(first).daemons()
    assert [daemon.name for daemon in daemons] == ["etcd", "kube-apiserver", "kube-controller-manager"]
    assert all(daemon.run_directory.is_relative_to(tmp_path) for daemon in daemons)
    assert "--endpoint-reconciler-type=none" in daemons[1].arguments


def test_a_crowded_control_plane_has_a_scheduler_and_components_in_a_hurry(tmp_path: Path) -> None:
    """Thousands of objects wait for nobody's client rate, and for no endpoint that pods on loopback can't have."""
    etcd, api_server, *others = ControlPlane(Settings.isolated(tmp_path, BINARIES, crowded=True)).daemons()
    assert (etcd.name, api_server.name) == ("etcd", "kube-apiserver")
    assert [daemon.name for daemon in others] == ["kube-controller-manager", "kube-scheduler"]
    assert all("--kube-api-qps=1000" in daemon.arguments for daemon in others)
    assert any("-endpointslice-controller" in argument for argument in others[0].arguments)
    assert "--endpoint-reconciler-type=none" in api_server.arguments


def test_reads_are_not_audited_but_the_operators() -> None:
    """What it reads tells which of its rights it uses; all other reads would only fill the disk."""
    rules = audit_policy()["rules"]
    assert rules == [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts:typosentinel-system"]},
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ]


def test_add_ons_lead_to_programs_on_the_host() -> None:
    """Add ons lead to programs on the host."""
    objects = {(entry["kind"], entry["metadata"]["name"]): entry for entry in addons.objects(b"authority")}
    port = objects["EndpointSlice", "metrics-server"]["ports"][0]
    assert port == {"name": "https", "port": addons.METRICS_PORT, "protocol": "TCP"}
    assert objects["Service", "metrics-server"]["spec"]["ports"][0]["name"] == port["name"]
    assert objects["APIService", "v1beta1.metrics.k8s.io"]["spec"]["caBundle"] == "YXV0aG9yaXR5"
    assert ("Service", "kube-dns") in objects


def test_for_kind_metrics_server_is_a_pod_with_an_account() -> None:
    """For kind metrics-server is a pod with an account."""
    objects = {(entry["kind"], entry["metadata"]["name"]): entry for entry in metricspod.objects("localhost/m:1")}
    assert objects["ClusterRoleBinding", "system:metrics-server"]["subjects"][0]["kind"] == "ServiceAccount"
    assert objects["Service", "metrics-server"]["spec"]["selector"] == {"app": "metrics-server"}
    assert "caBundle" not in objects["APIService", "v1beta1.metrics.k8s.io"]["spec"]
    assert not [name for kind, name in objects if kind == "EndpointSlice" or "dns" in name]


def test_a_missing_image_is_not_looked_up_anywhere() -> None:
    """A missing image is not looked up anywhere."""
    assert tomllib.loads(nodeconfig.no_registry())["server"] == "http://127.0.0.1:9"
