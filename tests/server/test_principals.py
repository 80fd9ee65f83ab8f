"""Who sends a request."""

import hashlib
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.limiting import masked
from typosentinel_server.ratelimit.apikeys import ApiKeys, parse_api_keys
from typosentinel_server.ratelimit.policy import Endpoint, Rule
from typosentinel_server.ratelimit.principals import REMEMBERED, Principals, address_of

PROXIES = tuple(ip_network(text) for text in ("10.0.0.0/8", "fd00::/8"))
HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ApiKeys\n"
KEY = "correct-horse-battery-staple"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()

ADDRESSES = {
    "nobody between": ("192.0.2.1", [], "addr:192.0.2.1"),
    "no address": (None, ["192.0.2.9"], "addr:unknown"),
    "a stranger's word": ("192.0.2.1", ["198.51.100.7"], "addr:192.0.2.1"),
    "a proxy's word": ("10.0.0.1", ["198.51.100.7"], "addr:198.51.100.7"),
    "what the client made up": ("10.0.0.1", ["203.0.113.5, 198.51.100.7"], "addr:198.51.100.7"),
    "two proxies": ("10.0.0.1", ["203.0.113.5, 198.51.100.7, 10.9.9.9"], "addr:198.51.100.7"),
    "several headers": ("10.0.0.1", ["203.0.113.5", "198.51.100.7", "10.9.9.9"], "addr:198.51.100.7"),
    "only proxies": ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "addr:10.0.0.3"),
    "rubbish from a proxy": ("10.0.0.1", ["198.51.100.7, what"], "addr:10.0.0.1"),
    "rubbish before it": ("10.0.0.1", ["what, 198.51.100.7"], "addr:198.51.100.7"),
    "an empty word": ("10.0.0.1", [""], "addr:10.0.0.1"),
    "a port": ("10.0.0.1", ["198.51.100.7:4711"], "addr:198.51.100.7"),
    "a port of IPv6": ("10.0.0.1", ["[2001:db8:1:2:3::4]:4711"], "addr:2001:db8:1:2::/64"),
    "quotes": ("10.0.0.1", ['"[2001:db8:1:2:3::4]"'], "addr:2001:db8:1:2::/64"),
    "IPv6 by its network": ("2001:db8:1:2:ffff::1", [], "addr:2001:db8:1:2::/64"),
    "a zone": ("fe80::1%eth0", [], "addr:fe80::/64"),
    "IPv4 in IPv6": ("::ffff:192.0.2.1", [], "addr:192.0.2.1"),
    "a proxy as IPv4 in IPv6": ("::ffff:10.0.0.1", ["::ffff:198.51.100.7"], "addr:198.51.100.7"),
    "a proxy with IPv6": ("fd00::1", ["198.51.100.7"], "addr:198.51.100.7"),
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_addresses(case: str) -> None:
    """The last hop that no trusted proxy vouches for."""
    peer, forwarded, wanted = ADDRESSES[case]
    assert address_of(peer, forwarded, PROXIES) == wanted


@given(st.lists(st.text(max_size=40), max_size=4), st.text(max_size=60))
def test_no_header_breaks_it(forwarded: list[str], key: str) -> None:
    """Whatever a client sends, it has a principal, and never that of another's key."""
    principals = Principals(ApiKeys({DIGEST: "ci"}), PROXIES)
    headers = CIMultiDict({"X-API-Key": key, "Authorization": f"Bearer {key}"})
    assert principals.of("10.0.0.1", headers, forwarded).startswith("addr:")


@pytest.mark.parametrize(
    ("name", "value"), [("X-API-Key", KEY), ("Authorization", f"Bearer {KEY}"), ("Authorization", f"bearer  {KEY}")]
)
def test_a_known_key(name: str, value: str) -> None:
    """In either header."""
    principals = Principals(ApiKeys({DIGEST: "ci"}), ())
    assert principals.of("192.0.2.1", CIMultiDict({name.lower(): value})) == "key:ci"


@pytest.mark.parametrize("value", ["", "Bearer ", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY.upper()}"])
def test_an_unknown_key_counts_as_its_address(value: str) -> None:
    """It is no error here."""
    principals = Principals(ApiKeys({DIGEST: "ci"}), ())
    assert principals.of("192.0.2.1", CIMultiDict({"Authorization": value})) == "addr:192.0.2.1"


def test_addresses_are_not_remembered_without_end() -> None:
    """Whoever has many of them."""
    principals = Principals(ApiKeys(), ())
    for n in range(3 * REMEMBERED):
        principals.of(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", {})
    assert len(principals._remembered) <= REMEMBERED


def test_a_file_of_keys() -> None:
    """Names, hashes and limits of their own."""
    text = HEAD + (
        f"keys:\n  ci: {{sha256: {DIGEST}, limits: {{default: {{requests: 6000, burst: 1000}},"
        f" endpoints: {{Batch: {{requests: 10, window: 1h}}}}}}}}\n  mirror: {{sha256: {'a' * 64}}}\n"
    )
    keys = parse_api_keys(text.encode(), "keys.yaml")
    assert keys.by_digest == {DIGEST: "ci", "a" * 64: "mirror"}
    assert keys.rules == {"ci": {Endpoint.DEFAULT: Rule(6000, 60, 1000), Endpoint.BATCH: Rule(10, 3600, 10)}}


WRONG = {
    "keys: {ci: {}}": ["k.yaml:3: keys.ci.sha256: field required"],
    f"keys: {{ci: {{sha256: {KEY}}}}}": ["k.yaml:3: keys.ci.sha256: this is no SHA-256"],
    f"keys: {{ci: {{sha256: {DIGEST.upper()}}}}}": ["this is no SHA-256"],
    f"keys: {{'a b': {{sha256: {DIGEST}}}}}": ["k.yaml:3: keys.a b: a name is 1 to 63 letters"],
    f"keys:\n  a: {{sha256: {DIGEST}}}\n  b: {{sha256: {DIGEST}}}": ["k.yaml:5: keys.b: this is the key of a, too"],
    f"keys: {{a: {{sha256: {DIGEST}, limits: {{default: {{requests: 0}}}}}}}}": ["keys.a.limits.default.requests"],
    f"keys: {{a: {{sha256: {DIGEST}, limit: 5}}}}": ["keys.a.limit: extra inputs are not permitted"],
    "keys: []": ["k.yaml:3: keys: input should be a valid dictionary"],
    "names: {}": ["keys: field required", "k.yaml:3: names: extra inputs are not permitted"],
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_of_keys(text: str) -> None:
    """Refused whole, with file, line and field; what may be a key is not told."""
    with pytest.raises(ConfigurationInvalid) as caught:
        parse_api_keys((HEAD + text).encode(), "k.yaml")
    for wanted in WRONG[text]:
        assert wanted in caught.value.message
    assert KEY not in caught.value.message


def test_addresses_are_shown_in_part() -> None:
    """Two neighbours are told apart, and neither is named."""
    first, second = masked("addr:192.0.2.1"), masked("addr:192.0.2.2")
    assert first != second
    assert first.startswith("addr:192.0.2.0/24#")
    assert masked("addr:2001:db8:1:2::/64").startswith("addr:2001:db8:1:2::/64#")
    assert masked("key:ci") == "key:ci"
    assert masked("addr:unknown") == "addr:unknown"
