"""What server and worker say to each other: a length, then a pickle. Both ends are ours, on a pipe of their own."""

import pickle
import struct
from collections.abc import Sequence
from typing import Any

from typosentinel_server.scan.model import ScanResult
from typosentinel_server.workers.slices import Answers, Refused, Written

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


def packed(answers: Sequence[Written | Refused | ScanResult]) -> list[Any]:
    """Answers as plain tuples, which take a fraction of the time that objects take."""
    return [
        (one.verdict, one.first)
        if isinstance(one, Written)
        else (one.code, one.message, one.suggestion)
        if isinstance(one, Refused)
        else one
        for one in answers
    ]


def unpacked(content: Sequence[Any]) -> Answers:
    """The answers again."""
    return [
        one
        if isinstance(one, ScanResult)
        else Written(*one)
        if len(one) == 2  # noqa: PLR2004 - a refusal has three parts
        else Refused(*one)
        for one in content
    ]
