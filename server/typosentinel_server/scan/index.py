"""Finding the popular names near a name, by hash probes only.

Nothing here walks the list: the work for one name depends on its length, not on how many are popular.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from typosentinel_server.scan.confusables import fold, skeleton
from typosentinel_server.scan.corpus import MAX_NAMES, Corpus, Entry
from typosentinel_server.scan.naming import Name

PUNCTUATION = re.compile(r"[-_.~]+")
ID_BITS = (MAX_NAMES - 1).bit_length()
HASH_MASK = (1 << (64 - ID_BITS)) - 1
MAX_CANDIDATES = 64


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A popular name and the stretch in which it differs from the name asked about.

    Attributes:
        entry: the popular name.
        at: where the difference starts, in characters from the front.
        mine: what the name asked about has there; may be empty.
        theirs: what the popular name has there; may be empty.
    """

    entry: Entry
    at: int
    mine: str
    theirs: str


class Postings:
    """A multimap from text to small numbers, eight bytes an entry.

    44 bits of the key's hash share a word with 20 bits of number, sorted; a look-up is one bisection.
    Rare false matches are possible, so whoever asks compares the texts.
    """

    def __init__(self, pairs: Iterable[tuple[str, int]]) -> None:
        self._words = array("Q", sorted({((hash(key) & HASH_MASK) << ID_BITS) | n for key, n in pairs}))

    def get(self, key: str) -> list[int]:
        """The numbers filed under a key, ascending, at most 64 of them."""
        low = (hash(key) & HASH_MASK) << ID_BITS
        start = bisect_left(self._words, low)
        found = []
        for word in self._words[start : start + MAX_CANDIDATES]:
            if word >> ID_BITS != low >> ID_BITS:
                break
            found.append(word & ((1 << ID_BITS) - 1))
        return found


class Index:
    """The popular names of one ecosystem, ready to be asked.

    Args:
        corpus: the list.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self._entries = corpus.entries
        texts = [(entry.name.text, n) for n, entry in enumerate(self._entries)]
        self._identities = {entry.name.identity: n for n, entry in enumerate(self._entries)}
        self._texts = Postings(texts)
        self._forms = Postings((bare(text), n) for text, n in texts)
        self._skeletons = Postings((skeleton(text), n) for text, n in texts)
        self._deletes = Postings((shorter, n) for text, n in texts for shorter in deletions(text))

    def known(self, name: Name) -> Entry | None:
        """The entry that the registry holds to be this very package."""
        found = self._identities.get(name.identity)
        return None if found is None else self._entries[found]

    def same_text(self, text: str) -> list[Entry]:
        """Entries equal but for letter case."""
        return [e for e in self._at(self._texts.get(text)) if e.name.text == text]

    def same_letters(self, text: str) -> list[Entry]:
        """Entries equal but for punctuation."""
        form = bare(text)
        return [e for e in self._at(self._forms.get(form)) if bare(e.name.text) == form]

    def same_look(self, text: str) -> list[Entry]:
        """Entries that a hasty reader takes for the text."""
        form = skeleton(text)
        return [e for e in self._at(self._skeletons.get(form)) if skeleton(e.name.text) == form]

    def near(self, text: str) -> list[Neighbour]:
        """Entries that one edit leads to: a letter more, less or other, or two neighbours swapped.

        Bound: as many probes as the text has characters, and one; at most 64 neighbours, best ranks first.
        """
        found = set(self._deletes.get(text)) | set(self._texts.get(text))
        for shorter in deletions(text):
            found.update(self._texts.get(shorter))
            found.update(self._deletes.get(shorter))
        neighbours = (difference(text, entry) for entry in self._at(sorted(found)[:MAX_CANDIDATES]))
        return [n for n in neighbours if _one_edit(n)]

    def _at(self, numbers: Iterable[int]) -> list[Entry]:
        return [self._entries[n] for n in numbers]


def bare(text: str) -> str:
    """The text without the punctuation that registries' users mix up; scope and path marks stay."""
    return PUNCTUATION.sub("", fold(text))


def deletions(text: str) -> set[str]:
    """Every text that is one character shorter."""
    return {text[:i] + text[i + 1 :] for i in range(len(text))}


def difference(text: str, entry: Entry) -> Neighbour:
    """Where a text and an entry differ, common front and back cut off. Linear in the length."""
    other = entry.name.text
    shortest = min(len(text), len(other))
    front = 0
    while front < shortest and text[front] == other[front]:
        front += 1
    back = 0
    while back < shortest - front and text[-1 - back] == other[-1 - back]:
        back += 1
    return Neighbour(entry, front, text[front : len(text) - back], other[front : len(other) - back])


def _one_edit(neighbour: Neighbour) -> bool:
    mine, theirs = neighbour.mine, neighbour.theirs
    if max(len(mine), len(theirs)) == 1:
        return True
    return len(mine) == 2 and mine == theirs[::-1]  # noqa: PLR2004 - a swap is of two
