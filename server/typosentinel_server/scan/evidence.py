"""The signs for and against a confusion, in numbers that the score card weighs.

There are three groups of techniques, each with signs and weights of its own: slips of the hand and of the eye,
words put beside or exchanged, and owners. What the techniques of one group see in a pair of names adds up.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from math import log10

from typosentinel_server.scan import forms
from typosentinel_server.scan.index import Target
from typosentinel_server.scan.lexicon import STEPS, Lexicon
from typosentinel_server.scan.model import Ecosystem, Technique
from typosentinel_server.scan.query import Match, Near, Query

Signs = dict[str, float]
UNRANKED = 4.5
PLACES = {ecosystem: float(n) for n, ecosystem in enumerate(Ecosystem)}
MARKS = re.compile(r"[^a-z0-9]+")
# Two slips change the lengths of words by two letters at most.
MOVED = 2


class Group(StrEnum):
    """Techniques that share a score card."""

    SLIPS = "slips"
    WORDS = "words"
    OWNERS = "owners"


GROUPS = {technique: Group.SLIPS for technique in Technique} | {
    Technique.COMBOSQUAT: Group.WORDS,
    Technique.AFFIX: Group.WORDS,
    Technique.VERSION: Group.WORDS,
    Technique.WORD_ORDER: Group.WORDS,
    Technique.SCOPE: Group.OWNERS,
}


class Witness:
    """Gathers the signs for one query; what is dear is worked out once.

    Args:
        query: the name and its surroundings.
        lexicon: what words look like.
    """

    def __init__(self, query: Query, lexicon: Lexicon) -> None:
        self._query = query
        self._lexicon = lexicon
        self._costs: dict[str, list[int]] = {}
        self._segments: float | None = None
        self._near = {near.target.number: near for near in (*query.one, *query.two)}

    def signs(self, group: Group, target: Target, matches: Iterable[Match]) -> Signs:
        """All signs of one group for one target."""
        found: Signs = {
            "length": min(len(self._query.flat), len(target.flat)),
            "rank": log10(target.rank) if target.rank else UNRANKED,
            "ecosystem": PLACES[self._query.ecosystem],
        }
        if target.protected:
            found["protected"] = 1.0
        for match in matches:
            found.update(match.signs)
        if group is Group.SLIPS:
            self._slips(found, target)
        elif group is Group.WORDS:
            found["target_word"] = self._lexicon.token(target.flat)
        else:
            found["base_word"] = min(self._lexicon.token(part) for part in self._query.tokens or [""])
            found["words"] = len(self._query.tokens)
        return found

    def _slips(self, found: Signs, target: Target) -> None:
        query = self._query
        near = self._near.get(target.number)
        same_owner = self._own(target)
        skip = len(same_owner) + 1 if same_owner else 0
        mine, theirs = query.text[skip:], target.text[skip:]
        if same_owner:
            found["same_owner"] = 1.0
        elif forms.owner(query.ecosystem, target.text):
            found["their_owner"] = 1.0
        found["slips"] = len(near.edits) if near else 0.0
        found.update(_punctuation(mine, theirs))
        cost, their_cost = self._cost(mine), self._cost(theirs)
        total, their_total = sum(cost) / STEPS, sum(their_cost) / STEPS
        found["cost"] = total
        found["cost_mean"] = total / len(cost)
        found["cost_most"] = max(cost) / STEPS
        found["gain"] = total - their_total
        found["gain_mean"] = total / len(cost) - their_total / len(their_cost)
        found["their_cost"] = their_total
        if self._segments is None:
            self._segments = self._lexicon.segments(forms.flat(mine))
        found["cut"] = self._segments
        found["cut_mean"] = self._segments / max(1, len(mine))
        found["rarest"] = max((self._lexicon.token(part) for part in forms.tokens(mine)), default=self._lexicon.unknown)
        found["near_one"] = len(query.one)
        found["near_two"] = len(query.two)
        if near:
            self._edits(found, near, mine, theirs)

    def _edits(self, found: Signs, near: Near, mine: str, theirs: str) -> None:
        for kind in near.slips:
            found[kind] = found.get(kind, 0.0) + 1.0
        last = near.edits[-1]
        if near.edits[0].their_at == 0:
            found["first_letter"] = 1.0
        if last.their_at + max(1, len(last.theirs)) >= len(near.target.flat):
            found["last_letter"] = 1.0
        word, their_word = _changed(forms.tokens(mine), forms.tokens(theirs))
        found["word"] = self._lexicon.token(word)
        found["their_word"] = self._lexicon.token(their_word)
        found["word_length"] = len(word)

    def _own(self, target: Target) -> str:
        held = forms.owner(self._query.ecosystem, target.text)
        return held if held and held == forms.owner(self._query.ecosystem, self._query.text) else ""

    def _cost(self, text: str) -> list[int]:
        if text not in self._costs:
            self._costs[text] = self._lexicon.letters(text)
        return self._costs[text]


def _punctuation(text: str, other: str) -> Signs:
    """How the marks between the letters differ: exchanged for others, left out, added, or put elsewhere."""
    marks, others = MARKS.findall(text), MARKS.findall(other)
    if len(marks) < len(others):
        return {"marks_left_out": 1.0}
    if len(marks) > len(others):
        return {"marks_added": 1.0}
    lengths, other_lengths = ([len(part) for part in forms.tokens(t)] for t in (text, other))
    if sum(abs(one - two) for one, two in zip(lengths, other_lengths, strict=False)) > MOVED:
        return {"marks_moved": 1.0}
    return {"marks_exchanged": 1.0} if marks != others else {}


def _changed(parts: list[str], others: list[str]) -> tuple[str, str]:
    if len(parts) == len(others):
        for part, other in zip(parts, others, strict=True):
            if part != other:
                return part, other
    return "".join(parts), "".join(others)
