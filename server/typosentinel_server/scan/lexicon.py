"""What the words of package names look like: token frequencies, a letter model, and segmentation.

A slip turns a likely text into an unlikely one; an honest name is likely by itself. The lexicon measures that
in nats (negative natural logarithms of probabilities: 0 is certain, greater is rarer). It learns from the lists
at hand, all ecosystems together, on top of a list of English words.

Sources: the noisy-channel view of spelling (Kernighan, Church and Gale, 1990); interpolated n-gram smoothing
(Jelinek and Mercer, 1980); SCOWL for the English words.
"""

import hashlib
import lzma
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from math import exp, log
from typing import Any

import numpy as np
import numpy.typing as npt

from typosentinel_server.scan import flatfile, forms, polynomial
from typosentinel_server.scan.inner import INNER

LETTERS = 38
ORDER = 4
SMOOTHING = 6.0
# The letter model keeps sixteenths of a nat in a byte.
STEPS = 16
UNKNOWN_START = 8.0
UNKNOWN_LETTER = 4.5
LONGEST_TOKEN = 16
# In how many names an English word counts as standing that stands in none.
UNSEEN = 0.5
UNREACHED = 1e9
MILLION = 1e6
VERSION_DIGITS = 12
# More than any other way to cut a text costs, and still a number of the table.
NEVER = 2**32 - 1
_PIECES = re.compile(r"[a-z]+|[0-9]+")
# 0 is the edge of a name, 1 to 26 are letters, 27 to 36 digits, 37 is all punctuation.
_CODES = bytes(
    c - 96 if 97 <= c <= 122 else c - 48 + 27 if 48 <= c <= 57 else 37  # noqa: PLR2004 - ASCII
    for c in range(256)
)
_EDGES = b"\x00" * (ORDER - 1)
_CONTEXTS = LETTERS ** (ORDER - 1)

Model = npt.NDArray[np.uint8]


class Lexicon:
    """The words and letters of package names.

    Args:
        costs: of each token, in nats.
        unknown: the cost of what is no token.
        model: the letter model, 38^4 costs in sixteenths of a nat.
        slots: hashes of the tokens in an open table, a power of two long; 0 is empty.
        slot_costs: their costs, in millionths of a nat.
        version: tells lexicons of other lists apart.
    """

    def __init__(
        self,
        costs: dict[str, float],
        unknown: float,
        model: memoryview,
        slots: memoryview,
        slot_costs: memoryview,
        version: str = "",
    ) -> None:
        self.version = version
        self.costs = costs
        self.unknown = unknown
        self._model = model
        self._slots = slots
        self._slot_costs = slot_costs

    @property
    def content(self) -> object:
        """The bytes, in memory or mapped, that the tables are views of."""
        return self._model.obj

    def without(self, name: str) -> "Lexicon":
        """This lexicon had it not learned the tokens of one of its names, given without owner; a copy, in 1 ms.

        The letter model is shared: a single name is a small part of it.
        """
        costs = self.costs.copy()
        slot_costs = memoryview(bytearray(self._slot_costs)).cast("I")
        total = exp(self.unknown - UNKNOWN_START)
        for token in count_tokens([name]):
            left = round(total * exp(-self.token(token))) - 1
            if left > 0 or token in _english():
                costs[token] = -log((left if left > 0 else UNSEEN) / total)
            else:
                costs.pop(token, None)
            at = self._slot(token)
            if at is not None:
                slot_costs[at] = round(costs[token] * MILLION) if token in costs else NEVER
        return Lexicon(costs, self.unknown, self._model, self._slots, slot_costs)

    def _slot(self, token: str) -> int | None:
        """Where a token is in the table; None where it is not."""
        # 0 is an empty slot.
        hashed = polynomial.whole(token.encode("ascii", "replace")) or 1
        slots = self._slots
        at = hashed >> (64 - (len(slots) - 1).bit_length())
        while slots[at] != hashed:
            if not slots[at]:
                return None
            at = (at + 1) % len(slots)
        return at

    def letters(self, text: str) -> int:
        """What the letters of a text and its end cost, each after the three before it, in sixteenths of a nat."""
        if INNER is not None:
            return INNER.letters(text, _CODES, self._model, LETTERS)
        model = self._model
        context = total = 0
        for code in text.encode("ascii", "replace").translate(_CODES) + b"\x00":
            context = context % _CONTEXTS * LETTERS + code
            total += model[context]
        return total

    def token(self, token: str) -> float:
        """The cost of a token, in nats; `unknown` where it is none."""
        return self.costs.get(token, self.unknown)

    def segments(self, flat: str) -> float:
        """The cost of the cheapest way to cut a flat text into tokens, in nats.

        Bound: 16 look-ups a letter, for the first 64 letters.
        """
        text = flat[:64]
        if INNER is not None:
            strays = (UNKNOWN_START, UNKNOWN_LETTER, LONGEST_TOKEN)
            return INNER.segments(text.encode("ascii", "replace"), self._slots, self._slot_costs, *strays)
        get = self.costs.get
        best = [0.0]
        stray = UNREACHED
        for end in range(1, len(text) + 1):
            # Letters that are in no token cost by the letter, and once for each run of them.
            stray = min(stray, best[-1] + UNKNOWN_START) + UNKNOWN_LETTER
            least = stray
            for start in range(max(0, end - LONGEST_TOKEN), end - 1):
                piece = get(text[start:end])
                if piece is not None and best[start] + piece < least:
                    least = best[start] + piece
            best.append(least)
        return best[-1]


