"""What vouches for the lists of a bundle: `manifest.json`, or `SHA256SUMS` as sha256sum writes it.

A manifest gives the hash of each list as it is uncompressed, and when it was drawn up; SHA256SUMS gives the hashes of
the files as they are. Where neither is there, lists are taken as they are.
"""

import hashlib
import json
import lzma
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from typosentinel_server.bundles.errors import CHECKSUM, DAMAGED, TOO_LARGE, refused
from typosentinel_server.errors import shown
from typosentinel_server.scan.corpus import MAX_BYTES
from typosentinel_server.scan.model import Ecosystem

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
FORMAT: Final = 1
MAX_MANIFEST_BYTES: Final = 2**20
XZ: Final = b"\xfd7zXZ"
HASH: Final = re.compile(r"[0-9a-f]{64}")
_SUMS_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(.+)")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is vouched for of one list.

    Attributes:
        file: its name in the bundle.
        sha256: 64 hexadecimal digits.
        of_plain: whether that is the hash of the uncompressed list, or of the file as it is.
        created: when it was drawn up, or None where that is not said.
        partial: whether it is known to hold a part of the popular names only.
    """

    file: str
    sha256: str
    of_plain: bool
    created: datetime | None = None
    partial: bool = False


def parse_manifest(content: bytes, where: str) -> dict[str, Facts]:
    """Facts by file name, from `manifest.json`. Raises CorpusUnreadable."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise refused(DAMAGED, where, f"its format is {shown(str(document['format']))}, and {FORMAT} is read here")
        found = [_facts(Ecosystem(key), entry) for key, entry in document["corpora"].items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise refused(DAMAGED, where, f"it is no manifest of lists: {shown(str(error))}") from error
    return {facts.file: facts for facts in found}


def parse_sums(content: bytes, where: str) -> dict[str, Facts]:
    """Facts by file name, from `SHA256SUMS`. Raises CorpusUnreadable."""
    found = {}
    for n, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        match = _SUMS_LINE.fullmatch(line)
        if match is None:
            raise refused(DAMAGED, where, f"line {n} is not a hash and a name as sha256sum writes them")
        found[match[2]] = Facts(match[2], match[1], of_plain=False)
    return found


def verified(facts: Facts, content: bytes, where: str, vouched_by: str) -> bytes:
    """The uncompressed list, once its hash is the one vouched for. Raises CorpusUnreadable."""
    plain = unpacked(content, where)
    actual = hashlib.sha256(plain if facts.of_plain else content).hexdigest()
    if actual != facts.sha256:
        why = f"its SHA-256 is {actual[:12]}…, and {vouched_by} says {facts.sha256[:12]}…"
        raise refused(CHECKSUM, where, why)
    return plain


def unpacked(content: bytes, where: str) -> bytes:
    """A list's bytes, unpacked where they are xz. Raises CorpusUnreadable, for more than `MAX_BYTES` too."""
    if len(content) > MAX_BYTES:
        raise refused(TOO_LARGE, where, f"it is larger than {MAX_BYTES} bytes")
    if not content.startswith(XZ):
        return content
    decompressor = lzma.LZMADecompressor(memlimit=2 * MAX_BYTES)
    try:
        plain = decompressor.decompress(content, MAX_BYTES)
    except lzma.LZMAError as error:
        raise refused(DAMAGED, where, str(error)) from error
    if not decompressor.eof:
        raise refused(DAMAGED, where, f"it is cut off, or unpacks to more than {MAX_BYTES} bytes")
    if decompressor.unused_data:
        raise refused(DAMAGED, where, "something follows the compressed list")
    return plain


def render(corpora: Mapping[Ecosystem, Mapping[str, Any]]) -> bytes:
    """A `manifest.json` of these lists, in the order of the enumeration."""
    ordered = {e.value: dict(corpora[e]) for e in Ecosystem if e in corpora}
    missing = [e.value for e in Ecosystem if e not in corpora]
    text = json.dumps({"format": FORMAT, "corpora": ordered, "missing": missing}, indent=2)
    return text.encode() + b"\n"


def _facts(ecosystem: Ecosystem, entry: Mapping[str, Any]) -> Facts:
    created = datetime.fromisoformat(entry["created"])
    if not HASH.fullmatch(entry["sha256"]):
        raise ValueError(f"the hash of {ecosystem} is none")
    if not isinstance(entry["file"], str):
        raise TypeError(f"the file of {ecosystem} is no text")
    return Facts(
        file=entry["file"],
        sha256=entry["sha256"],
        of_plain=True,
        created=created if created.tzinfo else created.replace(tzinfo=UTC),
        partial=entry.get("partial") is True,
    )
