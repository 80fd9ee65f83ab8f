"""The lists that whoever runs the scanner brings, from files to what the conclusion reads.

The command line reads all of them or none (`read_knowledge`); a server takes each by itself (`reread`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from typosentinel_server import listdocuments
from typosentinel_server.document import digest_of
from typosentinel_server.errors import ConfigurationInvalid, DomainError
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

ALLOW_LIST: Final = "allowList"
PRIVATE_NAMES: Final = "privateNames"
MALWARE: Final = "malware"
# What tells that a file has been replaced, written to or made readable: device, inode, size, time of the change in ns.
Stamp = tuple[int, int, int, int] | None
Read = Callable[[Path], Any]


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


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one list.

    Attributes:
        path: its file.
        stamp: of the file, from just before it was read.
        digest: of the file's bytes; None for what is too large to be read for that alone, or can't be read.
        content: the list in use: the file's, or the last one that was right; None: there has been none.
        error: why the file was refused, with file and line; None: it is in use.
    """

    path: Path
    stamp: Stamp
    digest: str | None
    content: Any
    error: str | None

    @property
    def serving(self) -> Literal["current", "earlier", "none"]:
        """What is in use: this file's list, an earlier one, or none at all."""
        if self.error is None:
            return "current"
        return "none" if self.content is None else "earlier"


@dataclass(frozen=True, slots=True)
class Held:
    """Knowledge, and what became of each list of which it is made.

    Attributes:
        knowledge: what is in use.
        readings: by list, under the names that `Knowledge.sizes` has.
    """

    knowledge: Knowledge = field(default_factory=Knowledge)
    readings: Mapping[str, Reading] = field(default_factory=dict)


def read_knowledge(lists: Lists) -> Knowledge:
    """What the files say.

    Raises:
        ConfigurationInvalid: one of them cannot be read or is wrong; with file and line.
    """
    return _knowledge({name: read(path) for name, (path, read) in _named(lists).items()})


def reread(lists: Lists, held: Held) -> Held:
    """What the files say by now; a file that is refused leaves the list that was in use before it.

    What has not changed is not read again, whatever came of it; `held` itself where nothing has.
    """
    readings = {
        name: _reading(name, path, read, held.readings.get(name)) for name, (path, read) in _named(lists).items()
    }
    if readings.keys() == held.readings.keys() and all(readings[name] is held.readings[name] for name in readings):
        return held
    right = {name: reading.content for name, reading in readings.items() if reading.content is not None}
    return Held(_knowledge(right), readings)


def _named(lists: Lists) -> dict[str, tuple[Path, Read]]:
    given: dict[str, tuple[Path | None, Read]] = {
        ALLOW_LIST: (lists.allow_list, _allow_list),
        PRIVATE_NAMES: (lists.private_names, _private_names),
        MALWARE: (lists.malware, _malware),
        **{_index_name(e): (path, _index_of(e)) for e, path in lists.registry_index.items()},
    }
    return {name: (path, read) for name, (path, read) in given.items() if path is not None}


def _index_name(ecosystem: Ecosystem) -> str:
    return f"registryIndex.{ecosystem}"


def _knowledge(contents: Mapping[str, Any]) -> Knowledge:
    return Knowledge(
        contents.get(ALLOW_LIST, AllowList()),
        contents.get(PRIVATE_NAMES, PrivateNames()),
        contents.get(MALWARE, MalwareList()),
        {e: contents[_index_name(e)] for e in Ecosystem if _index_name(e) in contents},
    )


def _reading(name: str, path: Path, read: Read, before: Reading | None) -> Reading:
    stamp = _stamp(path)
    if before is not None and (before.path, before.stamp) == (path, stamp):
        return before
    digest = _digest(path) if name in {ALLOW_LIST, PRIVATE_NAMES} else None
    try:
        return Reading(path, stamp, digest, read(path), None)
    except DomainError as error:
        why = error.message
    except Exception as error:  # noqa: BLE001 - whatever is wrong with this file, the others are in use
        why = f"{path}:1: {type(error).__name__}: {error}"
    return Reading(path, stamp, digest, before.content if before else None, why)


def _digest(path: Path) -> str | None:
    try:
        return digest_of(_content(path, listdocuments.MAX_BYTES))
    except (ConfigurationInvalid, OSError):
        return None


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
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns
