"""Words of kin meaning: the table, what an exchanged word leads to, and what is left alone."""

from collections.abc import Iterable

import pytest

from judging import corpus_of, judged
from typosentinel_server.scan.checks import semantic
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.kin import FAMILIES, KIN, meaning, parse
from typosentinel_server.scan.model import Ecosystem, Technique, Verdict
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.scan.query import Query

S = Technique.SEMANTIC


def found(name: str, *popular: str, ecosystem: Ecosystem = Ecosystem.NPM) -> list[str]:
    """The targets that kin words lead to."""
    return [f.target for f in judged(name, *popular, ecosystem=ecosystem).findings if f.technique is S]


@pytest.mark.parametrize(
    ("lines", "word", "others"),
    [
        (["util tool"], "util", {"tool": True}),
        (["util | tool"], "util", {"tool": False}),
        (["util utils | tool tools"], "tools", {"tool": True, "util": False, "utils": False}),
        (["# util utils"], "util", None),
        (["util tool # a remark"], "remark", None),
        (["four for | fore", "for fore"], "for", {"four": True, "fore": True}),
        (["", "a b"], "a", {"b": True}),
    ],
)
def test_groups_are_read(lines: Iterable[str], word: str, others: dict[str, bool] | None) -> None:
    """Other forms of a word and words of kin meaning are told apart; several groups of one word come together."""
    assert parse(lines).get(word) == others


def test_table_is_whole() -> None:
    """Each word is one token, stands for another one at least, and as the other stands for it."""
    assert len(KIN) > 500
    for word, others in KIN.items():
        assert word.isascii()
        assert word.isalnum()
        assert word == word.lower()
        assert others
        assert all(FAMILIES[other] == FAMILIES[word] for other in others)
        assert all(KIN[other][word] == same_word for other, same_word in others.items())


@pytest.mark.parametrize(
    ("name", "target", "sentence"),
    [
        ("color-conversion", "color-convert", '"conversion" is another form of "convert" in "color-convert" (rank 1)'),
        ("ethers-toolkit", "ethers-utils", '"toolkit" is akin to "utils" in "ethers-utils" (rank 1)'),
        ("catalogue-list", "catalog-list", '"catalogue" is another form of "catalog" in "catalog-list" (rank 1)'),
        ("wait-four-it", "wait-for-it", ""),
        ("color.conversion", "color-convert", '"conversion" is another form of "convert" in "color-convert" (rank 1)'),
        ("authentication-proxy", "auth-proxy", '"authentication" is another form of "auth" in "auth-proxy" (rank 1)'),
        ("js-parsing-table", "js-parser.table", '"parsing" is another form of "parser" in "js-parser.table" (rank 1)'),
        ("json-parsing", "json-parse-it", ""),
    ],
)  # fmt: skip
def test_exchanged_word_leads_to_its_target(name: str, target: str, sentence: str) -> None:
    """Forms and kin, whatever stands between the words; not a slip, which says it better, nor two words at once."""
    result = judged(name, target, ecosystem=Ecosystem.NPM)
    messages = [f.message for f in result.findings if f.technique is S]

    assert messages == ([sentence] if sentence else [])
    assert result.targets == (target,) or not sentence


@pytest.mark.parametrize(
    ("name", "popular", "ecosystem"),
    [
        ("colour-convert", "color-convert", Ecosystem.NPM),
        ("my-tools", "my-utils", Ecosystem.NPM),
        ("parser", "parse", Ecosystem.NPM),
        ("@acme/http-sdk", "@acme/http-client", Ecosystem.NPM),
        ("github.com/acme/http-sdk", "github.com/acme/http-client", Ecosystem.GO),
        ("tool-configuration", "util-settings", Ecosystem.NPM),
    ],
)
def test_what_says_little_is_left_alone(name: str, popular: str, ecosystem: Ecosystem) -> None:
    """A slip, a word alone, a common owner, two exchanged words."""
    assert found(name, popular, ecosystem=ecosystem) == []


def test_hint_is_never_suspicious() -> None:
    """Not even next to the most popular name, for honest packages are called so."""
    result = judged("internationalization-conversion", "internationalization-convert", ecosystem=Ecosystem.NPM)

    assert [f.technique for f in result.findings] == [S]
    assert result.verdict is Verdict.ADVISORY


def test_one_probe_finds_whatever_word_is_exchanged() -> None:
    """However many words of a name have kin; at most 64 names are compared."""
    popular = [f"config-{word}-image" for word in KIN if FAMILIES[word] == FAMILIES["logging"]]
    query = Query(parse_name(Ecosystem.PYPI, "config-logging-image"), Index.of(corpus_of(*popular)))
    told = {match.target.name for match in semantic.check(query)}

    assert told <= {f"config-{word}-image" for word in KIN["logging"]}
    assert len(query.index.same_meaning(query.tokens)) == min(64, len(popular))


def test_form_without_kin_is_none() -> None:
    """Most names have no such word, and are not filed."""
    assert meaning(["zebra", "quagga"]) == ""
    assert meaning(["zebra", "utils"]) == meaning(["zebra", "tools"])
