"""What a check is given and what it gives back."""

from dataclasses import dataclass

from typosentinel_server.scan.corpus import Entry
from typosentinel_server.scan.index import Index, Neighbour
from typosentinel_server.scan.model import Contribution, Technique
from typosentinel_server.scan.naming import Name


@dataclass(frozen=True, slots=True)
class Query:
    """One unlisted name and its surroundings.

    Attributes:
        name: what was asked.
        near: popular names one edit away, at most 64; worked out once for all checks.
        index: for checks that look things up by another form of the name.
    """

    name: Name
    near: tuple[Neighbour, ...]
    index: Index


@dataclass(frozen=True, slots=True)
class Match:
    """One technique that leads from a target to the query.

    Attributes:
        technique: which.
        target: the popular name.
        evidence: a sentence with `{target}` where the quoted target and its rank belong.
        contributions: the technique's own reasons; the engine adds those of length and popularity.
    """

    technique: Technique
    target: Entry
    evidence: str
    contributions: tuple[Contribution, ...]


def letters(text: str) -> str:
    """Characters quoted for a sentence: `"a"`."""
    return f'"{text}"'


def is_digits(*texts: str) -> bool:
    """Whether all the texts are digits only, an empty one included."""
    return all(c.isdigit() for text in texts for c in text)
