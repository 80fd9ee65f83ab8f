"""Registry indexes as they come: a name a line, or CSV with a column called name. Read in pieces, never whole."""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

from typosentinel_server.errors import shown
from typosentinel_server.scan.context.malwarefiles import refused
from typosentinel_server.scan.context.registryindex import RegistryIndex
from typosentinel_server.scan.model import Ecosystem

PIECE = 2**20
LONGEST_LINE = 4096
ROWS = 10_000
BOM = b"\xef\xbb\xbf"
SUSPECT = re.compile(r"[^\x21-\x7e\n]")


def read_index(ecosystem: Ecosystem, file: BinaryIO, where: str) -> RegistryIndex:
    """An index from a file that is open at its start; five million names take some seven seconds.

    A first line with a comma makes it CSV. Names with letters beyond ASCII are left out: no registry takes them today.

    Raises:
        ConfigurationInvalid: with file and line.
    """
    first = file.readline(LONGEST_LINE + 1).removeprefix(BOM)
    batches = _rows(first, file, where) if b"," in first else _lines(first, file, where)
    try:
        index = RegistryIndex(ecosystem, batches)
    except ValueError as error:
        raise refused(where, 1, str(error)) from error
    if not len(index):
        raise refused(where, 1, "it has no names")
    return index


def _lines(first: bytes, file: BinaryIO, where: str) -> Iterator[list[str]]:
    rest, line = first, 1
    while True:
        piece = file.read(PIECE)
        whole, newline, rest = (rest + piece).rpartition(b"\n") if piece else (rest, b"", b"")
        text = _text(whole, where, line).replace("\r", "")
        names = text.split("\n")
        yield _checked(names, where, line) if SUSPECT.search(text) else names
        line += len(names) if newline else 0
        if len(rest) > LONGEST_LINE:
            raise refused(where, line, f"a line has more than {LONGEST_LINE} bytes")
        if not piece:
            return


def _text(content: bytes, where: str, line: int) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refused(where, line + content.count(b"\n", 0, error.start), "this is not UTF-8") from error


def _checked(names: list[str], where: str, line: int) -> list[str]:
    found = []
    for n, raw in enumerate(names):
        name = raw.strip(" ")
        if not name.isprintable():
            raise refused(where, line + n, f"{shown(name)} has invisible characters")
        if name.isascii():
            found.append(name)
    return found


def _rows(first: bytes, file: BinaryIO, where: str) -> Iterator[list[str]]:
    columns = _text(first, where, 1).strip().split(",")
    if "name" not in columns:
        raise refused(where, 1, "there is a comma in the first line, and no column called name")
    column = columns.index("name")
    reader = csv.reader(_csv_lines(file, where), strict=True)
    batch: list[str] = []
    try:
        for row in reader:
            if len(row) != len(columns):
                raise refused(where, reader.line_num + 1, "the row has another number of fields than the first line")
            batch.append(row[column])
            if len(batch) == ROWS:
                yield _checked(batch, where, reader.line_num + 2 - ROWS)
                batch = []
    except csv.Error as error:
        raise refused(where, reader.line_num + 1, f"this is no CSV: {error}") from error
    yield _checked(batch, where, reader.line_num + 2 - len(batch))


def _csv_lines(file: BinaryIO, where: str) -> Iterator[str]:
    for line, content in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), start=2):
        if len(content) > LONGEST_LINE:
            raise refused(where, line, f"a line has more than {LONGEST_LINE} bytes")
        yield _text(content, where, line)
