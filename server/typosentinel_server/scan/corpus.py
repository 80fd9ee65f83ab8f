"""Lists of popular names: what a name is compared with, and what never alerts.

A corpus is a text with the columns `rank,name,tier` (more columns are ignored), plain or xz-compressed. The tier
`protected` is the top of the list; names of the tier `target` are protected and not vouched for.
"""

import csv
import hashlib
import io
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path

from typosentinel_server.errors import CorpusUnreadable, DomainError, shown
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import Name, parse_name

FILE_STEMS = {
    Ecosystem.PYPI: "pypi",
    Ecosystem.NPM: "npm",
    Ecosystem.CRATES: "crates",
    Ecosystem.RUBYGEMS: "rubygems",
    Ecosystem.NUGET: "nuget",
    Ecosystem.GO: "go",
    Ecosystem.MAVEN: "maven",
}
# Tiers: the top of a list, the rest of it, and what is protected without being vouched for.
PROTECTED, KNOWN, TARGET = "protected", "known", "target"
MAX_BYTES = 64 * 2**20
MAX_NAMES = 2**20
MAX_RANK_DIGITS = 9
VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One popular name.

    Attributes:
        name: the name in its registry's forms; `raw` is the spelling to show.
        rank: 1 is the most popular; None where the list has no order.
        protected: whether squatting on it pays: the top of the list.
        trusted: whether being on the list says that the name is known; else it only says what others imitate.
    """

    name: Name
    rank: int | None
    protected: bool
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """What is known about a list besides its names.

    Attributes:
        ecosystem: whose names these are.
        version: "sha256:" and twelve digits of the hash of the uncompressed list.
        created: when the list was drawn up.
        size: how many names it has.
        protected: how many of them are its top.
        ranked: how many have a rank.
        skipped: rows whose name the registry's rules refuse.
        partial: whether the list is known to hold a part of the popular names only.
    """

    ecosystem: Ecosystem
    version: str
    created: datetime
    size: int
    protected: int
    ranked: int
    skipped: int = 0
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Corpus:
    """The list of one ecosystem.

    Attributes:
        ecosystem: whose names these are.
        version: "sha256:" and twelve digits of the hash of the uncompressed list.
        created: when the list was drawn up.
        entries: by rank, those without one last.
        skipped: rows whose name the registry's rules refuse.
        partial: whether the list is known to hold a part of the popular names only.
    """

    ecosystem: Ecosystem
    version: str
    created: datetime
    entries: tuple[Entry, ...]
    skipped: int = 0
    partial: bool = False


def on_board() -> tuple[Ecosystem, ...]:
    """The ecosystems that the package carries a list for, in the order of the enumeration."""
    present = {path.name for path in _package_data().iterdir()}
    return tuple(e for e in Ecosystem if f"{FILE_STEMS[e]}.csv.xz" in present)


@dataclass(frozen=True, slots=True)
class RawList:
    """A list that is read and not yet parsed.

    Attributes:
        ecosystem: whose names these are.
        content: its bytes, plain or xz.
        created: when the list was drawn up.
        where: what to call it in messages.
        partial: whether the list is known to hold a part of the popular names only.
    """

    ecosystem: Ecosystem
    content: bytes
    created: datetime
    where: str
    partial: bool = False

    @property
    def digest(self) -> str:
        """The hash of the bytes, 64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()

    def parse(self) -> Corpus:
        """The list itself. Raises CorpusUnreadable."""
        return parse(self.ecosystem, self.content, self.created, where=self.where, partial=self.partial)


