"""Letters that are taken for one another by eye, after Unicode's skeletons (UTS #39).

Letters of other scripts come from Unicode's confusables data; confusables.txt holds what of it looks like a letter, a
digit or `-_.` of ASCII. Nothing else of the standard's skeleton is needed: names are ASCII, so a foreign letter that
looks like none cannot imitate one. For the same reason results are lower-case ASCII where the standard's are not.

Within ASCII the standard merges only l, I, 1 and |, O and 0, m and rn. ASCII_PAIRS and ASCII_LETTERS say what is merged
here; docs/adr/0010-skeletons.md gives the figures, from hack/detection/pairs.py.
"""

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources

# What Unicode calls default-ignorable: nothing is drawn for it, so a reader cannot see it.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A character that stands for more letters than this is a word of its own script and imitates nothing.
MAX_EXPANSION = 4
CACHED = 4096

ASCII_PAIRS = (("rn", "m"), ("vv", "w"))
ASCII_LETTERS = str.maketrans({"1": "l", "i": "l", "|": "l", "0": "o", "5": "s", "3": "e"})


def fold(text: str) -> str:
    """Lower-case text with the letters of other scripts and accents replaced by what they look like.

    ASCII comes back unchanged; letters that look like nothing stay; marks and what is not drawn are dropped. Each
    character is replaced by itself, so the work is linear and the result at most MAX_EXPANSION times as long.
    Folding twice changes nothing more. Give it a name as it was written: capitals may look like other letters than
    their lower-case forms do.
    """
    if text.isascii():
        return text
    return "".join(map(_look, text))


def skeleton(text: str) -> str:
    """A form that two names share when a hasty reader takes one for the other.

    `l`, `1`, `|` and `I` (here lower case) are one letter, so are `o` and `0`, `s` and `5`, `e` and `3`; `rn` is `m`
    and `vv` is `w`.
    """
    plain = text if text.isascii() else fold(text)
    for pair, letter in ASCII_PAIRS:
        plain = plain.replace(pair, letter)
    return plain.translate(ASCII_LETTERS)


def describe(character: str) -> str:
    """A character beyond ASCII, named so that a person can look it up."""
    name = unicodedata.name(character, "a character without a name").lower()
    return f"U+{ord(character):04X} ({name})"


@lru_cache(CACHED)
def _look(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character).lower()
    drawn = "".join(c for c in parts if unicodedata.category(c) not in {"Mn", "Me"} and not IGNORABLE.match(c))
    if len(drawn) > MAX_EXPANSION:
        return character
    if drawn.isascii():
        return drawn
    look_alikes = _look_alikes()
    # Unicode may know a ligature or a capital as a whole, where its parts look different.
    look = look_alikes.get(character) or "".join(look_alikes.get(c, c) for c in drawn)
    return look if len(look) <= MAX_EXPANSION else character


@cache
def _look_alikes() -> dict[str, str]:
    # Most names are ASCII: a process that never sees another does not pay for the table.
    table = resources.files(__package__).joinpath("confusables.txt").read_text(encoding="ascii")
    lines = (line.split() for line in table.splitlines() if not line.startswith("#"))
    return {chr(int(code, 16)): look for look, *codes in lines for code in codes}
