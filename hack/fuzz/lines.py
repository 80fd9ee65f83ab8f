"""Any bytes as the standard input of `typosentinel scan --stdin`: one answer a line, whatever the line is.

An input is a byte that chooses the options, and what is read.
"""

import io
import json
import re
import sys
import time
from codecs import BOM_UTF8
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path

from hack.fuzz.claims import claim
from hack.fuzz.lists import write_lists
from typosentinel_server.clock import Clock
from typosentinel_server.commands.scan import command
from typosentinel_server.engines import Library
from typosentinel_server.scan.model import Ecosystem, Verdict
from typosentinel_server.shelf import Shelf

OPTIONS: tuple[tuple[str, ...], ...] = ((), ("--fail-on", "advisory"), ("--format", "json"), ("--format", "text"))
# The same ones each time: click keeps every stream that it has ever written to.
OUT, ERR = io.StringIO(), io.StringIO()
CLOCK = Clock(wall=time.time, monotonic=time.monotonic)
SURROGATES = re.compile("[\ud800-\udfff]")

SEEDS = tuple(
    bytes((n,)) + content
    for n, content in enumerate(
        (
            b"PyPI\treqeusts\nnpm\tlodahs\r\n\nrequests\n",
            b"\xef\xbb\xbfcrates\tserd\nnowhere\tx\n\t\n",
            b"npm\t\xff\xfe\nnuget\ta\x00b\nmaven\tjunit:jnuit",
            "Go\tgithub.com/spf13/c\u043ebra\n\x1b[31m\n\u2028\n\x85\n".encode(),
        )
    )
)


def make(work: Path) -> Callable[[bytes], None]:
    """The target; `work` is a folder for its lists."""
    # Every run opens its lists anew: two are enough for lines of both kinds, judged and refused.
    Library.shelf = Shelf(work / "compiled")
    return partial(_one, write_lists(work, Ecosystem.PYPI, Ecosystem.NPM))


def _one(lists: Path, data: bytes) -> None:
    options, given = OPTIONS[(data[0] if data else 0) % len(OPTIONS)], data[1:]
    code, output = _run(["--stdin", "--corpus", str(lists), *options], given)
    claim("the exit code is a verdict's", holds=code in ((0, 1) if "--fail-on" in options else (0,)))
    claim("the output is text", holds=not SURROGATES.search(output))
    asked = [line for line in given.removeprefix(BOM_UTF8).split(b"\n") if line.rstrip(b"\r\n")]
    if "text" in options:
        claim("a line is answered by a line", holds=output.count("\n") == len(asked))
        return
    answers = json.loads(output) if "json" in options else [json.loads(line) for line in output.splitlines()]
    claim("a line is answered by an object", holds=len(answers) == len(asked))
    claim("the output is ASCII", holds=output.isascii())
    for answer in answers:
        _claim_answer(answer)


def _run(arguments: list[str], given: bytes) -> tuple[int, str]:
    for stream in (OUT, ERR):
        stream.seek(0)
        stream.truncate()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(given))
    try:
        with redirect_stdout(OUT), redirect_stderr(ERR):
            return int(command.main(arguments, obj=CLOCK, standalone_mode=False) or 0), OUT.getvalue()
    finally:
        sys.stdin = before


def _claim_answer(answer: dict[str, object]) -> None:
    texts = (answer["ecosystem"], answer["name"])
    claim("what was asked is text", holds=all(isinstance(t, str) and not SURROGATES.search(t) for t in texts))
    refusal = answer.get("refusal")
    if refusal is not None:
        claim("a refusal has code and reason", holds=isinstance(refusal, dict) and {"code", "reason"} <= set(refusal))
        claim("what is refused has no verdict", holds="verdict" not in answer)
        return
    score = answer["score"]
    claim("a verdict is one of ours", holds=answer["verdict"] in set(Verdict))
    claim("a score is from 0 to 1", holds=isinstance(score, float) and 0 <= score <= 1)
    claim("targets and known are there", holds=isinstance(answer["targets"], list) and answer["known"] in (True, False))
