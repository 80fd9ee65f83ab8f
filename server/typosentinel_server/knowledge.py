"""The lists that whoever runs the scanner brings, from files to what the conclusion reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from typosentinel_server import listdocuments
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.scan.conclusion import Knowledge
from typosentinel_server.scan.context.allowlist import AllowList
from typosentinel_server.scan.context.indexfiles import read_index
from typosentinel_server.scan.context.malware import MalwareList
from typosentinel_server.scan.context.malwarefiles import parse_csv, parse_osv, refused
from typosentinel_server.scan.context.privatenames import PrivateNames
from typosentinel_server.scan.context.registryindex import RegistryIndex
from typosentinel_server.scan.model import Ecosystem

MAX_MALWARE_BYTES = 64 * 2**20
MAX_RECORD_BYTES = 2**20
MAX_RECORDS = 2**20
MAX_INDEX_BYTES = 2**29

# What tells that a file has been replaced or written to: device, inode, size, time of the last change in ns.
Stamp = tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Lists:
    """Where the lists are.

    Attributes:
        allow_list: a document of kind AllowList.
        private_names: a document of kind PrivateNames.
        malware: a CSV file, or a directory of OSV records.
        registry_index: a file of names an ecosystem.
    """

    allow_list: Path | None = None
    private_names: Path | None = None
    malware: Path | None = None
    registry_index: Mapping[Ecosystem, Path] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        given = (self.allow_list, self.private_names, self.malware, *self.registry_index.values())
        return tuple(path for path in given if path is not None)


@dataclass(frozen=True, slots=True)
class Held:
    """Knowledge, and which files it was read from, so that what has not changed is not read again.

    Attributes:
        knowledge: what the files say.
        read: what each file gave, with its stamp from just before.
    """

    knowledge: Knowledge = field(default_factory=Knowledge)
    read: Mapping[tuple[str, Path], tuple[Stamp, Any]] = field(default_factory=dict)


def stamps_of(lists: Lists) -> tuple[Stamp, ...]:
    """The stamps of all files; another tuple when one was replaced, written to, made or removed."""
    return tuple(map(_stamp, lists.paths))


def read_knowledge(lists: Lists, held: Held | None = None) -> Held:
    """What the files say; takes over from `held` what has not changed.

    Raises:
        ConfigurationInvalid: one of them cannot be read or is wrong; with file and line.
    """
    before = held.read if held else {}
    read: dict[tuple[str, Path], tuple[Stamp, Any]] = {}

    def get(kind: str, path: Path, parse: Callable[[Path], Any]) -> Any:
        stamp = _stamp(path)
        kept = before.get((kind, path))
        fresh = kept if kept and kept[0] == stamp else (stamp, parse(path))
        read[kind, path] = fresh
        return fresh[1]

    knowledge = Knowledge(
        get("allow-list", lists.allow_list, _allow_list) if lists.allow_list else AllowList(),
        get("private-names", lists.private_names, _private_names) if lists.private_names else PrivateNames(),
        get("malware", lists.malware, _malware) if lists.malware else MalwareList(),
        {e: get(e.value, path, _index_of(e)) for e, path in lists.registry_index.items()},
    )
    return Held(knowledge, read)


def _allow_list(path: Path) -> AllowList:
    return listdocuments.parse_allow_list(_content(path, listdocuments.MAX_BYTES), str(path))


def _private_names(path: Path) -> PrivateNames:
    return listdocuments.parse_private_names(_content(path, listdocuments.MAX_BYTES), str(path))


def _malware(path: Path) -> MalwareList:
    if _is_directory(path):
        found = parse_osv(_records(path), str(path))
        if not len(found):
            raise refused(
                str(path), 1, "the directory holds no OSV record (*.json) of an ecosystem that is judged here"
            )
        return found
    return parse_csv(_content(path, MAX_MALWARE_BYTES), str(path))


def _records(directory: Path) -> Iterator[tuple[str, bytes]]:
    for n, path in enumerate(sorted(directory.rglob("*.json"))):
        if n == MAX_RECORDS:
            raise refused(str(directory), 1, f"it has more than {MAX_RECORDS} files")
        yield str(path), _content(path, MAX_RECORD_BYTES)


def _index_of(ecosystem: Ecosystem) -> Callable[[Path], RegistryIndex]:
    def read(path: Path) -> RegistryIndex:
        with _opened(path, MAX_INDEX_BYTES) as file:
            return read_index(ecosystem, file, str(path))

    return read


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _content(path: Path, limit: int) -> bytes:
    with _opened(path, limit) as file:
        return file.read(limit + 1)


def _opened(path: Path, limit: int) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():
            raise refused(str(path), 1, "this is no file")
        file = path.open("rb")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationInvalid(
            "LIST_UNREADABLE", f"{path}:1: {why}", "Check the path and who may read it."
        ) from error
    if path.stat().st_size > limit:
        file.close()
        raise refused(str(path), 1, f"the file is larger than {limit} bytes")
    return file


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
