"""The form in which values are stored outside of the process: version, stamps, checksum; packed and sealed if wanted.

    offset  bytes  content
    0       2      "TS"
    2       1      version, 1
    3       1      flags: 1 compressed with zstd, 2 sealed with AES-256-GCM
    4       4      id of the key; zeros where it is not sealed
    8       8      when it was made, milliseconds since 1970
    16      8      until when it is fresh, the same
    24      8      the last invalidation that its maker knew of
    32      4      bytes of the body before compression
    36      …      the body: name, tags and value
    -8      8      BLAKE2b of the place in the store and of all of the above

Whatever is not exactly that is no record: `decode` refuses it with a reason, and the caller counts a miss.
"""

import hashlib
import struct
import sys
from dataclasses import dataclass
from typing import Final

from typosentinel_server.cache.sealing import NotOurs, Seal

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC: Final = b"TS"
VERSION: Final = 1
COMPRESSED: Final = 1
SEALED: Final = 2
HEADER: Final = struct.Struct(">2sBB4sQQQI")
LENGTHS: Final = struct.Struct(">HH")
CHECKSUM_BYTES: Final = 8
NO_KEY: Final = bytes(4)
MAX_BODY_BYTES: Final = 16 * 2**20
MAX_TEXT_BYTES: Final = 0xFFFF
TAG_SEPARATOR: Final = "\n"
MILLIS: Final = 1000

# Why something is no record.
FOREIGN: Final = "foreign"
UNKNOWN_VERSION: Final = "version"
DAMAGED: Final = "damaged"
NOT_OPENED: Final = "key"
REASONS: Final = (FOREIGN, UNKNOWN_VERSION, DAMAGED, NOT_OPENED)


class NoRecord(Exception):
    """This is not a record of ours for this place; the reason is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLarge(Exception):
    """The value is larger than a record may be."""


@dataclass(slots=True)
class Record:
    """A value and what is known of it.

    Attributes:
        name: what it is the value of, in full.
        value: the value.
        tags: by which it can be invalidated.
        created: when it was made, seconds since 1970.
        fresh_until: until when it is fresh, the same.
        epoch: number of the last invalidation that its maker knew of before making it.
    """

    name: str
    value: bytes
    tags: tuple[str, ...]
    created: float
    fresh_until: float
    epoch: int


@dataclass(frozen=True, slots=True)
class Codec:
    """Writes and reads records.

    Attributes:
        min_bytes: bodies of this size and more are compressed; 0: none is.
        seal: seals what is written, and then nothing else is read; None: neither.
    """

    min_bytes: int = 0
    seal: Seal | None = None

    def encode(self, record: Record, place: bytes) -> bytes:
        """The record's bytes for one place in a store. Raises TooLarge."""
        name = record.name.encode()
        tags = TAG_SEPARATOR.join(record.tags).encode()
        body = b"".join((LENGTHS.pack(len(name), len(tags)), name, tags, record.value))
        size = len(body)
        if size > MAX_BODY_BYTES:
            raise TooLarge
        flags = 0
        if self.min_bytes and size >= self.min_bytes:
            packed = zstd.compress(body)
            if len(packed) < size:
                body, flags = packed, COMPRESSED
        key_id = NO_KEY
        if self.seal is not None:
            flags, key_id = flags | SEALED, self.seal.current
        stamps = (int(record.created * MILLIS), int(record.fresh_until * MILLIS))
        header = HEADER.pack(MAGIC, VERSION, flags, key_id, *stamps, record.epoch, size)
        if self.seal is not None:
            body = self.seal.close(body, place + header)
        return b"".join((header, body, _checksum(place, header, body)))

    def decode(self, blob: bytes, place: bytes) -> Record:
        """The record that was stored at a place. Raises NoRecord."""
        if not blob.startswith(MAGIC):
            raise NoRecord(FOREIGN)
        if blob[2:3] != bytes([VERSION]):
            raise NoRecord(UNKNOWN_VERSION)
        header, body = blob[: HEADER.size], blob[HEADER.size : -CHECKSUM_BYTES]
        if len(blob) < HEADER.size + CHECKSUM_BYTES or blob[-CHECKSUM_BYTES:] != _checksum(place, header, body):
            raise NoRecord(DAMAGED)
        _magic, _version, flags, key_id, created, fresh_until, epoch, size = HEADER.unpack(header)
        if bool(flags & SEALED) != (self.seal is not None):
            raise NoRecord(NOT_OPENED)
        if self.seal is not None:
            try:
                body = self.seal.open(key_id, body, place + header)
            except NotOurs as error:
                raise NoRecord(NOT_OPENED) from error
        body = _unpacked(body, size) if flags & COMPRESSED else body
        if len(body) != size:
            raise NoRecord(DAMAGED)
        return _record(body, created / MILLIS, fresh_until / MILLIS, epoch)


def _checksum(place: bytes, header: bytes, body: bytes) -> bytes:
    digest = hashlib.blake2b(place, digest_size=CHECKSUM_BYTES)
    digest.update(header)
    digest.update(body)
    return digest.digest()


def _unpacked(body: bytes, size: int) -> bytes:
    # Whoever can write to the store must not be able to have us unpack more than a record may hold.
    if size > MAX_BODY_BYTES:
        raise NoRecord(DAMAGED)
    try:
        unpacker = zstd.ZstdDecompressor()
        found = unpacker.decompress(body, max_length=size + 1)
    except zstd.ZstdError as error:
        raise NoRecord(DAMAGED) from error
    if not unpacker.eof:
        raise NoRecord(DAMAGED)
    return found


def _record(body: bytes, created: float, fresh_until: float, epoch: int) -> Record:
    try:
        name_bytes, tag_bytes = LENGTHS.unpack_from(body)
        rest = LENGTHS.size + name_bytes
        name = body[LENGTHS.size : rest].decode()
        tags = body[rest : rest + tag_bytes].decode()
    except (struct.error, UnicodeDecodeError) as error:
        raise NoRecord(DAMAGED) from error
    if len(body) < rest + tag_bytes:
        raise NoRecord(DAMAGED)
    value = body[rest + tag_bytes :]
    return Record(name, value, tuple(tags.split(TAG_SEPARATOR)) if tags else (), created, fresh_until, epoch)
