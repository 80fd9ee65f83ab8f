"""Compiled lists on a shelf: right or not there, whoever else writes beside us."""

import os
from pathlib import Path
from struct import pack
from zlib import crc32

import pytest

from judging import corpus_of
from typosentinel_server.engines import Library, build_engines
from typosentinel_server.errors import CorpusUnreadable
from typosentinel_server.scan import flatfile
from typosentinel_server.scan.compiling import compile_corpus
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.shelf import MOST_FILES, Shelf

CONTENT = b"what is compiled"


def opened(content: memoryview) -> bytes:
    """Reads what CONTENT is, and nothing else."""
    if bytes(content) != CONTENT:
        raise CorpusUnreadable("DAMAGED", "damaged", "Mend it.")
    return bytes(content)


class Compiler:
    """Makes CONTENT and counts how often."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> bytes:
        """The content."""
        self.runs += 1
        return CONTENT


def test_file_is_made_once_and_read_again(tmp_path: Path) -> None:
    """The second process compiles nothing."""
    compiler = Compiler()
    for _ in range(3):
        assert Shelf(tmp_path / "new").take("x.typo", compiler, opened) == CONTENT

    assert compiler.runs == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.typo"]


@pytest.mark.parametrize("damage", [b"", b"something else", CONTENT[:-1]])
def test_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    """And is right afterwards."""
    (tmp_path / "x.typo").write_bytes(damage)

    assert Shelf(tmp_path).take("x.typo", lambda: CONTENT, opened) == CONTENT
    assert (tmp_path / "x.typo").read_bytes() == CONTENT


def test_file_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    """Whoever can write it decides what is popular."""
    path = tmp_path / "x.typo"
    path.write_bytes(CONTENT)
    path.chmod(0o666)
    compiler = Compiler()

    Shelf(tmp_path).take("x.typo", compiler, opened)

    assert compiler.runs == 1
    assert path.stat().st_mode & 0o777 == 0o644


def test_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody will ever write to it."""
    os.mkfifo(tmp_path / "x.typo")

    assert Shelf(tmp_path).take("x.typo", lambda: CONTENT, opened) == CONTENT


def test_place_that_cannot_be_written_does_without() -> None:
    """Memory is good enough."""
    assert Shelf(Path("/proc/nowhere")).take("x.typo", lambda: CONTENT, opened) == CONTENT


def test_old_files_and_leftovers_are_swept(tmp_path: Path) -> None:
    """The cache does not grow for ever."""
    for n in range(MOST_FILES + 5):
        (tmp_path / f"{n}.typo").write_bytes(CONTENT)
        os.utime(tmp_path / f"{n}.typo", (n, n))
        (tmp_path / f".making-{n}").write_bytes(CONTENT)

    Shelf(tmp_path).take("new.typo", lambda: CONTENT, opened)

    assert len(list(tmp_path.glob("*.typo"))) == MOST_FILES
    assert {"new.typo", f"{MOST_FILES + 4}.typo"} <= {path.name for path in tmp_path.iterdir()}
    assert len(list(tmp_path.glob(".making-*"))) < MOST_FILES


def forged(content: bytes, old: bytes, new: bytes) -> memoryview:
    """A compiled file with another header and a checksum that fits."""
    magic, length = content[:8], int.from_bytes(content[8:12], "little")
    header = content[16 : 16 + length].replace(old, new)
    payload = content[16 + length + -(16 + length) % 64 :]
    prefix = pack("<8sII", magic, len(header), crc32(payload, crc32(header)))
    return memoryview(prefix + header + bytes(-(16 + len(header)) % 64) + payload)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"ranks"', b'"ronks"'),
        (b'"skipped"', b'"slipped"'),
        (b'"facts"', b'"facta"'),
        (b'"owned"', b'"omned"'),
        (b'"ecosystem": "PyPI"', b'"ecosystem": "Pyyy"'),
        (b'"arrays": {', b'"arrays": {"x": [1, 2, "B"], '),
        (b'"arrays": {', b'"arrays": {"x": [0, 9999999, "B"], '),
        (b'"arrays": {', b'"arrays": {"x": [0, 3, "I"], '),
        (b'"arrays": {', b'"arrays": {"x": 5, '),
    ],
)
def test_file_of_another_layout_is_damaged(old: bytes, new: bytes) -> None:
    """A checksum that fits does not make it right."""
    corpus = corpus_of("requests", "urllib3")
    content = compile_corpus(corpus)
    assert Index(forged(content, b"", b""), corpus.created).names == ["requests", "urllib3"]

    with pytest.raises(CorpusUnreadable, match="damaged or of another version"):
        Index(forged(content, old, new), corpus.created)


@pytest.mark.parametrize("content", [b"", b"TYPO", bytes(100), flatfile.MAGIC + b"\xff" * 50])
def test_bytes_that_are_no_file_are_damaged(content: bytes) -> None:
    """Short ones, too."""
    with pytest.raises(CorpusUnreadable, match="damaged"):
        flatfile.unpack(memoryview(content), "a test")


def test_judgements_rest_on_all_lists(tmp_path: Path) -> None:
    """Words are learned from all of them, so another npm list makes other judgements of PyPI names."""
    (tmp_path / "pypi.csv").write_text("rank,name,tier\n1,requests,protected\n")
    bases = []
    for names in ("lodash", "lodash\n2,requezts-core"):
        (tmp_path / "npm.csv").write_text(f"rank,name\n1,{names}\n")
        bases.append(build_engines(Library(tmp_path)).engine(Ecosystem.PYPI).basis)

    assert bases[0] != bases[1]
    assert bases[0].partition("/")[0] == bases[1].partition("/")[0]
