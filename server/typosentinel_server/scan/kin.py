"""Words of package names that stand for one another: forms of one word, words of kin meaning, words that sound alike.

kin.txt holds them, written by hand. Source of the idea: S. Neupane et al., "Beyond Typosquatting: An In-depth Look at
Package Confusion", USENIX Security 2023.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources


def parse(lines: Iterable[str]) -> dict[str, dict[str, bool]]:
    """Of each word those that stand for it, and whether they are other forms of the same word.

    Args:
        lines: groups of words; a bar stands between the forms of one word and those of another.
    """
    found: dict[str, dict[str, bool]] = {}
    for words in map(_words, lines):
        for word, at in words:
            others = found.setdefault(word, {})
            for other, place in words:
                if other != word:
                    others[other] = others.get(other, False) or place == at
    return found


def _words(line: str) -> list[tuple[str, int]]:
    """The words of a group, each with the number of the word that it is a form of; none of a comment."""
    text = line.partition("#")[0]
    return [(form, place) for place, forms in enumerate(text.split("|")) for form in forms.split()]


def _lines() -> Iterator[str]:
    yield from resources.files("typosentinel_server").joinpath("scan", "kin.txt").read_text("ascii").splitlines()


def families(kin: Mapping[str, Mapping[str, bool]]) -> dict[str, str]:
    """Of each word the first of all those that it leads to, over as many groups as it takes."""
    found: dict[str, str] = {}
    for word in kin:
        waiting = [] if word in found else [word]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found[one] = word
                waiting += kin[one]
    return found


def meaning(parts: Sequence[str]) -> str:
    """A form that names share whose words are of the same families, one by one; empty where no word has any."""
    if FAMILIES.keys().isdisjoint(parts):
        return ""
    return " ".join([FAMILIES.get(part, part) for part in parts])


KIN: Mapping[str, Mapping[str, bool]] = parse(_lines())
FAMILIES = families(KIN)
