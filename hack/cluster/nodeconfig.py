"""The configuration files of containerd, its network plug-in, kubelet, kube-proxy and CoreDNS: text in, text out."""

import json
from pathlib import Path

from hack.cluster.controlplane import NODE_ADDRESS, POD_RANGE
from hack.cluster.network import POD_GATEWAY, POD_LINK, POD_SUBNET
from hack.cluster.state import PKI, RUN, STATE

NODE = "node1"
CLUSTER_DOMAIN = "cluster.local"
CONTAINERD_SOCKET = RUN / "containerd" / "containerd.sock"
CGROUP = "typosentinel-cluster"
CNI_NETWORK = "typosentinel-pods"
CNI_BINARIES = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")


def containerd(pause_image: str, cni_binaries: str) -> str:
    """Return containerd's configuration: its own root, state and socket, so that the machine's own is left alone."""
    unused = ("btrfs", "zfs", "aufs", "devmapper")
    disabled = [f"io.containerd.snapshotter.v1.{name}" for name in unused] + ["io.containerd.internal.v1.tracing"]
    return f"""\
version = 2
root = "{STATE}/containerd"
state = "{RUN}/containerd/state"
disabled_plugins = {json.dumps(disabled)}

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{STATE}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause_image}"
  # Without the right to lower it, which containers and some virtual machines lack, every sandbox would fail.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "{RUN}/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_binaries}"
    conf_dir = "{STATE}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{STATE}/registries"
"""


def no_registry() -> str:
    """Return what containerd does about images it lacks: it asks a port where nobody is, so the answer is immediate.

    Images come by `load` alone. A mistyped name must fail at once, and must not send a packet off this machine.
    """
    nowhere = "http://127.0.0.1:9"
    return f'server = "{nowhere}"\n\n[host."{nowhere}"]\n  capabilities = ["pull", "resolve"]\n'


def cni() -> str:
    """Return the pods' network.

    No gateway and no masquerading by the plug-in: it would switch on forwarding for the whole machine and write
    iptables rules. `network` gives the bridge its address and switches on forwarding for this one link.
    """
    bridge = {
        "type": "bridge",
        "bridge": POD_LINK,
        "isGateway": False,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": f"{RUN}/addresses",
            "ranges": [[{"subnet": POD_SUBNET, "gateway": POD_GATEWAY}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "0.4.0", "name": CNI_NETWORK, "plugins": [bridge]}, indent=2)


def kubelet() -> str:
    """Return kubelet's configuration: it keeps everything below the cluster's own directories."""
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": NODE_ADDRESS,
            "healthzBindAddress": NODE_ADDRESS,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{PKI}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{PKI}/kubelet-server.crt",
            "tlsPrivateKeyFile": f"{PKI}/kubelet-server.key",
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{CGROUP}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "clusterDNS": [NODE_ADDRESS],
            "clusterDomain": CLUSTER_DOMAIN,
            "resolvConf": f"{STATE}/resolv.conf",
            "maxPods": 240,
            "makeIPTablesUtilChains": False,
            "podLogsDir": f"{STATE}/pod-logs",
            "volumePluginDir": f"{STATE}/kubelet/volume-plugins",
            "serializeImagePulls": False,
            # A developer's disk is often nearly full: that must neither evict pods nor remove images, which cannot
            # be pulled again.
            "evictionHard": {},
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
        },
        indent=2,
    )


def kube_proxy() -> str:
    """Return kube-proxy's configuration: node ports only on the node's address, connection tracking left alone."""
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": f"{STATE}/kube-proxy.kubeconfig"},
            "clusterCIDR": POD_RANGE,
            "hostnameOverride": NODE,
            "bindAddress": NODE_ADDRESS,
            "nodePortAddresses": [f"{NODE_ADDRESS}/32"],
            "healthzBindAddress": f"{NODE_ADDRESS}:10256",
            "metricsBindAddress": f"{NODE_ADDRESS}:10249",
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        },
        indent=2,
    )


def corefile() -> str:
    """Return CoreDNS's configuration: as a usual cluster's, but names outside the cluster are refused."""
    return f"""\
{CLUSTER_DOMAIN}:53 in-addr.arpa:53 {{
    bind {NODE_ADDRESS}
    errors
    health {NODE_ADDRESS}:10253
    ready {NODE_ADDRESS}:10254
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {STATE}/coredns.kubeconfig
        pods insecure
        ttl 5
    }}
    cache 5
    loadbalance
}}
"""


def resolver() -> str:
    """Return the resolver configuration of pods that ask for the node's: the cluster's server, never the machine's."""
    return f"nameserver {NODE_ADDRESS}\n"


def cni_binaries() -> str | None:
    """Return the folder of the network plug-ins, which differs between distributions."""
    return next((folder for folder in CNI_BINARIES if Path(folder, "bridge").exists()), None)
