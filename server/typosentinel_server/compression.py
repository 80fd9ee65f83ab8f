"""Compressing answers for whoever takes them compressed."""

import gzip
import re
import sys
from enum import StrEnum

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Below, what is saved fits into the packet that goes out anyway.
MIN_BYTES = 2048
# Above, it takes so long that others would notice.
INLINE_BYTES = 128 * 1024
# Both at their fastest useful level: a tenth of the size more, a fifth of the time.
ZSTD_LEVEL = 3
GZIP_LEVEL = 4
MAX_HEADER = 1024
REFUSED = re.compile(r"q=0(\.0{0,3})?")


class Coding(StrEnum):
    """Content codings as HTTP names them, the better one first."""

    ZSTD = "zstd"
    GZIP = "gzip"


def chosen(accept: str) -> Coding | None:
    """The coding to use by a header Accept-Encoding; None to send as it is. Ranks among several are ours to set."""
    offered: dict[str, bool] = {}
    for part in accept[:MAX_HEADER].lower().split(","):
        name, _, parameter = part.partition(";")
        offered[name.strip()] = not REFUSED.fullmatch(parameter.strip())
    for coding in Coding:
        if offered.get(coding.value, offered.get("*", False)):
            return coding
    return None


def compressed(body: bytes, coding: Coding) -> bytes:
    """The body in a coding."""
    if coding is Coding.ZSTD:
        return zstd.compress(body, level=ZSTD_LEVEL)
    return gzip.compress(body, compresslevel=GZIP_LEVEL, mtime=0)
