import pytest

from typosentinel_server.addresses import Networks, may_connect, parse_network, parse_place

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.7",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "2130706433",
    "127.1",
    "",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_nothing_connects_to_what_is_not_public(address: str) -> None:
    """Whatever an address is written like, what only this machine or its network reaches is out."""
    assert not may_connect(address, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """What all of the Internet reaches is allowed, also through a network's own translation."""
    assert may_connect(address, ())


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.0.0.0/8"),
        ("64:ff9b::10.1.2.3", "10.0.0.0/8"),
        ("127.0.0.1", "127.0.0.1/32"),
        ("fd12::1", "fd00::/8"),
        ("::1", "::1/128"),
    ],
)
def test_allowed_networks(address: str, network: str) -> None:
    """A network that is allowed may be connected to, and its neighbours may not."""
    allowed: Networks = (parse_network(network),)
    assert may_connect(address, allowed)
    assert not may_connect("192.168.0.1", allowed)
    assert not may_connect("fe80::1", allowed)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "ten", "", "10/8", "::/129"])
def test_networks_are_written_plainly(text: str) -> None:
    """What could mean two networks is none."""
    with pytest.raises(ValueError, match="a network is written"):
        parse_network(text)


@pytest.mark.parametrize(
    ("url", "host", "port", "is_number"),
    [
        ("https://registry.example.org/x", "registry.example.org", 443, False),
        ("http://REGISTRY.example.org:8080/x?y=z", "registry.example.org", 8080, False),
        ("http://mirror/x", "mirror", 80, False),
        ("http://a_b.example.org/", "a_b.example.org", 80, False),
        ("http://192.0.2.7/", "192.0.2.7", 80, True),
        ("http://[2001:DB8::0:7]:81/", "2001:db8::7", 81, True),
        ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1", 80, True),
    ],
)
def test_places(url: str, host: str, port: int, is_number: bool) -> None:  # noqa: FBT001 - a column of the table
    """An address leads to one host and one port."""
    place = parse_place(url)
    assert (place.host, place.port, place.number is not None) == (host, port, is_number)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "registry.example.org/x",
        "ftp://registry.example.org/",
        "file:///etc/passwd",
        "gopher://registry.example.org/",
        "https:registry.example.org/x",
        "https:///x",
        "https://",
        "https://user@registry.example.org/",
        "https://user:pass@registry.example.org/",
        "https://registry.example.org\\@127.0.0.1/",
        "https://registry.example.org/#part",
        "https://registry.example.org:0/",
        "https://registry.example.org:65536/",
        "https://registry.example.org:x/",
        "https://registry.example.org./",
        "https://registry..example.org/",
        "https://-registry.example.org/",
        "https://registry\u3002example\u3002org/",
        "https://\uff52egistry.example.org/",
        "https://registry.example.org/a b",
        "https://registry.example.org/\r\nHost: other",
        "https://registry.example.org%2eevil.example/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.01/",
        "http://127.0.0.1./",
        "http://1.2.3.4.5/",
        "http://example.0x7f/",
        "http://[::1%25eth0]/",
        "http://[::1/",
        "http://::1/",
        "http://[127.0.0.1]/",
        "http://[::1]x/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://registry.example.org/" + "x" * 2048,
    ],
)
def test_odd_addresses_are_refused(url: str) -> None:
    """What one reader takes for this host and the next for that is refused where it is configured."""
    with pytest.raises(ValueError):  # noqa: PT011 - the sentences are for people; that it is refused is what counts
        parse_place(url)
