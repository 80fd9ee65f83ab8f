"""The hash of texts, alone and many at once."""

from typosentinel_server.scan import polynomial

TEXTS = (b"a", b"requests", b"\x00", b"\xff\xff", b"a" * 300, b"a-b", b"requests")


def test_many_at_once_are_hashed_as_each_alone() -> None:
    """Number for number, whatever their lengths."""
    assert polynomial.each(TEXTS) == [polynomial.whole(text) for text in TEXTS]


def test_hash_tells_order_and_length_apart() -> None:
    """What a sum of letters would not."""
    assert len({polynomial.whole(text) for text in (b"ab", b"ba", b"a", b"b", b"aab", b"aba")}) == 6
