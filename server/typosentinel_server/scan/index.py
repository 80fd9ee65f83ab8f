"""The popular names of one ecosystem, ready to be asked by hash probes only.

Nothing here walks the list: the work for one name depends on its length, not on how many are popular.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from typosentinel_server.scan import flatfile, forms, kin
from typosentinel_server.scan.compiling import compile_corpus
from typosentinel_server.scan.confusables import skeleton
from typosentinel_server.scan.corpus import Corpus, CorpusFacts
from typosentinel_server.scan.deletions import LONGEST, Deletions
from typosentinel_server.scan.inner import INNER
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.multimap import Multimap
from typosentinel_server.scan.naming import Name, identity_of
from typosentinel_server.scan.spelling import Edit, edits

MAX_NEAR = 512


class Target(NamedTuple):
    """A popular name that another may be confused with.

    Attributes:
        number: its place in the index.
        name: in its registry's spelling.
        text: the lower-case identity.
        flat: the letters and digits of that.
        rank: 1 is the most popular; None where the list has no order.
        protected: whether it is in the top of the list.
        ecosystem: its registry, where that is another than the one asked about.
    """

    number: int
    name: str
    text: str
    flat: str
    rank: int | None
    protected: bool
    ecosystem: Ecosystem | None = None


class Index:
    """The popular names of one ecosystem.

    Args:
        content: a compiled list, in memory or mapped from a file.
        created: when the list was drawn up.
        partial: whether the list is known to hold a part of the popular names only.
        where: what to call it in messages.

    Attributes:
        lettered: the number of the most popular of the names that have some letters and digits; None without one.

    Raises:
        CorpusUnreadable: the content is damaged.
    """

    def __init__(
        self, content: memoryview, created: datetime, *, partial: bool = False, where: str = "the compiled list"
    ) -> None:
        facts, arrays = flatfile.unpack(content, where)
        try:
            self._read(facts, arrays, created, partial=partial)
        except (KeyError, TypeError, ValueError) as error:
            raise flatfile.damaged(where) from error

    def _read(
        self, facts: Mapping[str, Any], arrays: Mapping[str, memoryview], created: datetime, *, partial: bool
    ) -> None:
        self._arrays = arrays
        self.names: list[str] = bytes(arrays["names"]).decode().split("\n")
        self._texts: list[str] = bytes(arrays["texts"]).decode().split("\n")
        self.flats: list[str] = bytes(arrays["flats"]).decode().split("\n")
        # The most popular of the names that share their letters; a dictionary answers in a tenth of a multimap's time.
        most_popular = dict(zip(reversed(self.flats), range(len(self.flats) - 1, -1, -1), strict=True))
        self.lettered: Callable[[str], int | None] = most_popular.get
        self._ranks = arrays["ranks"]
        self._protected = arrays["protected"]
        self._trusted = arrays["trusted"]
        self.corpus = CorpusFacts(
            ecosystem=Ecosystem(facts["ecosystem"]),
            version=facts["version"],
            created=created,
            size=len(self.names),
            protected=int(np.count_nonzero(np.frombuffer(self._protected, np.uint8))),
            ranked=int(np.count_nonzero(np.frombuffer(self._ranks, np.uint32))),
            skipped=facts["skipped"],
            partial=partial,
        )
        self._identities = self._multimap("identity")
        self._skeletons = self._multimap("skeleton")
        self._orders = self._multimap("order")
        self._meanings = self._multimap("meaning")
        self._bases = self._multimap("base")
        self._cores = self._multimap("core")
        self._words, self._present = arrays["deletions.words"], arrays["deletions.present"]
        self._flat_text, self._flat_ends = arrays["flats"], arrays["flat_ends"]
        self._deletions = Deletions(np.frombuffer(self._words, np.uint64), np.frombuffer(self._present, np.uint8))
        self.front_family = arrays["front_family"]
        self.back_family = arrays["back_family"]
        self.owned = arrays["owned"]
        self.owned_doubled = arrays["owned_doubled"]
        counts = (
            self._texts,
            self.flats,
            self._flat_ends,
            self._ranks,
            self._protected,
            self._trusted,
            self.front_family,
        )
        if any(len(held) != len(self.names) for held in (*counts, self.back_family, self.owned, self.owned_doubled)):
            raise ValueError("the arrays are of different lengths")

    @property
    def content(self) -> object:
        """The bytes, in memory or mapped, that the arrays are views of."""
        return self._arrays["names"].obj

    @classmethod
    def of(cls, corpus: Corpus) -> "Index":
        """An index over a list, compiled in memory."""
        return cls(memoryview(compile_corpus(corpus)), corpus.created, partial=corpus.partial)

    def known(self, name: Name) -> Target | None:
        """The name that the registry holds to be this very package."""
        for n in self._identities.get(name.identity):
            target = self.target(n)
            if identity_of(self.corpus.ecosystem, target.name) == name.identity:
                return target
        return None

    def trusts(self, listed: Target) -> bool:
        """Whether the list vouches for one of its names."""
        return bool(self._trusted[listed.number])

    def target(self, number: int) -> Target:
        """The name of a number."""
        rank, protected = self._ranks[number] or None, bool(self._protected[number])
        return Target(number, self.names[number], self._texts[number], self.flats[number], rank, protected)

    def near(self, flat: str) -> list[tuple[int, tuple[Edit, ...]]]:
        """Numbers of names that at most two slips lead from, and the slips; most popular first.

        Only names of 64 letters and digits at most have such. Bound: see `Deletions.candidates`; at most 512 names.
        """
        text = flat.encode("ascii", "ignore")
        if not 1 <= len(text) <= LONGEST:
            return []
        if INNER is not None:
            return INNER.near(text, self._words, self._present, self._flat_text, self._flat_ends, Edit)
        flats = self.flats
        explained = ((n, edits(flat, flats[n])) for n in self._deletions.candidates(text))
        return [(n, how) for n, how in explained if how is not None][:MAX_NEAR]

    def same_look(self, look: str) -> list[Target]:
        """Names that a hasty reader takes for one another."""
        found = self._skeletons.get(look)
        return [t for t in self._at(found) if skeleton(t.flat) == look] if found else []

    def same_words(self, parts: list[str]) -> list[Target]:
        """Names of the same tokens in any order."""
        key = forms.word_order(parts)
        found = self._orders.get(key)
        return [t for t in self._at(found) if forms.word_order(forms.tokens(t.text)) == key] if found else []

    def same_meaning(self, parts: list[str]) -> list[Target]:
        """Names of as many words, each of the same family as ours; whoever asks compares word by word."""
        key = kin.meaning(parts)
        return self._at(self._meanings.get(key)) if key else []

    def same_base(self, base: str) -> list[Target]:
        """Owned names that are called so within their scope, group or account."""
        found = self._bases.get(base)
        ecosystem = self.corpus.ecosystem
        return [t for t in self._at(found) if forms.base(ecosystem, t.text) == base] if found else []

    def same_core(self, core: str) -> list[Target]:
        """Names of which a mark of a language or a lure can be taken away to leave this."""
        found = self._cores.get(core)
        return (
            [t for t in self._at(found) if any(c == core for c, _, _ in forms.cores(forms.tokens(t.text)))]
            if found
            else []
        )

    def _at(self, numbers: Iterable[int]) -> list[Target]:
        return [self.target(n) for n in numbers]

    def _multimap(self, name: str) -> Multimap:
        return Multimap(*(self._arrays[f"{name}.{part}"] for part in ("starts", "hashes", "values")))
