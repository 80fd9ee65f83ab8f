"""Bodies that are more than they look, and bodies that look like more than they are."""

import sys
import zlib
from collections.abc import Iterator

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdCompressor
else:
    from backports.zstd import ZstdCompressor

MIB = 1024 * 1024
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
GZIP, RAW = 31, -15
FRAME_MIB = 1024
ENCODINGS = ("gzip", "deflate", "zstd")


def bomb(encoding: str, mib: int) -> Iterator[bytes]:
    """Packed zeros that unpack to so many MiB, in pieces; about a thousandth of that on the wire, zstd far less."""
    if encoding == "zstd":
        for start in range(0, mib, FRAME_MIB):
            yield _frame(min(FRAME_MIB, mib - start))
        return
    yield GZIP_HEAD if encoding == "gzip" else b"\x78\x01"
    packer = zlib.compressobj(9, zlib.DEFLATED, RAW)
    # After a full flush the packer remembers nothing, so that the second block can stand for all of them.
    first = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    second = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    yield first
    for _ in range(mib - 1):
        yield second


def _frame(mib: int) -> bytes:
    packer = ZstdCompressor()
    zeros = bytes(MIB)
    return b"".join(packer.compress(zeros) for _ in range(mib)) + packer.flush()


def chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces as chunks, without the last one: the body never ends."""
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)


def crumbs(count: int, at_once: int = 10_000) -> Iterator[bytes]:
    """So many chunks of one byte."""
    for start in range(0, count, at_once):
        yield b"1\r\n \r\n" * min(at_once, count - start)
