"""Named arrays in one run of bytes, so that a file of them can be mapped into memory and shared.

Layout: a magic, the length of a JSON header, the header (facts, and for each array its place and type), padding,
the arrays, each at a multiple of 64. The header holds a CRC-32 of all that follows it.
"""

import json
import struct
import sys
from collections.abc import Mapping
from typing import Any, Literal
from zlib import crc32

import numpy as np
import numpy.typing as npt

from typosentinel_server.errors import CorpusUnreadable

# Numbers are in the byte order of the machine, so a machine of the other order must not know the file.
MAGIC = b"TYPOSNT" + (b"\x01" if sys.byteorder == "little" else b"\x02")
_PREFIX = struct.Struct("<8sII")
ALIGNMENT = 64
TYPES = {"B": np.uint8, "I": np.uint32, "Q": np.uint64}

Arrays = Mapping[str, npt.NDArray[Any]]


def pack(facts: Mapping[str, Any], arrays: Arrays) -> bytes:
    """The bytes of some facts (JSON) and arrays of 8, 32 or 64 bit numbers."""
    places: dict[str, tuple[int, int, str]] = {}
    chunks: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        content = array.tobytes()
        code = next(code for code, kind in TYPES.items() if array.dtype == kind)
        places[name] = (offset, len(content), code)
        chunks += [content, bytes(-len(content) % ALIGNMENT)]
        offset += len(content) + -len(content) % ALIGNMENT
    payload = b"".join(chunks)
    header = json.dumps({"facts": facts, "arrays": places}).encode()
    prefix = _PREFIX.pack(MAGIC, len(header), crc32(payload, crc32(header)))
    return prefix + header + bytes(-(len(prefix) + len(header)) % ALIGNMENT) + payload


def unpack(content: memoryview, where: str) -> tuple[dict[str, Any], dict[str, memoryview]]:
    """Facts and arrays again; the arrays are views of the content, nothing is copied.

    Raises:
        CorpusUnreadable: the bytes are not what `pack` made.
    """
    if len(content) < _PREFIX.size:
        raise damaged(where)
    magic, length, checksum = _PREFIX.unpack(content[: _PREFIX.size])
    start = _PREFIX.size + length
    start += -start % ALIGNMENT
    header = content[_PREFIX.size : _PREFIX.size + length]
    if magic != MAGIC or start > len(content) or crc32(content[start:], crc32(header)) != checksum:
        raise damaged(where)
    payload = content[start:]
    try:
        found = json.loads(bytes(header))
        arrays = {name: _array(payload, *place) for name, place in found["arrays"].items()}
        return dict(found["facts"]), arrays
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise damaged(where) from error


def _array(payload: memoryview, at: int, size: int, code: Literal["B", "I", "Q"]) -> memoryview:
    if code not in TYPES or at < 0 or at % ALIGNMENT or size < 0 or at + size > len(payload):
        raise ValueError("an array is not where the header says")
    return payload[at : at + size].cast(code)


def damaged(where: str) -> CorpusUnreadable:
    """The refusal of a file that is not what `pack` made."""
    return CorpusUnreadable(
        "INDEX_DAMAGED", f"{where} is damaged or of another version", "Remove the file; it is made anew from the list."
    )
