"""Letters that are taken for one another by eye."""

import unicodedata

# Lower-case letters of other scripts that look like an ASCII one. Facts from the Unicode
# Consortium's confusables data, cut down to letters that fonts for code draw alike.
LOOK_ALIKES = str.maketrans(
    {
        "\u0430": "a", "\u0251": "a", "\u03b1": "a",
        "\u044c": "b", "\u0184": "b", "\u0185": "b",
        "\u0441": "c", "\u03f2": "c", "\u1d04": "c",
        "\u0501": "d", "\u217e": "d",
        "\u0435": "e", "\u212e": "e", "\u04bd": "e",
        "\u0192": "f", "\u0584": "f",
        "\u0261": "g", "\u0581": "g",
        "\u04bb": "h", "\u0570": "h",
        "\u0456": "i", "\u0131": "i", "\u0269": "i", "\u03b9": "i",
        "\u0458": "j", "\u03f3": "j",
        "\u043a": "k", "\u03ba": "k",
        "\u04cf": "l", "\u05d5": "l", "\u01c0": "l", "\u217c": "l",
        "\u043c": "m", "\u217f": "m",
        "\u0578": "n", "\u057c": "n",
        "\u043e": "o", "\u03bf": "o", "\u0585": "o", "\u03c3": "o", "\u0966": "o",
        "\u0440": "p", "\u03c1": "p",
        "\u051b": "q", "\u0566": "q",
        "\u0433": "r", "\u1d26": "r",
        "\u0455": "s", "\ua731": "s",
        "\u0442": "t", "\u03c4": "t",
        "\u057d": "u", "\u03c5": "u", "\u028b": "u",
        "\u0475": "v", "\u03bd": "v", "\u2174": "v",
        "\u051d": "w", "\u0461": "w", "\u0448": "w",
        "\u0445": "x", "\u03c7": "x", "\u2179": "x",
        "\u0443": "y", "\u04af": "y", "\u03b3": "y",
        "\u1d22": "z",
        "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u0127": "h", "\u2010": "-", "\u2011": "-", "\u2212": "-",
    }
)  # fmt: skip

ASCII_PAIRS = (("rn", "m"), ("vv", "w"))
ASCII_LETTERS = str.maketrans({"1": "l", "i": "l", "|": "l", "0": "o"})


def fold(text: str) -> str:
    """Lower-case text with the letters of other scripts and accents replaced by what they look like.

    ASCII comes back unchanged; letters that look like nothing stay as they are. Linear in the length.
    """
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text).lower().translate(LOOK_ALIKES)
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def skeleton(text: str) -> str:
    """A form that two names share when a hasty reader takes one for the other.

    `l`, `1` and `I` (here lower case) are one letter, so are `o` and `0`; `rn` is `m` and `vv` is `w`.
    """
    plain = fold(text)
    for pair, letter in ASCII_PAIRS:
        plain = plain.replace(pair, letter)
    return plain.translate(ASCII_LETTERS)


def describe(character: str) -> str:
    """A character beyond ASCII, named so that a person can look it up."""
    name = unicodedata.name(character, "a character without a name").lower()
    return f"U+{ord(character):04X} ({name})"
