"""What letters look like, and what a hasty reader takes for what."""

import sys

import pytest

from typosentinel_server.scan.confusables import MAX_EXPANSION, describe, fold, skeleton

PLANE = 0x10000


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("\u04cf\u043e\u0501\u0430\u0455\u04bb", "lodash", id="cyrillic-lodash"),
        pytest.param("\u0433\u0435\u051bu\u0435\u0455\u0442\u0455", "requests", id="cyrillic-requests"),
        pytest.param("\u043du\u043c\u0440\u0443", "humpy", id="cyrillic-en-is-h"),
        pytest.param("\u041e\u0421\u0420\u0415\u0422\u041d\u0412\u041a\u041c", "ocpethbkm", id="cyrillic-capitals"),
        pytest.param("l\u03bfd\u03b1sh", "lodash", id="greek-lodash"),
        pytest.param("\u03b7\u03c5m\u03c1\u03b3", "numpy", id="greek-numpy"),
        pytest.param("\u039d\u03a5\u039c\u03a1\u03a5", "nympy", id="greek-capitals-as-written"),
        pytest.param("l\u0585das\u0570", "lodash", id="armenian-lodash"),
        pytest.param("re\u0566\u057dests", "requests", id="armenian-requests"),
        pytest.param("\u0578\u057dmpy", "numpy", id="armenian-numpy"),
        pytest.param("\uff4c\uff4f\uff44\uff41\uff53\uff48", "lodash", id="full-width-lodash"),
        pytest.param("\uff32\uff25\uff31\uff35\uff25\uff33\uff34\uff33", "requests", id="full-width-capitals"),
        pytest.param("\uff4e\uff55\uff4d\uff50\uff59", "numpy", id="full-width-numpy"),
        pytest.param(
            "\U0001d4f5\U0001d4f8\U0001d4ed\U0001d4ea\U0001d4fc\U0001d4f1", "lodash", id="mathematical-script"
        ),
        pytest.param("\U0001d577\U0001d60b", "ld", id="mathematical-fraktur-and-sans"),
        pytest.param("\U0001d45b\U0001d462\U0001d45a\U0001d45d\U0001d466", "numpy", id="mathematical-italic"),
        pytest.param("\U0001d6c8\U0001d6d6m\U0001d6d2\U0001d6c4", "numpy", id="mathematical-greek"),
        pytest.param("\u029f\u1d0f\u1d05\u1d00\ua731\u029c", "lodash", id="small-capitals-lodash"),
        pytest.param("\u0280\u1d07\ua7af\u1d1c\u1d07\ua731\u1d1b\ua731", "requests", id="small-capitals-requests"),
        pytest.param("\u0274\u1d1c\u1d0d\u1d18\u028f", "numpy", id="small-capitals-numpy"),
        pytest.param("\u1e3d\u1ecd\u1e0d\u1ea1\u1e63\u1e96", "lodash", id="marks-composed"),
        pytest.param("n\u0303u\u20ddm\u0301p\u0327y", "numpy", id="marks-apart"),
        pytest.param("\u0142\xf8\u0111\u2c65s\u0127", "lodash", id="strokes"),
        pytest.param("l\u200bo\u00add\u2060a\ufe0fs\U000e0061h", "lodash", id="not-drawn"),
        pytest.param("\u13de\u13a2", "lt", id="cherokee"),
        pytest.param("l\u2170b", "lib", id="roman-numeral"),
        pytest.param("\u0406ndex", "index", id="capital-i-not-l"),
        pytest.param("a\u2010b\u2011c\u2212d", "a-b-c-d", id="hyphens"),
        pytest.param("\ufb03x", "ffix", id="ligature"),
    ],
)
def test_foreign_letters_are_read_as_ascii_ones(written: str, read: str) -> None:
    """Each stands in a name for the letter that a reader sees."""
    assert not written.isascii()
    assert fold(written) == read


@pytest.mark.parametrize("text", ["", "lodash", "Lodash", "rn-1|l0O", "a\x00\x7f~", "@scope/name"])
def test_ascii_comes_back_unchanged(text: str) -> None:
    """Also capitals and control characters."""
    assert fold(text) == text


@pytest.mark.parametrize(
    "text", ["\u0436\u0444", "\u65e5\u672c", "\u2603", "\ud800", "\udfffx", "\U0010ffff", "\ufdfa"]
)
def test_what_looks_like_nothing_stays(text: str) -> None:
    """Letters without a look-alike, lone surrogates, unassigned characters, a phrase in one character."""
    assert fold(text) == text
    assert fold(f"x{text}") == f"x{text}"


@pytest.mark.parametrize("plane", range(sys.maxunicode // PLANE + 1))
def test_every_code_point_folds_once_and_within_bounds(plane: int) -> None:
    """Never an error, at most four characters for one, and nothing left to fold."""
    folded = [fold(chr(n)) for n in range(max(plane * PLANE, 0x80), (plane + 1) * PLANE)]
    assert max(map(len, folded)) <= MAX_EXPANSION
    once = "".join(folded)
    assert fold(once) == once
    assert len(skeleton(once)) <= len(once)


def test_each_character_is_replaced_wherever_it_stands() -> None:
    """Neighbours and length change nothing: a capital sigma and a phrase among them."""
    written = "A\u0430\u0301\ufdfa\ud800\u3384\u03a3\u03c3\u03c2"
    assert fold(written) == "".join(fold(f"{c}\u0301") for c in written)
    assert fold(written * 1000) == fold(written) * 1000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1odash", "lodash"),
        ("requests", "reque5ts"),
        ("r3qu3sts", "requests"),
        ("rnatplotlib", "matplotlib"),
        ("vvheel", "wheel"),
        ("djang0", "django"),
        ("pi||ow", "pillow"),
        ("\u0457ibrary", "library"),
        ("\u057e\u057emodern", "\u057e\u057emodem"),
    ],
)
def test_a_hasty_reader_takes_one_for_the_other(one: str, other: str) -> None:
    """Digits for letters, letters that run together, letters of other scripts."""
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("cliff", "diff"), ("libz", "lib2"), ("pq", "pg"), ("lodash", "lodahs")])
def test_names_that_are_told_apart_stay_apart(one: str, other: str) -> None:
    """Pairs that were weighed and left out."""
    assert skeleton(one) != skeleton(other)


def test_a_character_is_named_so_that_it_can_be_looked_up() -> None:
    """Also one that has no name."""
    assert describe("\u0430") == "U+0430 (cyrillic small letter a)"
    assert describe("\ud800") == "U+D800 (a character without a name)"
