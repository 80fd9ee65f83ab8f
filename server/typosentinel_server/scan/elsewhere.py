"""Popular names of other registries, so that a name borrowed from one of them is seen for what it is.

One table for all lists, filed by letters and digits. It holds the top of each list without what belongs to an owner,
without short names and without English words: those are too many things' names. For each name it holds the registries
in which it says nothing: its own, those that list it too, and those where it is a usual word.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from typosentinel_server.scan import flatfile, forms, multimap
from typosentinel_server.scan.index import Index, Target
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.multimap import Multimap

SHORTEST = 5
# A word that stands in so many listed names of a registry is a usual one there.
USUAL = 3
PLACES = {ecosystem: place for place, ecosystem in enumerate(Ecosystem)}
MEMBERS = tuple(Ecosystem)
VERSION_DIGITS = 12
UNRANKED = 2**32 - 1


class Elsewhere:
    """Popular names of all registries that there are lists for.

    Args:
        content: a compiled table, in memory or mapped from a file; None for no names at all.
        where: what to call it in messages.

    Raises:
        CorpusUnreadable: the content is damaged.
    """

    def __init__(self, content: memoryview | None = None, where: str = "the compiled table") -> None:
        self.version = ""
        self._table: Multimap | None = None
        if content is None:
            return
        facts, arrays = flatfile.unpack(content, where)
        try:
            self._read(facts, arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise flatfile.damaged(where) from error

    def _read(self, facts: Mapping[str, Any], arrays: Mapping[str, memoryview]) -> None:
        self.version = str(facts["version"])
        self._names, self._name_ends = arrays["names"], arrays["name_ends"]
        self._flats, self._flat_ends = arrays["flats"], arrays["flat_ends"]
        self._places, self._ranks, self._silent = arrays["places"], arrays["ranks"], arrays["silent"]
        counts = (self._name_ends, self._flat_ends, self._places, self._ranks, self._silent)
        if len({len(held) for held in counts}) > 1:
            raise ValueError("the arrays are of different lengths")
        self._table = Multimap(*(arrays[f"flat.{part}"] for part in ("starts", "hashes", "values")))

    @property
    def content(self) -> object | None:
        """The bytes, in memory or mapped, that the table is a view of; None where it holds no names."""
        return None if self._table is None else self._names.obj

    def namesake(self, flat: str, ecosystem: Ecosystem) -> Target | None:
        """The best ranked popular name of these letters and digits in another registry, where it says anything.

        Bound: one probe, at most one comparison for each registry. Its number is below 0, so that it is none of an
        index's.

        Args:
            flat: the letters and digits of a name.
            ecosystem: whose name that is.
        """
        if self._table is None or len(flat) < SHORTEST:
            return None
        asking = 1 << PLACES[ecosystem]
        for n in self._table.get(flat):
            if not self._silent[n] & asking and _line(self._flats, self._flat_ends, n) == flat:
                rank = self._ranks[n]
                return Target(
                    number=-n - 1,
                    name=_line(self._names, self._name_ends, n),
                    text=flat,
                    flat=flat,
                    rank=rank if rank != UNRANKED else None,
                    protected=True,
                    ecosystem=MEMBERS[self._places[n]],
                )
        return None


def compile_elsewhere(indexes: Mapping[Ecosystem, Index], words: Iterable[str]) -> bytes:
    """The flat file of the table. Takes 0.15 s for 40,000 names.

    Args:
        indexes: all lists.
        words: what is too common a name, English words.
    """
    listed: dict[str, int] = Counter()
    usual: dict[str, int] = Counter()
    found: list[tuple[int, int, Target]] = []
    common = frozenset(words)
    for ecosystem, index in indexes.items():
        place = PLACES[ecosystem]
        targets = [index.target(n) for n in range(len(index.names))]
        for flat in {target.flat for target in targets}:
            listed[flat] |= 1 << place
        counts = Counter(token for target in targets for token in set(forms.tokens(target.text)))
        for token in (token for token, count in counts.items() if count >= USUAL):
            usual[token] |= 1 << place
        found += [(target.rank or UNRANKED, place, target) for target in targets if _told(ecosystem, target, common)]
    # The best ranked come first, of equal ranks those of the longer list's registry last.
    found.sort(key=lambda entry: entry[:2])
    flats = [target.flat for _, _, target in found]
    names = [target.name for _, _, target in found]
    starts, hashes, values = multimap.build([flat.encode() for flat in flats], range(len(flats)))
    arrays: dict[str, npt.NDArray[Any]] = {
        **_lines("name", names),
        **_lines("flat", flats),
        "places": np.array([place for _, place, _ in found], np.uint8),
        "ranks": np.array([rank for rank, _, _ in found], np.uint32),
        "silent": np.array([listed[flat] | usual[flat] for flat in flats], np.uint32),
        "flat.starts": starts,
        "flat.hashes": hashes,
        "flat.values": values,
    }
    version = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()[:VERSION_DIGITS]
    return flatfile.pack({"version": version}, arrays)


def _told(ecosystem: Ecosystem, target: Target, common: frozenset[str]) -> bool:
    return (
        target.protected
        and len(target.flat) >= SHORTEST
        and target.flat not in common
        and not forms.owner(ecosystem, target.text)
    )


def _lines(kind: str, texts: list[str]) -> dict[str, npt.NDArray[Any]]:
    encoded = [text.encode() for text in texts]
    return {
        f"{kind}s": np.frombuffer(b"".join(encoded), np.uint8),
        f"{kind}_ends": np.cumsum([len(text) for text in encoded], dtype=np.uint32),
    }


def _line(text: memoryview, ends: memoryview, number: int) -> str:
    return bytes(text[ends[number - 1] if number else 0 : ends[number]]).decode()
