"""What server and worker say to each other: a length, then a pickle. Both ends are ours, on a pipe of their own."""

import pickle
import struct
from collections.abc import Sequence
from typing import Any

from typosentinel_server.scan.model import ScanResult
from typosentinel_server.verdictjson import Rendered
from typosentinel_server.workers.slices import Answer, Judged, Refused

LENGTH = struct.Struct("<I")
# Far above a slice's; what is larger is no frame.
MAX_BYTES = 2**28


def frame(content: Any) -> bytes:
    """The bytes of something to be sent."""
    payload = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(payload)) + payload


def content_of(payload: bytes) -> Any:
    """What was sent, from the bytes after the length."""
    return pickle.loads(payload)  # noqa: S301 - written by a process that we started, and by nobody else


def packed(answers: Sequence[Answer | ScanResult]) -> list[Any]:
    """Answers as plain tuples, which take a fraction of the time that objects take."""
    return [
        (one.verdict, one.json.ecosystem, one.json.verdict, one.json.evidence, one.json.corpus)
        if isinstance(one, Judged)
        else (one.code, one.message, one.suggestion)
        if isinstance(one, Refused)
        else one
        for one in answers
    ]


def unpacked(content: Sequence[Any]) -> list[Answer | ScanResult]:
    """The answers again."""
    return [
        one
        if isinstance(one, ScanResult)
        else Judged(one[0], Rendered(*one[1:]))
        if len(one) > 3  # noqa: PLR2004 - a refusal has three parts
        else Refused(*one)
        for one in content
    ]
