"""The signs for and against a confusion, in numbers that the score card weighs.

There are six groups, each with signs and weights of its own: slips of the hand and of the eye, the same letters
otherwise written, words put beside or exchanged, words put beside a slip, owners, and hints that are no more than that.
What the techniques of one group see in a pair of names adds up.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from math import log10
from typing import NamedTuple

from typosentinel_server.scan import forms
from typosentinel_server.scan.index import Target
from typosentinel_server.scan.lexicon import STEPS, Lexicon
from typosentinel_server.scan.model import FROM_CONTEXT, Ecosystem, Technique
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
    LETTERS = "letters"
    WORDS = "words"
    OWNERS = "owners"
    MISSPELT = "misspelt"
    HINTS = "hints"


GROUPS = dict.fromkeys(set(Technique) - FROM_CONTEXT, Group.SLIPS) | {
    Technique.COMBOSQUAT: Group.WORDS,
    Technique.AFFIX: Group.WORDS,
    Technique.VERSION: Group.WORDS,
    Technique.WORD_ORDER: Group.WORDS,
    Technique.SCOPE: Group.OWNERS,
    Technique.MISSPELT: Group.MISSPELT,
    Technique.SEMANTIC: Group.HINTS,
    Technique.CROSS_ECOSYSTEM: Group.HINTS,
}


def group_of(technique: Technique, query: Query, target: Target) -> Group:
    """The card that weighs what a technique says of a target: no slip is needed where the letters are the same."""
    group = GROUPS[technique]
    return Group.LETTERS if group is Group.SLIPS and target.flat == query.flat else group


class Own(NamedTuple):
    """What a name shows by itself.

    Attributes:
        text: the name, without an owner that it shares with the target.
        parts: its words.
        signs: what it shows, whatever the target.
        cost: of its letters, in nats.
    """

    text: str
    parts: list[str]
    signs: Signs
    cost: float


class Witness:
    """Gathers the signs for one query; what is the same for all targets is worked out once.

    Args:
        query: the name and its surroundings.
        lexicon: what words look like.
    """

    def __init__(self, query: Query, lexicon: Lexicon) -> None:
        self._query = query
        self._lexicon = lexicon
        self._ecosystem = PLACES[query.ecosystem]
        self._owned = query.ecosystem in forms.OWNING
        self._owner = forms.owner(query.ecosystem, query.text) if self._owned else ""
        self._own: dict[int, Own] = {}

    def signs(self, group: Group, target: Target, matches: Iterable[Match]) -> Signs:
        """All signs of one group for one target."""
        mine, theirs = len(self._query.flat), len(target.flat)
        found: Signs = {
            "ecosystem": self._ecosystem,
            "length": min(theirs, mine),
            "rank": log10(target.rank) if target.rank else UNRANKED,
        }
        if target.protected:
            found["protected"] = 1.0
        for match in matches:
            if match.signs:
                found.update(match.signs)
        if group is Group.SLIPS or group is Group.LETTERS:
            self._slips(found, target)
        elif group is Group.WORDS:
            found["target_word"] = self._lexicon.token(target.flat)
        elif group is Group.OWNERS:
            found["base_word"] = min(map(self._lexicon.token, self._query.tokens or [""]))
            found["words"] = len(self._query.tokens)
        elif group is Group.MISSPELT:
            found["rarest"] = max(map(self._lexicon.token, self._query.tokens))
        return found

    def _slips(self, found: Signs, target: Target) -> None:
        query = self._query
        skip = self._owners(found, target) if self._owned else 0
        own = self._own.get(skip)
        if own is None:
            own = self._own[skip] = self._of_name(skip)
        found.update(own.signs)
        theirs = target.text[skip:]
        others = forms.tokens(theirs)
        if len(own.text) != len(query.flat) or len(theirs) != len(target.flat):
            found.update(_punctuation(own, theirs, others))
        their_cost = self._lexicon.letters(theirs) / STEPS
        found["gain"] = own.cost - their_cost
        found["their_cost"] = their_cost
        near = query.neighbour(target.number)
        if near is not None:
            found["slips"] = len(near.edits)
            self._edits(found, near, own.parts, others)

    def _owners(self, found: Signs, target: Target) -> int:
        """Tells who owns the two names; returns how many characters of both an owner of both takes."""
        theirs = forms.owner(self._query.ecosystem, target.text)
        if theirs and theirs == self._owner:
            found["same_owner"] = 1.0
            return len(theirs) + 1
        if theirs:
            found["their_owner"] = 1.0
        elif self._owner:
            found["own_owner"] = 1.0
        return 0

    def _of_name(self, skip: int) -> Own:
        """What the name alone shows, without the owner that takes so many characters."""
        query, lexicon = self._query, self._lexicon
        text = query.text[skip:]
        cost = lexicon.letters(text) / STEPS
        cut = lexicon.segments(forms.flat(text) if skip else query.flat)
        parts = forms.tokens(text) if skip else query.tokens
        signs: Signs = {
            "cost": cost,
            "near_one": len(query.one),
            "cut": cut,
            "cut_mean": cut / max(1, len(text)),
            "rarest": max(map(lexicon.token, parts), default=lexicon.unknown),
            "near_two": len(query.two),
        }
        return Own(text, parts, signs, cost)

    def _edits(self, found: Signs, near: Near, parts: list[str], others: list[str]) -> None:
        for kind in near.slips:
            found[kind] = found.get(kind, 0.0) + 1.0
        last = near.edits[-1]
        if near.edits[0].their_at == 0:
            found["first_letter"] = 1.0
        if last.their_at + max(1, len(last.theirs)) >= len(near.target.flat):
            found["last_letter"] = 1.0
        word, their_word = _changed(parts, others)
        found["their_word"] = self._lexicon.token(their_word)
        found["word_length"] = len(word)


def _punctuation(own: Own, theirs: str, others: list[str]) -> Signs:
    """How the marks between the letters differ: exchanged for others, left out, added, or put elsewhere."""
    marks, their_marks = MARKS.findall(own.text), MARKS.findall(theirs)
    if len(marks) < len(their_marks):
        return {"marks_left_out": 1.0}
    if len(marks) > len(their_marks):
        return {"marks_added": 1.0}
    if sum(abs(len(one) - len(two)) for one, two in zip(own.parts, others, strict=False)) > MOVED:
        return {"marks_moved": 1.0}
    return {"marks_exchanged": 1.0} if marks != their_marks else {}


def _changed(parts: list[str], others: list[str]) -> tuple[str, str]:
    if len(parts) == len(others):
        for part, other in zip(parts, others, strict=True):
            if part != other:
                return part, other
    return "".join(parts), "".join(others)
