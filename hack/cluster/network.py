"""The cluster's addresses, all of them on this machine.

Pods and Services use the range reserved for benchmarks in isolated networks, the node one reserved for documentation:
no network routes them. Whatever has no owner here is answered "unreachable" instead of leaving by the default route,
and a firewall table of our own keeps pods from talking to anything beyond this machine.
"""

import contextlib
import json
import subprocess
from pathlib import Path

from hack.cluster.controlplane import NODE_ADDRESS, POD_RANGE, SERVICE_RANGE
from hack.cluster.failures import ClusterError
from hack.cluster.processes import run
from hack.cluster.state import RUN, write

NODE_LINK = "ts-node0"
POD_LINK = "ts-pods0"
POD_SUBNET = "198.18.0.0/24"
POD_GATEWAY = "198.18.0.1"
NODE_RANGE = "198.51.100.0/24"
FIREWALL = "typosentinel_cluster"
KUBE_PROXY_TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))
UNREACHABLE = (POD_RANGE, NODE_RANGE)
FOUND_SETTINGS = RUN / "sysctls.json"

# What kubelet sets on its own, recorded before it starts and put back after it has stopped. Nobody sets ip_forward:
# only our own link forwards.
SETTINGS_CHANGED = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)

FIREWALL_RULES = f"""
table inet {FIREWALL}
delete table inet {FIREWALL}
table inet {FIREWALL} {{
    chain forward {{
        type filter hook forward priority filter; policy accept;
        iifname "{POD_LINK}" oifname != "{POD_LINK}" reject
        iifname != "{POD_LINK}" oifname {{ "{POD_LINK}", "{NODE_LINK}" }} drop
    }}
}}
"""


def up() -> None:
    """Make links, routes and the firewall table; harmless when they are there."""
    remember_settings()
    for module in ("br_netfilter", "overlay", "nf_conntrack"):
        # Built into some kernels, and modprobe missing on some machines: what is really missing shows itself later.
        with contextlib.suppress(ClusterError):
            run(["modprobe", "-q", module], f"loading the kernel module {module}")
    add_link(NODE_LINK, f"{NODE_ADDRESS}/32")
    add_link(POD_LINK, f"{POD_GATEWAY}/24")
    # Answers between two pods must pass kube-proxy's rules, or a Service's answer comes from the wrong address. Set on
    # this one bridge, as the global switch would change every other bridge of the machine.
    run(
        ["ip", "link", "set", POD_LINK, "type", "bridge", "nf_call_iptables", "1"],
        "routing pods' traffic by the firewall",
    )
    set_setting(f"net/ipv4/conf/{POD_LINK}/forwarding", "1")
    # Packets to Services need a route that leads somewhere: they are redirected only on their way out.
    run(["ip", "route", "replace", SERVICE_RANGE, "dev", NODE_LINK], "routing the Service addresses")
    for network in UNREACHABLE:
        run(["ip", "route", "replace", "unreachable", network], f"closing {network}")
    _nft(FIREWALL_RULES)


def down() -> None:
    """Remove all of it and put the machine's settings back."""
    for network in UNREACHABLE:
        _quietly("ip", "route", "del", "unreachable", network)
    for link in (NODE_LINK, POD_LINK):
        _quietly("ip", "link", "del", link)
    for family, table in (*KUBE_PROXY_TABLES, ("inet", FIREWALL)):
        _quietly("nft", "delete", "table", family, table)
    restore_settings()


def add_link(name: str, address: str) -> None:
    """Make one bridge with its address."""
    if not Path(f"/sys/class/net/{name}").exists():
        run(["ip", "link", "add", name, "type", "bridge"], f"adding the bridge {name}")
    set_setting(f"net/ipv6/conf/{name}/disable_ipv6", "1")
    run(["ip", "address", "replace", address, "dev", name], f"giving {name} its address")
    run(["ip", "link", "set", name, "up"], f"starting {name}")


def remember_settings() -> None:
    """Record the machine's settings once, before anything has changed them."""
    if FOUND_SETTINGS.exists():
        recorded = json.loads(FOUND_SETTINGS.read_text(encoding="utf-8"))
        if recorded.get("boot") == boot():
            return
    found = {name: value for name in SETTINGS_CHANGED if (value := get_setting(name)) is not None}
    write(FOUND_SETTINGS, json.dumps({"boot": boot(), "settings": found}))


def restore_settings() -> None:
    """Put the recorded settings back; after a reboot they are as they were anyway."""
    try:
        recorded = json.loads(FOUND_SETTINGS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if recorded.get("boot") == boot():
        for name, value in recorded["settings"].items():
            if get_setting(name) != value:
                set_setting(name, value)


def boot() -> str:
    """Return what differs between two boots of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def get_setting(name: str) -> str | None:
    """Read one kernel setting."""
    try:
        return Path("/proc/sys", name).read_text(encoding="ascii").strip()
    except OSError:
        return None


def set_setting(name: str, value: str) -> None:
    """Change one kernel setting; one that this kernel does not have is left out."""
    with contextlib.suppress(OSError):
        Path("/proc/sys", name).write_text(value, encoding="ascii")


def leftovers() -> list[str]:
    """List what is left of the network."""
    found = [f"link {name}" for name in (NODE_LINK, POD_LINK) if Path(f"/sys/class/net/{name}").exists()]
    routes = run(["ip", "route", "show", "table", "all"], "listing routes")
    ours = (SERVICE_RANGE, *UNREACHABLE, POD_SUBNET, NODE_ADDRESS, POD_GATEWAY)
    found += [f"route {line.strip()}" for line in routes.splitlines() if any(name in line.split() for name in ours)]
    tables = run(["nft", "list", "tables"], "listing firewall tables")
    for family, table in (*KUBE_PROXY_TABLES, ("inet", FIREWALL)):
        if f"table {family} {table}" in tables.splitlines():
            found.append(f"nft table {family} {table}")
    return found


def _nft(rules: str) -> None:
    done = subprocess.run(["nft", "-f", "-"], input=rules, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise ClusterError(f"the firewall table cannot be made: {done.stderr.strip()}")


def _quietly(*command: str) -> None:
    with contextlib.suppress(ClusterError):
        run(command, "removing")
