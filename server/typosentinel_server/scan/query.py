"""What a check is given and what it gives back."""

from collections.abc import Mapping
from typing import NamedTuple

from typosentinel_server.scan import forms
from typosentinel_server.scan.confusables import fold
from typosentinel_server.scan.deletions import SHORTEST_TWICE
from typosentinel_server.scan.elsewhere import Elsewhere
from typosentinel_server.scan.index import Index, Target
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.naming import Name, comparable
from typosentinel_server.scan.spelling import Edit, Slip, slip

MAX_ONE = 16
MAX_TWO = 8


NOTHING: Mapping[str, float] = {}
NOWHERE = Elsewhere()


class Near(NamedTuple):
    """A popular name that one or two slips lead from, in letters and digits.

    Attributes:
        target: the popular name.
        edits: the slips, in their order.
        slips: their kinds.
    """

    target: Target
    edits: tuple[Edit, ...]
    slips: tuple[Slip, ...]


class Query:
    """One unlisted name and its surroundings among the popular ones.

    Attributes:
        name: what was asked.
        text: its lower-case identity, letters of other scripts folded.
        flat: the letters and digits of that.
        tokens: the runs of them, at most 16.
        cores: what is left of it without a word that says little, that word, and whether it stood in front.
        foreign: the letters beyond ASCII that were folded.
        same: popular names of the same letters and digits.
        one: popular names one slip away, at most 16, most popular first.
        two: popular names two slips away, at most 8, most popular first.
        namesake: a popular name of these letters and digits in another registry.
        index: for checks that look things up by another form of the name.
    """

    def __init__(self, name: Name, index: Index, elsewhere: Elsewhere = NOWHERE) -> None:
        self.name = name
        self.index = index
        self.ecosystem = index.corpus.ecosystem
        self.foreign = [] if name.raw.isascii() else [c for c in name.raw if not c.isascii()]
        self.text = comparable(self.ecosystem, fold(name.raw)) if self.foreign else name.text
        self.tokens = forms.tokens(self.text)
        cut = self.foreign or len(self.tokens) == forms.MAX_TOKENS
        self.flat = forms.flat(self.text) if cut else "".join(self.tokens)
        self.cores = list(forms.cores(self.tokens))
        self.namesake = elsewhere.namesake(self.flat, self.ecosystem)
        self.same: list[Target] = []
        self.one: list[Near] = []
        self.two: list[Near] = []
        self._look_around()

    def neighbour(self, number: int) -> Near | None:
        """How a popular name is one or two slips away; None where it is not."""
        for near in self.one:
            if near.target.number == number:
                return near
        for near in self.two:
            if near.target.number == number:
                return near
        return None

    def _look_around(self) -> None:
        twice = len(self.flat) >= SHORTEST_TWICE
        target = self.index.target
        for number, found in self.index.near(self.flat):
            if not found:
                self.same.append(target(number))
            elif len(found) == 1:
                if len(self.one) < MAX_ONE:
                    self.one.append(self._near(target(number), found))
            elif twice and len(self.two) < MAX_TWO and len((near := target(number)).flat) >= SHORTEST_TWICE - 1:
                self.two.append(self._near(near, found))

    def _near(self, target: Target, found: tuple[Edit, ...]) -> Near:
        return Near(target, found, tuple([slip(edit, self.flat, target.flat) for edit in found]))


class Match(NamedTuple):
    """One technique that leads from a target to the query.

    Attributes:
        technique: which.
        target: the popular name.
        evidence: a sentence with `{target}` where the quoted target and its rank belong.
        signs: what the technique saw, by the names of the score card, with numbers.
    """

    technique: Technique
    target: Target
    evidence: str
    signs: Mapping[str, float] = NOTHING


def letters(text: str) -> str:
    """Characters quoted for a sentence: `"a"`."""
    return f'"{text}"'


def told(edit: Edit) -> str:
    """A slip in a few words: `"eu" for "ue"`."""
    if not edit.theirs:
        return f"{letters(edit.mine)} added"
    if not edit.mine:
        return f"{letters(edit.theirs)} left out"
    return f"{letters(edit.mine)} for {letters(edit.theirs)}"
