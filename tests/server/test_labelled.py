"""Labelled names from files that are not always right."""

from pathlib import Path

import pytest

from typosentinel_server.errors import DataUnreadable
from typosentinel_server.labelled import MAX_BYTES, Fault, Row, parse_labelled, read_labelled
from typosentinel_server.scan.model import Ecosystem, Package

HEAD = b"ecosystem,name,target,label\n"


def test_columns_are_found_by_name_and_others_ignored() -> None:
    """Any order, more columns than are wanted, any spelling of the ecosystem."""
    found = parse_labelled(
        b"\xef\xbb\xbflicence,label,category,target,name,ecosystem\r\n"
        b"MIT,1,swap,requests,reqeusts,pypi\r\n"
        b"MIT,0,,,serde,crates\r\n",
        "a test",
    )

    assert found.faults == ()
    assert found.rows == (
        Row(Package(Ecosystem.PYPI, "reqeusts"), attack=True, target="requests", category="swap"),
        Row(Package(Ecosystem.CRATES, "serde"), attack=False),
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"pypi,a,b,2", 'the label is "2"; it is 1 for an attack, 0 for an honest name'),
        (b"pypi,a,b", 'the label is ""; it is 1 for an attack, 0 for an honest name'),
        (b"pypy,a,b,1", 'there is no ecosystem "pypy"'),
        (b"pypi,,b,1", "it has no name"),
        (b"pypi,\xff,b,1", "it holds bytes that are no characters"),
        (b'pypi,"a,b,1', "unexpected end of data"),
        (b"pypi," + b"a" * 200_000 + b",b,1", "field larger than field limit (131072)"),
    ],
)
def test_wrong_row_is_told_of_by_line_and_spoils_no_other(row: bytes, reason: str) -> None:
    """The rows around it are taken."""
    found = parse_labelled(HEAD + b"npm,x,,0\n" + row + b"\nnpm,y,,0\n", "a test")

    assert found.faults == (Fault(3, reason),)
    assert [r.package.name for r in found.rows] == ["x", "y"]


def test_what_stands_beyond_the_last_column_is_ignored() -> None:
    """A row may be longer than its head."""
    assert len(parse_labelled(HEAD + b"npm,x,,0,more,and more\n", "a test").rows) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column called ecosystem, name, target, label"),
        (b"name,label\nx,1\n", "no column called ecosystem, target"),
        (b"\x00\xff\xfe" * 99, "no column called"),
        (b"a" * 200_000, "field larger than field limit"),
    ],
)
def test_file_without_its_columns_is_refused(content: bytes, said: str) -> None:
    """Nothing in it can be understood."""
    with pytest.raises(DataUnreadable) as caught:
        parse_labelled(content, "names.csv")

    assert said in caught.value.message
    assert "names.csv" in caught.value.message


def test_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    """With the operating system's own word for it, or the limit."""
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    for path, said in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory"), (large, str(MAX_BYTES))):
        with pytest.raises(DataUnreadable, match=said):
            read_labelled(path)


def test_category_cannot_play_tricks_on_a_terminal() -> None:
    """It is printed in a table."""
    (row,) = parse_labelled(b"ecosystem,name,target,label,category\nnpm,x,,0,\x1b[31m" + b"a" * 99, "a test").rows

    assert row.category == "\\x1b[31m" + "a" * 54 + "…"
