"""A bundle: lists such as `pypi.csv` or `pypi.csv.xz`, with or without something that vouches for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final, Self

from typosentinel_server.bundles.errors import CHECKSUM, DAMAGED, MISSING, TOO_LARGE, refused
from typosentinel_server.bundles.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SUMS,
    Facts,
    parse_manifest,
    parse_sums,
    unpacked,
    verified,
)
from typosentinel_server.errors import CorpusUnreadable
from typosentinel_server.scan import corpus
from typosentinel_server.scan.corpus import FILE_STEMS, MAX_BYTES, Corpus, RawList
from typosentinel_server.scan.model import Ecosystem

LIST_NAMES: Final = frozenset(f"{stem}{ending}" for stem in FILE_STEMS.values() for ending in (".csv", ".csv.xz"))
SHAPE: Final = "A corpus directory holds files such as pypi.csv with the columns rank,name,tier."
NAMES: Final = LIST_NAMES | {MANIFEST, SUMS}


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle.

    Attributes:
        read: gives its bytes, one more than allowed at most; raises OSError.
        modified: when it was last written.
        path: where it lies, or None where it is not a file of its own.
    """

    read: Callable[[], bytes]
    modified: datetime
    path: Path | None = None


class Bundle:
    """Lists by ecosystem.

    Args:
        where: the bundle's name, for messages.
        members: its files by name; those that are none of ours are left alone.

    Raises:
        CorpusUnreadable: it holds no list, or not the lists that its manifest names.
    """

    def __init__(self, where: str, members: Mapping[str, Member]) -> None:
        self.where = where
        self._lists = dict(_lists(members))
        self._members = members
        if not self._lists:
            raise refused(MISSING, where, "it holds no list", SHAPE)
        self._vouched_by, self._facts = self._voucher()

    @classmethod
    def of_directory(cls, directory: Path) -> Self:
        """The bundle in a directory. Raises CorpusUnreadable."""
        try:
            beside = [path for path in (directory / MANIFEST, directory / SUMS) if path.is_file()]
            members = {path.name: _member(path) for path in (*corpus.files_in(directory).values(), *beside)}
        except OSError as error:
            raise refused(DAMAGED, str(directory), error.strerror or str(error)) from error
        except CorpusUnreadable as error:
            # Nobody may look into it, or there is nothing to see.
            code = DAMAGED if isinstance(error.__cause__, OSError) else MISSING
            raise CorpusUnreadable(code, error.message, error.suggestion) from error
        return cls(str(directory), members)

    @classmethod
    def of_package(cls) -> Self:
        """The lists that the package carries."""
        folder = resources.files("typosentinel_server").joinpath("corpora")
        now = datetime.fromtimestamp(0, UTC)
        members = {path.name: Member(path.read_bytes, now) for path in folder.iterdir() if path.name in NAMES}
        return cls("the built-in lists", members)

    @property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """Those that there is a list for, in the order of the enumeration."""
        return tuple(self._lists)

    @property
    def vouched_by(self) -> str | None:
        """The file that vouches for the lists, or None where none does."""
        return self._vouched_by

    def raw(self, ecosystem: Ecosystem) -> RawList:
        """One of its lists, verified where something vouches for it. Raises CorpusUnreadable."""
        name = self._lists[ecosystem]
        member = self._members[name]
        if self._vouched_by is None:
            if member.path is not None:
                return corpus.raw_file(ecosystem, member.path)
            return RawList(ecosystem, self._content(name), member.modified, self._place(name))
        facts = self._facts[name]
        created = facts.created or member.modified
        return RawList(ecosystem, self.plain(ecosystem), created, self._place(name), facts.partial)

    def read(self, ecosystem: Ecosystem) -> Corpus:
        """One of its lists. Raises CorpusUnreadable."""
        return self.raw(ecosystem).parse()

    def plain(self, ecosystem: Ecosystem) -> bytes:
        """The uncompressed bytes of one of its lists, verified where something vouches for them.

        Raises:
            CorpusUnreadable: it cannot be read, or is not what was vouched for.
        """
        name = self._lists[ecosystem]
        content = self._content(name)
        if self._vouched_by is None:
            return unpacked(content, self._place(name))
        return verified(self._facts[name], content, self._place(name), self._vouched_by)

    def _voucher(self) -> tuple[str | None, dict[str, Facts]]:
        stems = {_stem(name) for name in self._lists.values()}
        for name, parse in ((MANIFEST, parse_manifest), (SUMS, parse_sums)):
            if name in self._members:
                content = self._content(name)
                if len(content) > MAX_MANIFEST_BYTES:
                    raise refused(TOO_LARGE, self._place(name), f"it is larger than {MAX_MANIFEST_BYTES} bytes")
                facts = parse(content, self._place(name))
                unknown = set(self._lists.values()) - set(facts)
                absent = {file for file in facts if file in LIST_NAMES and _stem(file) not in stems}
                if unknown:
                    raise refused(CHECKSUM, self._place(min(unknown)), f"{name} does not vouch for it")
                if absent:
                    raise refused(MISSING, self.where, f"{name} names {min(absent)}, which is not there")
                return name, facts
        return None, {}

    def _content(self, name: str) -> bytes:
        try:
            return self._members[name].read()
        except OSError as error:
            raise refused(DAMAGED, self._place(name), error.strerror or str(error)) from error

    def _place(self, name: str) -> str:
        return f"{self.where}/{name}"


def _stem(name: str) -> str:
    return name.partition(".")[0]


def _lists(members: Mapping[str, Member]) -> list[tuple[Ecosystem, str]]:
    # As in corpus.files_in: the plain list wins.
    return [
        (ecosystem, name)
        for ecosystem, stem in FILE_STEMS.items()
        for name in [next((n for n in (f"{stem}.csv", f"{stem}.csv.xz") if n in members), None)]
        if name is not None
    ]


def _member(path: Path) -> Member:
    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    return Member(read, datetime.fromtimestamp(path.stat().st_mtime, UTC), path)
