"""Squats on lists: `typosentinel corpus review`, and `build --without`."""

import json
from pathlib import Path

import pytest

from commanding import Run
from judging import corpus_of, words
from typosentinel_server.engines import Library
from typosentinel_server.scan import forms, lexicon
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.inner import INNER, Inner
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.review import review

pytestmark = pytest.mark.timeout(20)

FILLER = tuple(f"filler-number-{n}" for n in range(1, 60))
NPM = ("lodash", *FILLER, "loadash", "lodahs", "webpack")


def engine_taught_by(*names: str) -> Engine:
    """An engine whose lexicon has learned from its own list, as the program's have."""
    corpus = corpus_of(*names, ecosystem=Ecosystem.NPM)
    texts = [forms.base(Ecosystem.NPM, entry.name.text) for entry in corpus.entries]
    content = lexicon.compile_lexicon([*texts, *FILLER], lexicon.english())
    return Engine(Index.of(corpus), lexicon.open_lexicon(memoryview(content)))


def nothing(_count: int) -> None:
    """Takes no notice of progress."""


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A directory with a list on which two squats stand, and another with none."""
    for stem, names in {"npm": NPM, "pypi": ("requests", *FILLER)}.items():
        rows = "".join(f"{n},{name},known\n" for n, name in enumerate(names, start=1))
        (tmp_path / f"{stem}.csv").write_text(f"rank,name,tier\n{rows}")
    return tmp_path


def test_squats_are_found_on_the_list_that_taught_the_lexicon() -> None:
    """A listed name is a word of the lexicon only because it is listed; the most doubtful comes first."""
    found = review(engine_taught_by(*NPM), 20, nothing)

    assert [(d.name, d.target) for d in found] == [("lodahs", "lodash"), ("loadash", "lodash")]
    assert [(d.rank, d.target_rank) for d in found] == [(62, 1), (61, 1)]
    assert found[0].score > found[1].score > 0.5
    assert found[1].reasons == ('"a" is added to "lodash" (rank 1)',)


def test_packages_of_about_equal_rank_are_two_packages() -> None:
    """Who is as popular as the target does not live off it; how far behind is far is an option."""
    near = ("filler-a", "lodash", "lodahs", *FILLER)

    assert review(engine_taught_by(*near), 20, nothing) == []
    assert review(engine_taught_by("lodash", "filler-a", "lodahs", *FILLER), 2, nothing) != []


def test_names_without_a_rank_are_passed_over(lists: Path, run: Run) -> None:
    """Nothing says which of two is the squat."""
    (lists / "npm.csv").write_text("rank,name,tier\n1,lodash,known\n,loadash,known\n")
    (lists / "pypi.csv").unlink()

    assert run("corpus", "review", "--corpus", str(lists)).stdout == "0 doubtful of 1 names with a rank\n"


def test_review_counts_what_it_has_looked_at() -> None:
    """In steps, for the bar."""
    seen: list[int] = []
    review(engine_taught_by(*(f"name-of-number-{n}" for n in range(450))), 20, seen.append)

    assert seen == [200, 200]


@pytest.mark.parametrize("inner", [INNER, None], ids=["C", "Python"])
def test_without_forgets_a_name_and_keeps_words(inner: Inner | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of that name alone become unknown; those of others and of English stay."""
    monkeypatch.setattr(lexicon, "INNER", inner)
    learned = lexicon.open_lexicon(
        memoryview(lexicon.compile_lexicon(["loadash-table", "react-table", "zebra"], ["zebra", "horse"]))
    )
    less = learned.without("loadash-table")

    assert (less.token("loadash"), less.token("react")) == (learned.unknown, learned.token("react"))
    assert learned.token("loadash") < learned.unknown
    assert learned.token("table") < less.token("table") < less.unknown
    assert learned.without("zebra").token("zebra") > learned.token("zebra")
    assert less.segments("loadashreact") > learned.segments("loadashreact")
    assert less.segments("reacttable") > learned.segments("reacttable")
    assert words().without("zebra").token("zebra") < words().unknown


def test_review_as_text_and_as_json(lists: Path, run: Run) -> None:
    """For a person, and for a script that makes the file for --without of it."""
    text = run("corpus", "review", "--corpus", str(lists))
    document = json.loads(run("corpus", "review", "--corpus", str(lists), "--format", "json").stdout)

    assert text.exit_code == 0, text.stderr
    assert 'loadash (rank 61): "a" is added to "lodash" (rank 1)' in text.stdout
    assert text.stdout.endswith("2 doubtful of 123 names with a rank\n")
    assert [(found["ecosystem"], found["name"]) for found in document] == [("npm", "lodahs"), ("npm", "loadash")]
    assert (document[1]["target"], document[1]["rank"], document[1]["targetRank"]) == ("lodash", 61, 1)
    assert 0.5 < document[1]["score"] < 1


def test_what_was_decided_against_is_left_out(lists: Path, run: Run) -> None:
    """By name alone from all lists, with ecosystem and tab from one; then the squat alerts."""
    without = lists / "without.txt"
    without.write_text("# seen on Monday\nLoaDash\nloadash\n\nnpm\tfiller-number-1\npypi\tFiller.Number_2\nnowhere\n")
    arguments = [f"{e}={lists / e}.csv" for e in ("npm", "pypi")]
    done = run("corpus", "build", "--out", str(lists / "out"), "--without", str(without), *arguments)
    left = {e: {entry.name.raw for entry in Library(lists / "out").read(e).entries} for e in Library(lists).ecosystems}

    assert done.exit_code == 0, done.stderr
    assert set(NPM) - left[Ecosystem.NPM] == {"loadash", "filler-number-1"}
    assert {"requests", *FILLER} - left[Ecosystem.PYPI] == {"filler-number-2"}
    assert done.stdout.count("left out: not wanted") == 2
    assert '2 of the names to leave out are on none of these lists, such as "LoaDash", "nowhere"' in done.stdout
    assert run("scan", "--corpus", str(lists), "--ecosystem", "npm", "loadash").stdout.startswith("loadash  clean")
    scanned = run("scan", "--corpus", str(lists / "out"), "--ecosystem", "npm", "loadash")
    assert scanned.stdout.startswith("loadash  suspicious")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "it is not UTF-8"),
        (b"nmp\tloadash\n", 'there is no ecosystem "nmp"'),
        ("\n".join(NPM).encode(), "none of its 63 rows is a name that npm allows and that is wanted"),
    ],
)
def test_wrong_files_of_unwanted_names_are_refused(lists: Path, run: Run, content: bytes, said: str) -> None:
    """Exit code 2, a sentence, and nothing is written."""
    without = lists / "without.txt"
    without.write_bytes(content)
    done = run("corpus", "build", "--out", str(lists / "out"), "--without", str(without), f"npm={lists / 'npm.csv'}")

    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (lists / "out").exists()
