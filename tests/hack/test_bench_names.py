from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from hack.bench import names

from typosentinel_server.engines import Library
from typosentinel_server.scan.corpus import Corpus, parse
from typosentinel_server.scan.model import Ecosystem

LISTED = {
    Ecosystem.PYPI: "rank,name,tier\n1,requests,protected\n2,Foo_Bar,protected\n3,numpy,known\n",
    Ecosystem.NPM: "rank,name,tier\n1,lodash,protected\n2,@babel/core,protected\n",
}


def corpora() -> dict[Ecosystem, Corpus]:
    """Two small lists."""
    when = datetime(2026, 11, 21, tzinfo=UTC)
    return {e: parse(e, text.encode(), when, where="here") for e, text in LISTED.items()}


def rows(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    """Rows of a bench."""
    return [{"ecosystem": ecosystem, "name": name} for ecosystem, name in pairs]


def test_questions_are_unlisted_names_each_once() -> None:
    """Listed names in any spelling, refused ones, ecosystems without a list, and repetitions are left out."""
    asked = rows(
        ("pypi", "foo-bar"),
        ("pypi", "Reqeusts"),
        ("pypi", "reqeusts"),
        ("npm", "reqeusts"),
        ("pypi", "no name"),
        ("go", "example.com/x"),
        ("github_actions", "actions/checkout"),
    )
    found = names.unlisted(asked, corpora())
    assert sorted(found, key=lambda query: query.raw) == [
        names.Query(Ecosystem.PYPI, "Reqeusts", "reqeusts"),
        names.Query(Ecosystem.NPM, "reqeusts", "reqeusts"),
    ]


def test_questions_come_shuffled_and_always_the_same() -> None:
    """Questions come shuffled, and always in the same order."""
    asked = rows(*(("pypi", f"name{n}") for n in range(100)))
    first, second = (names.unlisted(asked, corpora()) for _ in range(2))
    assert first == second
    assert [query.raw for query in first] != [row["name"] for row in asked]
    assert {query.raw for query in first} == {row["name"] for row in asked}


def test_a_longer_list_begins_with_a_shorter_one() -> None:
    """Listed names that PyPI allows come first, then edits; a longer list begins with a shorter one."""
    both = list(corpora().values())
    long, short = names.grown(both, 200, ()), names.grown(both, 20, ())
    assert long[:20] == short
    assert short[:4] == [("requests", True), ("foo-bar", True), ("numpy", False), ("lodash", True)]
    assert len(dict(long)) == 200
    assert not any(protected for _, protected in long[4:])


def test_questions_are_on_no_grown_list() -> None:
    """Names that will be asked are on no grown list, also where an edit leads to them."""
    plain = [name for name, _ in names.grown(list(corpora().values()), 50, ())]
    spared = {plain[0], plain[-1]}
    assert not spared & {name for name, _ in names.grown(list(corpora().values()), 50, spared)}


def test_what_is_written_can_be_read_as_lists(tmp_path: Path) -> None:
    """A grown list is a corpus like any other; peers get normalised names by rank."""
    grown = names.grown(list(corpora().values()), 50, ())
    names.write_corpus(grown, tmp_path / "pypi.csv")
    entries = Library(tmp_path).read(Ecosystem.PYPI).entries
    assert [(entry.name.text, entry.protected) for entry in entries] == grown
    assert all((a.rank or 0) < (b.rank or 0) for a, b in pairwise(entries))
    names.write_lists(corpora(), tmp_path / "lists")
    assert (tmp_path / "lists" / "pypi.txt").read_text() == "requests\nfoo-bar\nnumpy\n"
    assert (tmp_path / "lists" / "npm.txt").read_text() == "lodash\n@babel/core\n"
