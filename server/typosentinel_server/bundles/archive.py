"""A bundle in one file: a plain tar of its files, nothing else in it; the lists in it may be xz-compressed.

The reader knows plain headers and nothing more, so that every step moves on by a block and nothing can point
anywhere: links, sparse files and long names are refused, an extended header's wishes are not granted.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from typosentinel_server.bundles.bundle import NAMES, Bundle, Member
from typosentinel_server.bundles.errors import DAMAGED, TOO_LARGE, refused
from typosentinel_server.errors import shown

MAX_ARCHIVE_BYTES: Final = 64 * 2**20
MAX_MEMBERS: Final = 64
BLOCK: Final = 512
NAME: Final = slice(0, 100)
SIZE: Final = slice(124, 136)
MODIFIED: Final = slice(136, 148)
CHECKSUM_AT: Final = slice(148, 156)
TYPE: Final = slice(156, 157)
PREFIX: Final = slice(345, 500)
REGULAR: Final = (b"0", b"\0")
DIRECTORY: Final = b"5"
EXTENDED: Final = (b"x", b"g")


def pack(files: Mapping[str, bytes], created: datetime) -> bytes:
    """The archive of these files; the same files and date give the same bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mtime = int(created.timestamp())
            archive.addfile(entry, io.BytesIO(files[name]))
    return out.getvalue()


def unpack(content: bytes, where: str) -> dict[str, Member]:
    """The files in an archive by name.

    Args:
        content: the archive.
        where: its name, for messages.

    Raises:
        CorpusUnreadable: it is no plain tar, is cut off, or holds something that is not a file of a bundle.
    """
    if len(content) > MAX_ARCHIVE_BYTES:
        raise refused(TOO_LARGE, where, f"it is larger than {MAX_ARCHIVE_BYTES} bytes")
    found: dict[str, Member] = {}
    for name, modified, body in _entries(content, where):
        if name not in NAMES:
            raise refused(DAMAGED, where, f"it holds {shown(name)}, which is no file of a bundle")
        if name in found:
            raise refused(DAMAGED, where, f"it holds {name} twice")
        found[name] = Member(partial(bytes, body), modified)
    return found


def open_archive(content: bytes, where: str) -> Bundle:
    """The bundle in an archive. Raises CorpusUnreadable."""
    return Bundle(where, unpack(content, where))


def _entries(content: bytes, where: str) -> Iterator[tuple[str, datetime, memoryview]]:
    view = memoryview(content)
    at = 0
    for _ in range(MAX_MEMBERS):
        header = content[at : at + BLOCK]
        if header == bytes(BLOCK):
            return
        if len(header) < BLOCK or not _is_header(header):
            raise refused(DAMAGED, where, f"it is no plain tar archive, or cut off at byte {at}")
        size = _number(header[SIZE])
        at += BLOCK
        if size > len(content) - at:
            raise refused(DAMAGED, where, f"it is cut off: {size} bytes are said to follow byte {at}")
        name = _name(header)
        if header[TYPE] in REGULAR:
            yield name, _date(_number(header[MODIFIED])), view[at : at + size]
        elif header[TYPE] not in EXTENDED and not (header[TYPE] == DIRECTORY and name in ("", ".")):
            raise refused(DAMAGED, where, f"it holds {shown(name)}, which is no regular file")
        at += -(-size // BLOCK) * BLOCK
    raise refused(DAMAGED, where, f"it holds more than {MAX_MEMBERS} files")


def _is_header(header: bytes) -> bool:
    # The sum of all bytes, those of the sum itself counted as spaces.
    return _number(header[CHECKSUM_AT]) == sum(header) - sum(header[CHECKSUM_AT]) + 8 * ord(" ")


def _number(field: bytes) -> int:
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and not digits.strip(b"01234567") else 0


def _name(header: bytes) -> str:
    prefix, name = (header[part].partition(b"\0")[0] for part in (PREFIX, NAME))
    # GNU tar keeps other things than a prefix where its own magic stands.
    has_prefix = prefix and header[257:263] == b"ustar\0"
    text = (prefix + b"/" + name if has_prefix else name).decode("utf-8", "backslashreplace")
    return text.removeprefix("./").rstrip("/")


def _date(seconds: int) -> datetime:
    # Eleven octal digits: within the years that a datetime knows.
    return datetime.fromtimestamp(seconds, UTC)
