"""Labelled names: rows that say which names are attacks, on what, and which are honest."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from typosentinel_server.errors import DataUnreadable, EcosystemUnknown, printable, shown
from typosentinel_server.scan.model import Package, parse_ecosystem

MAX_BYTES = 64 * 2**20
COLUMNS = ("ecosystem", "name", "target", "label")
CATEGORY = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled name.

    Attributes:
        package: the name.
        attack: whether it is one; False for an honest name.
        target: what an attack is to be taken for; empty where nobody knows.
        category: the class of attack or of honest name; may be empty.
    """

    package: Package
    attack: bool
    target: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is left out.

    Attributes:
        line: its line in the file, or which of the rows sent it is; counted from 1.
        reason: what is wrong with it.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """All of a file's rows, the right ones and the wrong ones."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def read_labelled(path: Path) -> Labelled:
    """The labelled names of a CSV file of at most 64 MiB. Raises DataUnreadable."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(str(path), error.strerror or str(error)) from error
    if len(content) > MAX_BYTES:
        raise _unreadable(str(path), f"it is larger than {MAX_BYTES} bytes")
    return parse_labelled(content, str(path))


def parse_labelled(content: bytes, where: str) -> Labelled:
    """Labelled names from CSV with the columns ecosystem, name, target, label and, if wanted, category.

    A row is a line; more columns are ignored. Wrong rows are left out and told of.

    Raises:
        DataUnreadable: there is no such head; names `where`.
    """
    # Bytes that are no UTF-8 become surrogates, so that they spoil their own row only.
    lines = enumerate(io.StringIO(content.decode("utf-8-sig", "surrogateescape"), newline=None), start=1)
    try:
        head = _cells(next(lines, (1, ""))[1])
    except csv.Error as error:
        raise _unreadable(where, str(error)) from error
    missing = [column for column in COLUMNS if column not in head]
    if missing:
        raise _unreadable(where, f"it has no column called {', '.join(missing)}")
    found = list(_rows(head, lines))
    return Labelled(
        tuple(row for row in found if isinstance(row, Row)), tuple(row for row in found if isinstance(row, Fault))
    )


def labelled_row(n: int, fields: dict[str, str]) -> Row | Fault:
    """The row that these fields make up; `n` is where it stands."""
    if any("\ud800" <= c <= "\udfff" for field in fields.values() for c in field):
        return Fault(n, "it holds bytes that are no characters")
    if fields["label"] not in ("0", "1"):
        return Fault(n, f"the label is {shown(fields['label'])}; it is 1 for an attack, 0 for an honest name")
    try:
        ecosystem = parse_ecosystem(fields["ecosystem"])
    except EcosystemUnknown as error:
        return Fault(n, error.message)
    if not fields["name"]:
        return Fault(n, "it has no name")
    package = Package(ecosystem, fields["name"])
    category = printable(fields.get("category", ""), CATEGORY)
    return Row(package, fields["label"] == "1", fields["target"], category)


def _rows(head: list[str], lines: Iterable[tuple[int, str]]) -> Iterator[Row | Fault]:
    for n, line in lines:
        try:
            cells = _cells(line)
        except csv.Error as error:
            yield Fault(n, str(error))
            continue
        if cells:
            cells += [""] * (len(head) - len(cells))
            yield labelled_row(n, dict(zip(head, cells, strict=False)))


def _cells(line: str) -> list[str]:
    # A row is a line: a quotation mark that is never closed must not swallow the rows that follow.
    return next(csv.reader([line.rstrip("\n")], strict=True), [])


def _unreadable(where: str, why: str) -> DataUnreadable:
    return DataUnreadable(
        "DATA_UNREADABLE",
        f"cannot read labelled names from {where}: {why}",
        f"It is CSV in UTF-8 with the columns {', '.join(COLUMNS)} and, if wanted, category.",
    )
