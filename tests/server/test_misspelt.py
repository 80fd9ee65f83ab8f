"""A slip in a popular name that a word is put beside."""

import pytest

from judging import corpus_of, judged
from typosentinel_server.scan.checks import misspelt
from typosentinel_server.scan.evidence import Group
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Technique, Verdict
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.scan.query import Query
from typosentinel_server.scan.scorecard import fitted

M = Technique.MISSPELT


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("python-reqeusts", '"python" is put beside a slip in "requests" (rank 1): "eu" for "ue"'),
        ("requsts-dev", '"dev" is put beside a slip in "requests" (rank 1): "e" left out'),
        ("py_requestss", '"py" is put beside a slip in "requests" (rank 1): "s" added'),
        ("reqeustsjs", '"js" is put beside a slip in "requests" (rank 1): "eu" for "ue"'),
    ],
)
def test_slip_beside_a_word_is_an_advisory(name: str, message: str) -> None:
    """In front and behind, set apart or glued; never more than an advisory."""
    result = judged(name, "requests")

    assert message in [f.message for f in result.findings if f.technique is M]
    assert (result.verdict, result.targets) == (Verdict.ADVISORY, ("requests",))


@pytest.mark.parametrize(
    ("name", "popular"),
    [
        ("python-requests", ("requests",)),
        ("python-reqeusts", ("requests", "reqeusts")),
        ("kafka-reqeusts", ("requests",)),
        ("py-falsk", ("flask",)),
        ("python-reqeustz", ("requests",)),
        ("requests-js", ("requestsjs", "requests")),
    ],
)
def test_what_others_tell_better_is_left_alone(name: str, popular: tuple[str, ...]) -> None:
    """A popular name whole, any other word beside it, less than six letters, two slips, the same letters."""
    assert M not in {f.technique for f in judged(name, *popular).findings}


def test_work_is_bounded() -> None:
    """Four names of a core, however many are near."""
    crowd = tuple(f"reques{letter}s" for letter in "abcdefghijklm")
    query = Query(parse_name(Ecosystem.PYPI, "requesqs-js"), Index.of(corpus_of(*crowd)))

    assert [match.target.name for match in misspelt.check(query)] == list(crowd[: misspelt.MOST])


def test_group_is_never_suspicious() -> None:
    """The weights of the package, whatever signs a name has."""
    card = fitted().cards[Group.MISSPELT]

    assert card.start + sum(max(sign.weights) for sign in card.signs.values()) < 0
