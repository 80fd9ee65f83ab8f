"""The names that a registry has: reading them, and what a name says that is not among them."""

import io
import tracemalloc
from dataclasses import replace
from datetime import date

import pytest

from judging import concluded
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.scan.conclusion import Knowledge
from typosentinel_server.scan.context.indexfiles import read_index
from typosentinel_server.scan.context.malware import MalwareList, Record
from typosentinel_server.scan.context.metadata import Facts, Metadata
from typosentinel_server.scan.context.registryindex import RegistryIndex
from typosentinel_server.scan.model import Ecosystem, Technique, Verdict


def index_of(content: bytes, ecosystem: Ecosystem = Ecosystem.PYPI) -> RegistryIndex:
    """An index read from these bytes."""
    return read_index(ecosystem, io.BytesIO(content), "i.txt")


PIECE, ROWS = 5000, 300


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in pieces; small ones let small files have many."""
    monkeypatch.setattr("typosentinel_server.scan.context.indexfiles.PIECE", PIECE)
    monkeypatch.setattr("typosentinel_server.scan.context.indexfiles.ROWS", ROWS)


KNOWLEDGE = Knowledge(registries={Ecosystem.PYPI: index_of(b"Real_Name\nreqeusts\n")})


def test_unknown_name_is_worth_a_look() -> None:
    """It may be an invention, and somebody may take it tomorrow."""
    found = concluded("requests-toolbox", "requests", knowledge=KNOWLEDGE)

    assert (found.verdict, found.score, found.targets) == (Verdict.ADVISORY, 0.5, ())
    assert found.findings[0].technique is Technique.UNKNOWN_NAME
    assert found.findings[0].message.startswith("PyPI has no package of this name, so it cannot be installed today")


@pytest.mark.parametrize("name", ["real-name", "REAL.NAME", "requests"])
def test_name_in_the_index_or_on_the_list_is_known(name: str) -> None:
    """In any spelling that the registry takes for the same."""
    assert concluded(name, "requests", knowledge=KNOWLEDGE).findings == ()


def test_index_leaves_other_findings_as_they_are() -> None:
    """A slip is as suspicious whether somebody has taken the name or not."""
    taken, free = (concluded(name, "requests", knowledge=KNOWLEDGE) for name in ("reqeusts", "rqeuests"))

    assert taken == concluded("reqeusts", "requests")
    assert (free.verdict, free.targets) == (Verdict.SUSPICIOUS, ("requests",))
    assert [f.technique for f in free.findings] == [Technique.TRANSPOSITION, Technique.UNKNOWN_NAME]


def test_index_of_one_registry_says_nothing_of_another() -> None:
    """Where there is no index nothing is unknown."""
    assert concluded("some-name", "lodash", knowledge=KNOWLEDGE, ecosystem=Ecosystem.NPM).findings == ()


@pytest.mark.parametrize("facts", [Facts(first_release=date(2026, 11, 20)), Facts(downloads=5)])
def test_package_that_was_seen_is_not_unknown(facts: Facts) -> None:
    """An index is older than the newest packages."""
    assert concluded("some-name", "requests", knowledge=KNOWLEDGE, metadata=Metadata(facts)).findings == ()


def test_malware_that_was_taken_down_is_still_malware() -> None:
    """What the index no longer has, a mirror may still serve."""
    knowledge = replace(KNOWLEDGE, malware=MalwareList({(Ecosystem.PYPI, "gone"): Record(None)}))

    assert concluded("gone", "requests", knowledge=knowledge).verdict is Verdict.MALICIOUS


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"a\nb\n", {"a", "b"}),
        (b"a\r\nb", {"a", "b"}),
        (b"\xef\xbb\xbfa\n\n b \n", {"a", "b"}),
        (b"rank,name\n1,a\n2,b\n", {"a", "b"}),
        (b'\xef\xbb\xbfname,notes\r\na,"x, y"\r\nb,\r\n', {"a", "b"}),
        ("a\nb\n\u00fcber\n".encode(), {"a", "b"}),
        (b"A\na\nb\n", {"a", "b"}),
    ],
)
def test_forms_of_an_index(content: bytes, names: set[str]) -> None:
    """Lines or CSV, as they come off whatever system."""
    index = index_of(content)

    assert len(index) == len(names)
    assert all(name in index for name in names)
    assert "c" not in index
    assert "name" not in index


@pytest.mark.parametrize("form", ["{}", "x,{}"])
def test_names_are_found_wherever_the_pieces_of_a_large_file_end(form: str) -> None:
    """Pieces end inside names."""
    names = [f"package-{n:08}" for n in range(PIECE * 20 // 16 + ROWS // 2)]
    header = "" if form == "{}" else "x,name\n"
    index = index_of((header + "".join(form.format(name) + "\n" for name in names)).encode())

    assert len(index) == len(names)
    assert all(name in index for name in names)


def test_index_takes_eight_bytes_a_name() -> None:
    """Five million names have to fit beside a server."""
    names = [f"package-{n}" for n in range(50_000)]
    tracemalloc.start()
    index = RegistryIndex(Ecosystem.NPM, [names])
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(index) == 50_000
    assert held < 50_000 * 12
    assert peak < 50_000 * 30


BATCH = b"".join(b"n,%d\n" % n for n in range(ROWS + 5))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "i.txt:1: it has no names"),
        (b"\n\n", "i.txt:1: it has no names"),
        (b"a\nb\x00\n", 'i.txt:2: "b\\x00" has invisible characters'),
        ("a\nb\na\u202eb\n".encode(), 'i.txt:3: "a\\u202eb" has invisible characters'),
        (b"a\n\xff\xfe\n", "i.txt:2: this is not UTF-8"),
        (b"\xff\xfea\x00\n", "i.txt:1: this is not UTF-8"),
        (b"a" * 2_000_000, "i.txt:1: a line has more than 4096 bytes"),
        (b"a\n" * (PIECE // 2 + 100) + b"b\tc\n", f'i.txt:{PIECE // 2 + 101}: "b\\tc" has invisible characters'),
        (b"a\n" * (PIECE // 2 + 100) + b"\xff", f"i.txt:{PIECE // 2 + 101}: this is not UTF-8"),
        (b"rank,nmae\n1,a\n", "i.txt:1: there is a comma in the first line, and no column called name"),
        (b"rank,name\n1\n", "i.txt:2: the row has another number of fields than the first line"),
        (b'rank,name\n1,"a\n', "i.txt:2: this is no CSV: unexpected end of data"),
        (b"rank,name\n1,a\n2,\xff\n", "i.txt:3: this is not UTF-8"),
        (b"rank,name\n1,a\n2,b\x1b\n", 'i.txt:3: "b\\x1b" has invisible characters'),
        (b"n,name\n" + BATCH + b"n,\x1b\n", f'i.txt:{ROWS + 7}: "\\x1b" has invisible characters'),
        (b"rank,name\n1," + b"a" * 5000, "i.txt:2: a line has more than 4096 bytes"),
    ],
)
def test_wrong_lists_are_refused_with_file_and_line(content: bytes, said: str) -> None:
    """A list that is half read makes good names unknown."""
    with pytest.raises(ConfigurationInvalid) as refused:
        index_of(content)

    assert refused.value.message.startswith(said)


def test_index_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever file is named, the memory that it takes is known beforehand."""
    monkeypatch.setattr("typosentinel_server.scan.context.registryindex.MAX_NAMES", 3)
    with pytest.raises(ConfigurationInvalid, match="it has more than 3 names"):
        index_of(b"a\nb\nc\nd\n")