def compile_lexicon(names: list[str], words: Iterable[str]) -> bytes:
    """The flat file of a lexicon of names, without their owners, on top of some words."""
    counts, model = learn(names, words)
    total = sum(counts.values()) + len(counts) / 2
    costs = [round(-log((count or UNSEEN) / total) * MILLION) for count in counts.values()]
    slots, slot_costs = _table(list(counts), costs)
    arrays: dict[str, npt.NDArray[Any]] = {
        "tokens": np.frombuffer("\n".join(counts).encode(), np.uint8),
        "costs": np.array(costs, np.uint32),
        "model": model,
        "slots": slots,
        "slot_costs": slot_costs,
    }
    version = hashlib.sha256(arrays["tokens"].tobytes() + arrays["costs"].tobytes()).hexdigest()[:VERSION_DIGITS]
    return flatfile.pack({"unknown": log(total) + UNKNOWN_START, "version": version}, arrays)


def open_lexicon(content: memoryview, where: str = "the compiled lexicon") -> Lexicon:
    """The lexicon of a flat file. Raises CorpusUnreadable where it is damaged."""
    facts, arrays = flatfile.unpack(content, where)
    try:
        tokens = bytes(arrays["tokens"]).decode().split("\n")
        costs = [cost / MILLION for cost in arrays["costs"].tolist()]
        known = dict(zip(tokens, costs, strict=True))
        tables = (arrays["model"], arrays["slots"], arrays["slot_costs"])
        return Lexicon(known, facts["unknown"], *tables, version=facts["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise flatfile.damaged(where) from error


def _table(tokens: list[str], costs: list[int]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    """An open table of the tokens' hashes, at most half full, with linear probing."""
    bits = max(4, (2 * len(tokens)).bit_length())
    slots, slot_costs = [0] * 2**bits, [0] * 2**bits
    hashes = polynomial.each([token.encode("ascii", "replace") for token in tokens])
    for found, cost in zip(hashes, costs, strict=True):
        # 0 is an empty slot.
        hashed = found or 1
        at = hashed >> (64 - bits)
        while slots[at]:
            at = (at + 1) % 2**bits
        slots[at], slot_costs[at] = hashed, cost
    return np.array(slots, np.uint64), np.array(slot_costs, np.uint32)


def english() -> list[str]:
    """The English words that the package carries."""
    packed = resources.files("typosentinel_server").joinpath("corpora", "english.txt.xz").read_bytes()
    return lzma.decompress(packed).decode("ascii").split("\n")


@cache
def _english() -> frozenset[str]:
    return frozenset(english())


def count_tokens(names: Iterable[str]) -> Counter[str]:
    """In how many of the names, without their owners, each token stands."""
    found: Counter[str] = Counter()
    for name in names:
        # Each once, and in their order: sets have another in every process.
        found.update(dict.fromkeys((*forms.tokens(name), *_PIECES.findall(name)), 1))
    return found


def learn(names: list[str], words: Iterable[str]) -> tuple[dict[str, int], Model]:
    """Token counts and the letter model of names without their owners, on top of some words.

    Takes 0.4 s for 70,000 names.
    """
    counts: dict[str, int] = dict.fromkeys(words, 0)
    counts.update(count_tokens(names))
    return counts, _letter_model(names)


def _letter_model(names: list[str]) -> Model:
    text = b"".join(_encoded(names))
    codes = np.frombuffer(text, np.uint8).astype(np.int64)
    # The three edges in front of each name are context only.
    ends = np.ones(len(codes), bool)
    starts = np.fromiter((len(name) + ORDER for name in names), np.int64, len(names)).cumsum()
    for n in range(ORDER - 1):
        ends[np.concatenate([[0], starts[:-1]]) + n] = False
    wanted = np.flatnonzero(ends)
    window = np.zeros(len(wanted), np.int64)
    for back in range(ORDER - 1, -1, -1):
        window = window * LETTERS + codes[wanted - back]
    counts = np.bincount(window, minlength=LETTERS**ORDER).reshape((LETTERS,) * ORDER).astype(np.float32)
    likely = np.full(LETTERS, 1 / LETTERS, np.float32)
    for order in range(1, ORDER + 1):
        seen = counts.sum(axis=tuple(range(ORDER - order)))
        likely = (seen + SMOOTHING * likely) / (seen.sum(axis=-1, keepdims=True) + SMOOTHING)
    costs: Model = np.minimum(np.rint(-np.log(likely) * STEPS), 255).astype(np.uint8).ravel()
    return costs


def _encoded(names: Iterable[str]) -> Iterator[bytes]:
    for name in names:
        yield _EDGES + name.encode("ascii", "replace").translate(_CODES) + b"\x00"
