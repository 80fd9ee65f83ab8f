"""Any bytes as a list of popular names: a list that can be scanned with, or a refusal.

An input is a byte that chooses the ecosystem, one that chooses how the rest becomes a file, and the rest.
"""

import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from hack.fuzz.claims import claim, claim_judgement, claim_refusal
from hack.fuzz.lists import ECOSYSTEMS, HEAD, NAMES
from typosentinel_server.engines import Library, build_engines
from typosentinel_server.errors import CorpusUnreadable, NameRefused
from typosentinel_server.scan import corpus
from typosentinel_server.scan.corpus import FILE_STEMS
from typosentinel_server.scan.model import Ecosystem, Package

CREATED = datetime(2026, 6, 1, tzinfo=UTC)
SCANNED = 4
AS_IT_IS, HEADED, PACKED, SPOILT = range(4)

SEEDS = (
    bytes((0, AS_IT_IS)) + b"\xef\xbb\xbfrank,name,tier\r\n1,requests,protected\r\n",
    bytes((1, AS_IT_IS)) + b"name\nlodash\n",
    bytes((2, AS_IT_IS)) + b"a,b\n1,2\n",
    bytes((0, HEADED)) + b'1,requests,protected\n,urllib3,\n2,"six",known\n2,Six,known\n',
    bytes((1, HEADED)) + b"0,lodash,\n-1,react,\n99999999999,next,\n",
    bytes((3, HEADED)) + "1,r\u0430ils,protected\n2,rack\n3,rspec-core,x,y\n".encode(),
    bytes((6, HEADED)) + b'1,"junit:junit\n',
    bytes((5, PACKED)) + b"1,github.com/spf13/cobra,protected\n",
    bytes((4, SPOILT, 40)) + b"1,Serilog,protected\n",
    b"",
)


def make(work: Path) -> Callable[[bytes], None]:
    """The target; `work` is a folder for the list at hand."""
    return partial(_one, work)


def _one(folder: Path, data: bytes) -> None:
    head, rest = data[:2].ljust(2, b"\0"), data[2:]
    ecosystem = ECOSYSTEMS[head[0] % len(ECOSYSTEMS)]
    content = _content(head[1] % 4, rest)
    try:
        corpus.parse(ecosystem, content, CREATED, where="a fuzzed list")
    except CorpusUnreadable as error:
        claim_refusal(error)
        return
    path = folder / f"{FILE_STEMS[ecosystem]}.csv"
    path.write_bytes(content)
    try:
        engine = build_engines(Library(folder)).engine(ecosystem)
    finally:
        path.unlink()
    for name in _asked(ecosystem, rest):
        try:
            result = engine.scan(Package(ecosystem, name))
        except NameRefused as error:
            claim_refusal(error)
            continue
        claim_judgement(result)
        claim("the list of a verdict is named", holds=result.corpus_version == engine.corpus.version)


def _content(how: int, rest: bytes) -> bytes:
    plain = HEAD.encode() + rest
    if how in (AS_IT_IS, HEADED):
        return rest if how == AS_IT_IS else plain
    packed = bytearray(lzma.compress(plain, preset=0))
    if how == SPOILT:
        packed[(rest[0] if rest else 0) % len(packed)] ^= 0x20
    return bytes(packed)


def _asked(ecosystem: Ecosystem, rest: bytes) -> list[str]:
    # The list's own names, one letter short, and a name that is surely one.
    fields = rest.decode("utf-8", "replace").replace("\n", ",").split(",")
    names = [field for field in fields if len(field) > 1][:SCANNED]
    return [*names, *(name[:-1] for name in names), NAMES[ecosystem][0]]
