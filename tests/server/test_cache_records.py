"""What is stored in Redis: its form, and what is not believed."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typosentinel_server.cache.records import HEADER, MAX_BODY_BYTES, Codec, NoRecord, Record, TooLarge
from typosentinel_server.cache.sealing import parse_keys

PLACE = b"place"
KEYS = [base64.b64encode(bytes([n]) * 32) for n in range(3)]


def record(value: bytes = b"value", tags: tuple[str, ...] = ("corpus/PyPI/1", "x")) -> Record:
    """A record."""
    return Record("evidence/registry/PyPI/requests", value, tags, 1_700_000_000.25, 1_700_003_600.5, 1 << 52)


def sealed(*keys: bytes, min_bytes: int = 0) -> Codec:
    """A codec that seals with the first key."""
    return Codec(min_bytes, parse_keys(b"\n".join(keys), os.urandom))


CODECS = {"plain": Codec(), "packed": Codec(1), "sealed": sealed(KEYS[0]), "both": sealed(KEYS[0], min_bytes=1)}


@pytest.mark.parametrize("name", CODECS)
def test_what_is_written_is_read(name: str) -> None:
    """Value, name, tags, stamps and epoch."""
    for given_ in (record(), record(b""), record(bytes(5000)), record(tags=())):
        assert CODECS[name].decode(CODECS[name].encode(given_, PLACE), PLACE) == given_


@given(st.binary(max_size=300), st.lists(st.text("abc/:-", min_size=1), max_size=3))
def test_any_value_comes_back(value: bytes, tags: list[str]) -> None:
    """Whatever its bytes are."""
    for codec in CODECS.values():
        given_ = record(value, tuple(tags))
        assert codec.decode(codec.encode(given_, PLACE), PLACE) == given_


@pytest.mark.parametrize("name", CODECS)
def test_a_flipped_bit_is_never_believed(name: str) -> None:
    """At every bit of every byte."""
    codec = CODECS[name]
    blob = codec.encode(record(b"v" * 100), PLACE)
    for place in range(len(blob)):
        for bit in range(8):
            damaged = bytearray(blob)
            damaged[place] ^= 1 << bit
            with pytest.raises(NoRecord):
                codec.decode(bytes(damaged), PLACE)


@pytest.mark.parametrize("name", CODECS)
def test_a_piece_or_more_than_the_whole_is_never_believed(name: str) -> None:
    """Cut at every byte, and with one more."""
    codec = CODECS[name]
    blob = codec.encode(record(), PLACE)
    for end in range(len(blob)):
        with pytest.raises(NoRecord):
            codec.decode(blob[:end], PLACE)
    with pytest.raises(NoRecord):
        codec.decode(blob + b"x", PLACE)


@given(st.binary(max_size=200))
def test_strangers_bytes_are_no_record(blob: bytes) -> None:
    """Nor are they behind our own first letters."""
    for codec in CODECS.values():
        for prefix in (b"", b"TS", b"TS\x01"):
            with pytest.raises(NoRecord):
                codec.decode(prefix + blob, PLACE)


def test_why_something_is_no_record() -> None:
    """Four reasons, for people to count."""
    plain, closed = CODECS["plain"], CODECS["sealed"]
    blob = plain.encode(record(), PLACE)
    cases = [
        (plain, b"{}", "foreign"),
        (plain, blob[:2] + b"\x02" + blob[3:], "version"),
        (plain, blob[:-1], "damaged"),
        (closed, blob, "key"),
        (plain, closed.encode(record(), PLACE), "key"),
        (sealed(KEYS[1]), closed.encode(record(), PLACE), "key"),
    ]
    for codec, content, reason in cases:
        with pytest.raises(NoRecord) as error:
            codec.decode(content, PLACE)
        assert error.value.reason == reason


@pytest.mark.parametrize("name", CODECS)
def test_a_record_belongs_to_its_place(name: str) -> None:
    """Whoever copies it to another key in Redis answers nobody's question with it."""
    blob = CODECS[name].encode(record(), PLACE)
    with pytest.raises(NoRecord):
        CODECS[name].decode(blob, b"elsewhere")


def test_keys_are_changed_without_losing_what_is_stored() -> None:
    """The first key seals, all open; two seals of the same are never alike."""
    blob = sealed(KEYS[0]).encode(record(), PLACE)
    both = sealed(KEYS[1], KEYS[0])
    assert both.decode(blob, PLACE) == record()
    assert sealed(KEYS[1]).decode(both.encode(record(), PLACE), PLACE) == record()
    assert both.encode(record(), PLACE) != both.encode(record(), PLACE)
    assert b"requests" not in blob


def test_large_values_are_packed_and_too_large_ones_refused() -> None:
    """From the configured size on, and only where it helps."""
    codec = Codec(2048)
    assert len(codec.encode(record(b"x" * 10_000), PLACE)) < 500
    noise = os.urandom(5000)
    assert codec.decode(codec.encode(record(noise), PLACE), PLACE).value == noise
    with pytest.raises(TooLarge):
        codec.encode(record(bytes(MAX_BODY_BYTES)), PLACE)


def test_a_bomb_is_not_unpacked() -> None:
    """A body that unpacks to more than its header says, checksum and all, ends at the size said."""
    small = Codec(1).encode(record(b"x" * 1000), PLACE)
    large = Codec(1).encode(record(b"x" * 1_000_000), PLACE)
    body = large[HEADER.size : -8]
    from typosentinel_server.cache import records  # noqa: PLC0415 - to forge the checksum

    header = small[: HEADER.size]
    forged = header + body + records._checksum(PLACE, header, body)
    with pytest.raises(NoRecord):
        Codec(1).decode(forged, PLACE)


@pytest.mark.parametrize("text", [b"", b"\n\n", b"short", base64.b64encode(bytes(16)), b"*" * 44, b"\n".join(KEYS * 6)])
def test_wrong_keys_are_refused(text: bytes) -> None:
    """And nothing of them is said."""
    with pytest.raises(ValueError, match=r"key") as error:
        parse_keys(text, os.urandom)
    assert text.decode()[:5] not in str(error.value) or not text.strip()
