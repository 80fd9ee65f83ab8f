"""Lists of popular names: reading them, and what the package carries."""

import json
import lzma
from importlib import resources
from pathlib import Path

import pytest

from judging import CREATED
from typosentinel_server.errors import CorpusUnreadable
from typosentinel_server.scan import corpus
from typosentinel_server.scan.model import Ecosystem

PLAIN = b"rank,name,tier\n2,b,known\n1,a,protected\n,c,known\n"


def test_entries_come_by_rank_and_those_without_one_last() -> None:
    """Order, rank and tier as the list says."""
    entries = corpus.parse(Ecosystem.PYPI, PLAIN, CREATED, where="x").entries

    assert [(e.name.raw, e.rank, e.protected) for e in entries] == [("a", 1, True), ("b", 2, False), ("c", None, False)]


def test_packed_and_plain_are_the_same_list() -> None:
    """The version is the content's, however it is packed."""
    plain = corpus.parse(Ecosystem.PYPI, PLAIN, CREATED, where="x")

    assert corpus.parse(Ecosystem.PYPI, lzma.compress(PLAIN), CREATED, where="x") == plain
    assert corpus.parse(Ecosystem.PYPI, PLAIN + b"3,d,known\n", CREATED, where="x").version != plain.version


def test_impossible_names_are_skipped_and_counted() -> None:
    """One bad row does not spoil a list; spellings of one package are one entry."""
    found = corpus.parse(Ecosystem.PYPI, PLAIN + b"4,not a name,known\n5,A,known\n", CREATED, where="x")

    assert (len(found.entries), found.skipped) == (3, 1)


@pytest.mark.parametrize(
    "content",
    [
        lzma.compress(PLAIN) + lzma.compress(PLAIN),
        b"rank,name\n" + b"1,a\n" * (corpus.MAX_NAMES + 1),
        b"rank,name\n0,a\n",
        b"rank,name\n-1,a\n",
        b"rank,name\n1.5,a\n",
        b"rank,name\n1000000000,a\n",
        b"rank,name\n" + b"9" * 5000 + b",a\n",
        b"",
        b"\xff",
        b"a,b\n1,2\n",
        b"rank,name,tier\n",
        b"rank,name\n1,???\n",
        lzma.compress(PLAIN)[:-9] + b"x",
    ],
    ids=range(13),
)
def test_what_is_no_list_is_refused_by_name(content: bytes) -> None:
    """The message says which list, the suggestion what one looks like."""
    with pytest.raises(CorpusUnreadable, match=r"from lists/pypi\.csv: ") as unreadable:
        corpus.parse(Ecosystem.PYPI, content, CREATED, where="lists/pypi.csv")

    assert "rank,name,tier" in unreadable.value.suggestion


def test_look_alike_letters_do_not_get_onto_a_list() -> None:
    """A known name never alerts, so a squat in another script must not become known."""
    found = corpus.parse(Ecosystem.PYPI, "rank,name\n1,requests\n2,r\u0435quests\n".encode(), CREATED, where="x")

    assert ([e.name.raw for e in found.entries], found.skipped) == (["requests"], 1)


def test_wrong_rank_is_named_with_its_row() -> None:
    """Whoever keeps a list finds the row."""
    with pytest.raises(CorpusUnreadable, match='row 2 has the rank "0", which is no whole number from 1 on'):
        corpus.parse(Ecosystem.PYPI, b"rank,name\n1,a\n0,b\n", CREATED, where="x")


def test_endless_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A list has a bound, packed or not."""
    path = tmp_path / "pypi.csv"
    path.symlink_to("/dev/zero")
    with pytest.raises(CorpusUnreadable, match=f"larger than {corpus.MAX_BYTES} bytes"):
        corpus.read_file(Ecosystem.PYPI, path)


def test_impossible_directory_is_refused() -> None:
    """What the system says about a path is a sentence, too."""
    with pytest.raises(CorpusUnreadable, match="File name too long"):
        corpus.files_in(Path("a" * 300))


def test_directory_without_lists_is_refused(tmp_path: Path) -> None:
    """Nothing to compare with is no reason to call everything clean."""
    with pytest.raises(CorpusUnreadable, match="holds no list"):
        corpus.files_in(tmp_path)


@pytest.mark.parametrize("ecosystem", corpus.on_board())
def test_built_in_lists_are_what_the_manifest_says(ecosystem: Ecosystem) -> None:
    """Hash, count, source and licence of every list on board; no row is skipped."""
    folder = resources.files("typosentinel_server").joinpath("corpora")
    facts = json.loads(folder.joinpath("manifest.json").read_text(encoding="utf-8"))["corpora"][ecosystem.value]
    found = corpus.read_builtin(ecosystem)

    assert "sha256:" + facts["sha256"][:12] == found.version
    assert found.skipped == 0
    assert len(found.entries) <= facts["names"]
    assert all(source["licence"] and len(source["sha256"]) == 64 for source in facts["sources"])


def test_lists_on_board_are_small_and_not_invented() -> None:
    """PyPI and npm are there in full; NuGet, for which no source is known, has targets that nobody vouches for."""
    folder = resources.files("typosentinel_server").joinpath("corpora")

    assert {Ecosystem.PYPI, Ecosystem.NPM} <= set(corpus.on_board())
    assert not any(entry.trusted for entry in corpus.read_builtin(Ecosystem.NUGET).entries)
    assert sum(len(path.read_bytes()) for path in folder.iterdir()) < 1_000_000
