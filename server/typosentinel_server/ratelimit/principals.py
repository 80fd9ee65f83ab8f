"""Who sends a request: the holder of a known key, else an address."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from typosentinel_server.ratelimit.apikeys import ApiKeys

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

UNKNOWN: Final = "addr:unknown"
# Proxies in a row that are believed.
MAX_HOPS: Final = 32
MAX_KEY: Final = 512
REMEMBERED: Final = 4096
BEARER: Final = "bearer "
# A household or a machine gets a whole /64 of IPv6, and may change its address within it at every request.
IPV6_BITS: Final = 64


def address_of(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The principal of an address.

    Args:
        peer: who opened the connection; None where that is no IP address.
        forwarded: the values of X-Forwarded-For, in the order in which they came.
        trusted: networks of proxies whose word counts.

    Returns:
        "addr:192.0.2.1" or "addr:2001:db8::/64": the last hop that no trusted proxy vouches for. What stands left of
        it anybody may have written.
    """
    client = parsed(peer or "")
    if client is None:
        return UNKNOWN
    if forwarded and _within(client, trusted):
        hops = [hop.strip() for hop in ",".join(forwarded).rsplit(",", MAX_HOPS)[-MAX_HOPS:]]
        for hop in reversed(hops):
            before = parsed(hop)
            if before is None:
                break
            client = before
            if not _within(client, trusted):
                break
    return shown(client)


def parsed(text: str) -> Address | None:
    """An address as peers and proxies write it, with a port or without; None where it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def shown(address: Address) -> str:
    """The principal's name."""
    if isinstance(address, IPv6Address):
        network = IPv6Address(int(address) >> IPV6_BITS << IPV6_BITS)
        return f"addr:{network}/{IPV6_BITS}"
    return f"addr:{address}"


class Principals:
    """Tells who sends a request.

    Args:
        keys: those that are known.
        trusted: networks of proxies whose word on an address counts.
    """

    def __init__(self, keys: ApiKeys, trusted: Sequence[Network]) -> None:
        self.keys = keys
        self.trusted = trusted
        self._remembered: dict[str, str] = {}

    def of(self, peer: str | None, headers: Mapping[str, str], forwarded: Sequence[str] = ()) -> str:
        """The principal, such as "key:ci". A key that nobody knows is no error: its bearer counts as an address.

        Args:
            peer: who opened the connection.
            headers: of the request, case-insensitive.
            forwarded: all values of X-Forwarded-For; only looked at where there are trusted proxies.
        """
        if self.keys.by_digest:
            name = self._key(headers)
            if name is not None:
                return name
        if forwarded and self.trusted:
            return address_of(peer, forwarded, self.trusted)
        if peer is None:
            return UNKNOWN
        known = self._remembered.get(peer)
        if known is None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            known = self._remembered[peer] = address_of(peer, (), ())
        return known

    def _key(self, headers: Mapping[str, str]) -> str | None:
        given = headers.get("X-API-Key")
        if given is None:
            bearer = headers.get("Authorization", "")
            given = bearer[len(BEARER) :].strip() if bearer[: len(BEARER)].lower() == BEARER else ""
        if not given or len(given) > MAX_KEY:
            return None
        # Found by its hash: how long that takes says nothing about a key.
        digest = sha256(given.encode("utf-8", "surrogateescape")).hexdigest()
        name = self.keys.by_digest.get(digest)
        return None if name is None else f"key:{name}"


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
