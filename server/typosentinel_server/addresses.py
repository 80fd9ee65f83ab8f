"""Which addresses may be connected to, and how an address in a configuration must be written.

What a server fetches by order of a configuration must not lead to what only the server can reach: loopback, its own
network, the cloud's metadata. Names are judged by what they resolve to, so the same rules serve numbers and names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]

# Beyond what the standard library calls not global, which has changed from patch to patch: what tunnels to IPv4
# addresses that nobody has checked, what was taken back, and a cloud's metadata at a public address.
FORBIDDEN: Final[Networks] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "192.0.0.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
        ),
    )
)
NAT64: Final = IPv6Network("64:ff9b::/96")
LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
MAX_HOST: Final = 253
MAX_URL: Final = 2048
# Characters that one reader of addresses takes for a part's end and another does not.
AMBIGUOUS: Final = re.compile(r"[\\^`|<>\"]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address leads.

    Attributes:
        scheme: http or https.
        host: a name in lower case, or a number as the standard writes it, without brackets.
        port: 1 to 65535.
        number: the host where it is one; None where it is a name.
    """

    scheme: str
    host: str
    port: int
    number: Address | None


def parse_network(text: str) -> Network:
    """A network such as 10.0.0.0/8 or fd00::/8. Raises ValueError."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError("a network is written 10.0.0.0/8 or fd00::/8, with no bits beyond its length") from error


def may_connect(address: str, allowed: Iterable[Network]) -> bool:
    """Whether a connection to an address, given as a number, is allowed; what is no number never is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _may(found, tuple(allowed))


def _may(address: Address, allowed: Networks) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return _may(address.ipv4_mapped, allowed)
    if any(address in network for network in allowed if network.version == address.version):
        return True
    if isinstance(address, IPv6Address) and address in NAT64:
        return _may(IPv4Address(int(address) & 0xFFFFFFFF), allowed)
    if any(address in network for network in FORBIDDEN if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def parse_place(url: str) -> Place:
    """Where an http:// or https:// address leads, in the one spelling that all readers understand alike.

    Raises:
        ValueError: it has credentials, a fragment, characters beyond printable ASCII, a host that is written in an
            unusual way (2130706433, 0x7f.1, 127.1, 010.0.0.1, a dot at the end), or no host at all.
    """
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or AMBIGUOUS.search(url):
        raise ValueError(f"an address has at most {MAX_URL} characters, all of them printable ASCII without spaces")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not url.lower().startswith(f"{parts.scheme}://"):
        raise ValueError("an address begins with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("an address in a configuration must not carry credentials")
    if parts.fragment or "#" in url:
        raise ValueError("an address that is fetched has no #fragment")
    (host, number), port = _host_and_port(parts.netloc, 443 if parts.scheme == "https" else 80)
    return Place(parts.scheme, host, port, number)


def _host_and_port(netloc: str, default: int) -> tuple[tuple[str, Address | None], int]:
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?", netloc)
    if found is None:
        raise ValueError("the host is a name, a number, or [a number of IPv6], with :port behind it where wanted")
    port = int(found[2]) if found[2] else default
    if not 0 < port < 2**16:
        raise ValueError("a port is a number from 1 to 65535")
    return _host(found[1].lower()), port


def _host(text: str) -> tuple[str, Address | None]:
    try:
        # A zone behind % is no part of an address that others could use.
        if text.startswith("[") and "%" not in text:
            number: Address = IPv6Address(text[1:-1])
            return str(number), number
        labels = text.split(".")
        # A host that ends in a number is a number, whatever the rest looks like.
        if NUMBER.fullmatch(labels[-1]):
            number = IPv4Address(text)
            return str(number), number
    except ValueError as error:
        raise ValueError("a host of digits is a whole IPv4 address such as 192.0.2.7, or IPv6 in brackets") from error
    if len(text) > MAX_HOST or not all(map(LABEL.fullmatch, labels)):
        raise ValueError("a host is made of letters, digits, '-' and '_', joined by single dots, none at the end")
    return text, None
