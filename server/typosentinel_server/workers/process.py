"""A worker: reads slices from standard input, writes judgements to standard output, ends when the input does.

Started as `python -m typosentinel_server.workers.process`, with the lists as open files.
"""

import os
import signal
import sys
from typing import BinaryIO

from typosentinel_server.workers.frames import LENGTH, content_of, frame, packed
from typosentinel_server.workers.lists import LazyEngines
from typosentinel_server.workers.slices import judge, written


def main() -> None:
    """Works until there is nothing more to do."""
    # The server decides when this ends, also where a terminal interrupts all processes at once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = sys.stdin.buffer
    # What some library prints by mistake must not stand between frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    files = _read(source)
    if files is None:
        return
    engines = LazyEngines(content_of(files))
    _write(answers, "ready")
    while (payload := _read(source)) is not None:
        batch, asked = content_of(payload)
        found = judge(engines.engine, asked) if batch is None else written(engines.engine, asked, batch)
        _write(answers, packed(found))


def _read(source: BinaryIO) -> bytes | None:
    prefix = source.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(prefix)
    payload = source.read(length)
    return payload if len(payload) == length else None


def _write(answers: BinaryIO, content: object) -> None:
    answers.write(frame(content))
    answers.flush()


if __name__ == "__main__":
    main()
