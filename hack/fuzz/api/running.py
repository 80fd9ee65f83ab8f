"""Starts a server, lets schemathesis and the mutations at it, and counts what came of it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, TCPConnector
from pydantic import ValidationError

from hack.fuzz.api.mutations import bodies
from typosentinel_server.schemas import ErrorResponse, ScanResponse
from typosentinel_server.wirereports import BenchmarkResponse

ROOT = Path(__file__).resolve().parents[3]
CONFIG = Path(__file__).with_name("schemathesis.toml")
LISTS = {
    "pypi": ("urllib3", "requests", "numpy", "python-dateutil", "flask", "six", "setuptools"),
    "npm": ("lodash", "react", "cross-env", "@babel/core", "moment", "next"),
}
START_SECONDS = 30.0
LOOK_SECONDS = 0.05
CONNECTIONS = 8
SHOWN = 20
BUSY = 503


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A server that can be asked.

    Attributes:
        url: of the public port.
        admin_url: of the administrative port.
        token: for that.
    """

    url: str
    admin_url: str
    token: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What schemathesis says.

    Attributes:
        cases: requests that it made up.
        well: whether it found nothing.
        told: all that it says.
    """

    cases: int
    well: bool
    told: str


@contextmanager
def served(folder: Path) -> Iterator[Fuzzed]:
    """A server in a process of its own; its files and its log are in the folder."""
    (folder / "lists").mkdir()
    for stem, names in LISTS.items():
        rows = "".join(f"{n},{name},protected\n" for n, name in enumerate(names, start=1))
        (folder / "lists" / f"{stem}.csv").write_text(f"rank,name,tier\n{rows}", encoding="utf-8")
    token = os.urandom(24).hex()
    (folder / "token").write_text(token)
    log = folder / "server.log"
    environment = os.environ | {"XDG_CACHE_HOME": str(folder)}
    command = [sys.executable, "-m", "hack.fuzz.api.server", str(folder)]
    with log.open("wb") as file, subprocess.Popen(command, cwd=ROOT, env=environment, stderr=file) as process:
        try:
            admin = _said(process, log, "administration listens")
            yield Fuzzed(_said(process, log, "listening"), admin, token)
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _said(process: subprocess.Popen[bytes], log: Path, event: str) -> str:
    for _ in range(int(START_SECONDS / LOOK_SECONDS)):
        if process.poll() is not None:
            break
        for line in log.read_text().splitlines():
            said = json.loads(line)
            if said["event"] == event:
                address: str = said["address"]
                return address
        time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"the server does not say that it is {event}: {log.read_text()}")


def examine(url: str, token: str | None, examples: int, seed: int, folder: Path) -> Examined:
    """Lets schemathesis try every operation of the document at this address.

    Args:
        url: of the server.
        token: for every request; None for none.
        examples: made up for each operation, beside those that its schema leads to.
        seed: the same requests for the same seed.
        folder: to work in.
    """
    program = Path(sys.executable).with_name("schemathesis")
    options = ["--checks=all", f"--seed={seed}", f"--max-examples={examples}", "--continue-on-failure", "--no-color"]
    options += ["--generation-database=none", "--warnings=off", "--request-timeout=20"]
    if token is not None:
        options.append(f"--header=Authorization:Bearer {token}")
    command = [str(program), f"--config-file={CONFIG}", "run", f"{url}/openapi.json", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    cases = re.search(r"([0-9,]+) generated", told)
    return Examined(int(cases[1].replace(",", "")) if cases else 0, done.returncode == 0 and cases is not None, told)


async def broken_bodies(url: str, count: int, seed: int) -> Counter[str]:
    """Sends bodies that were right once; counts the answers by status, and what breaks the contract under its text."""
    found: Counter[str] = Counter()
    todo = bodies(count, seed)
    async with ClientSession(url, connector=TCPConnector(limit=CONNECTIONS)) as http:

        async def send() -> None:
            for path, content in todo:
                async with http.post(path, data=content, headers={"Content-Type": "application/json"}) as answer:
                    text = await answer.text()
                    found[str(answer.status)] += 1
                    reason = _broken(path, answer.status, answer.content_type, text)
                    if reason and len(found) < SHOWN:
                        found[f"{reason}: {content[:300]!r} gives {answer.status} {text[:300]}"] += 1

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return found


def _broken(path: str, status: int, kind: str, text: str) -> str | None:
    if status >= 500 and not (status == BUSY and path.endswith("benchmark")):  # noqa: PLR2004 - a server's errors
        return "a server's error"
    if kind != "application/json":
        return "no JSON"
    model = ErrorResponse if status >= 400 else ScanResponse if path.endswith("scan") else BenchmarkResponse  # noqa: PLR2004
    try:
        model.model_validate_json(text)
    except ValidationError as error:
        return f"not as the document says ({error.error_count()} times)"
    return None