def raw_builtin(ecosystem: Ecosystem) -> RawList:
    """One of the lists that the package carries. Raises CorpusUnreadable."""
    stem = FILE_STEMS[ecosystem]
    try:
        manifest = json.loads(_package_data().joinpath("manifest.json").read_text(encoding="utf-8"))
        facts = manifest["corpora"][ecosystem.value]
        packed = _package_data().joinpath(f"{stem}.csv.xz").read_bytes()
        created = datetime.fromisoformat(facts["created"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(f"the built-in list of {ecosystem}", str(error)) from error
    return RawList(ecosystem, packed, created, f"{stem}.csv.xz", bool(facts["partial"]))


def read_builtin(ecosystem: Ecosystem) -> Corpus:
    """One of the lists that the package carries. Raises CorpusUnreadable."""
    return raw_builtin(ecosystem).parse()


def files_in(directory: Path) -> dict[Ecosystem, Path]:
    """The lists in a directory: `<ecosystem>.csv` or `.csv.xz`, such as `pypi.csv`.

    Raises:
        CorpusUnreadable: the directory holds none, or cannot be looked into.
    """
    found = {}
    try:
        for ecosystem, stem in FILE_STEMS.items():
            for path in (directory / f"{stem}.csv", directory / f"{stem}.csv.xz"):
                if path.is_file():
                    found[ecosystem] = path
                    break
    except OSError as error:
        raise _unreadable(str(directory), error.strerror or str(error)) from error
    if not found:
        raise _unreadable(str(directory), "it holds no list")
    return found


def raw_file(ecosystem: Ecosystem, path: Path) -> RawList:
    """A list from a file; its date is the file's. Raises CorpusUnreadable."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        created = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise _unreadable(str(path), error.strerror or str(error)) from error
    return RawList(ecosystem, content, created, str(path))


def read_file(ecosystem: Ecosystem, path: Path) -> Corpus:
    """A list from a file; its date is the file's. Raises CorpusUnreadable."""
    return raw_file(ecosystem, path).parse()


def parse(ecosystem: Ecosystem, content: bytes, created: datetime, *, where: str, partial: bool = False) -> Corpus:
    """A corpus from its bytes, plain or xz. Raises CorpusUnreadable, naming `where`."""
    try:
        if len(content) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")  # noqa: TRY301 - one place says what is wrong
        plain = _unpacked(content) if content.startswith(b"\xfd7zXZ") else content
        text = plain.decode("utf-8-sig")
        rows = list(islice(csv.DictReader(io.StringIO(text, newline="")), MAX_NAMES + 1))
    except (lzma.LZMAError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise _unreadable(where, str(error)) from error
    if not rows or "name" not in rows[0]:
        raise _unreadable(where, "it has no column called name, or no rows")
    if len(rows) > MAX_NAMES:
        raise _unreadable(where, f"it has more than {MAX_NAMES} rows")
    entries: dict[str, Entry] = {}
    skipped = 0
    for entry in _entries(ecosystem, rows, where):
        if entry is None:
            skipped += 1
        else:
            entries.setdefault(entry.name.identity, entry)
    if not entries:
        raise _unreadable(where, f"none of its {len(rows)} names is one that {ecosystem} allows")
    ranked = sorted(entries.values(), key=lambda e: (e.rank is None, e.rank or 0, e.name.identity))
    version = "sha256:" + hashlib.sha256(plain).hexdigest()[:VERSION_DIGITS]
    return Corpus(ecosystem, version, created, tuple(ranked), skipped, partial)


def _entries(ecosystem: Ecosystem, rows: list[dict[str, str]], where: str) -> Iterator[Entry | None]:
    for n, row in enumerate(rows, start=1):
        try:
            name = parse_name(ecosystem, row["name"] or "")
        except DomainError:
            yield None
            continue
        if not name.raw.isascii():
            # No registry holds such a name; a list that does must not make a look-alike known.
            yield None
            continue
        digits = (row.get("rank") or "").strip()
        if digits and not is_rank(digits):
            raise _unreadable(where, f"row {n} has the rank {shown(digits)}, which is no whole number from 1 on")
        tier = row.get("tier")
        yield Entry(name, int(digits) if digits else None, tier in {PROTECTED, TARGET}, tier != TARGET)


def is_rank(digits: str) -> bool:
    """Whether a text is a whole number from 1 on, of nine digits at most."""
    return digits.isascii() and digits.isdigit() and len(digits) <= MAX_RANK_DIGITS and int(digits) > 0


def _unpacked(content: bytes) -> bytes:
    decompressor = lzma.LZMADecompressor(memlimit=2 * MAX_BYTES)
    plain = decompressor.decompress(content, MAX_BYTES)
    if not decompressor.eof:
        raise ValueError(f"it is cut off, or unpacks to more than {MAX_BYTES} bytes")
    if decompressor.unused_data:
        raise ValueError("something follows the compressed list")
    return plain


def _package_data() -> Traversable:
    return resources.files("typosentinel_server").joinpath("corpora")


def _unreadable(where: str, why: str) -> CorpusUnreadable:
    return CorpusUnreadable(
        "CORPUS_UNREADABLE",
        f"cannot read popular names from {where}: {why}",
        "A corpus directory holds files such as pypi.csv with the columns rank,name,tier.",
    )
