"""The administrative port of the program as a process: its options, and a token that is none."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

PROGRAM = (sys.executable, "-m", "typosentinel_server", "serve", "--port", "0")
TOKEN = "0123456789abcdef" * 2

pytestmark = pytest.mark.timeout(30)


async def test_the_environment_opens_the_port_and_a_drain_closes_it_last(lists: Path, tmp_path: Path) -> None:
    """As a pod is configured; whoever looks at a server on its way out still gets an answer."""
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    environment = os.environ | {
        "TYPOSENTINEL_ADMIN_HOST": "127.0.0.1",
        "TYPOSENTINEL_ADMIN_PORT": "0",
        "TYPOSENTINEL_ADMIN_TOKEN_FILE": str(tmp_path / "token"),
    }
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "--corpus", str(lists), "--drain-seconds", "1", env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    addresses = {}
    while "listening" not in addresses:
        said = json.loads(await process.stderr.readline())
        addresses[said["event"]] = said.get("address")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with ClientSession(addresses["administration listens"], headers=headers) as http:
        async with http.get("/admin/status") as answer:
            assert (await answer.json())["health"]["draining"] is False
        process.send_signal(signal.SIGTERM)
        draining = False
        while not draining:
            async with http.get("/admin/status") as answer:
                draining = (await answer.json())["health"]["draining"]
    _, said_later = await process.communicate()
    assert process.returncode == 0
    assert TOKEN.encode() not in said_later


@pytest.mark.parametrize("content", ["", "too-short"])
async def test_a_token_that_is_none_ends_the_program_before_it_serves(
    lists: Path, tmp_path: Path, content: str
) -> None:
    """With one sentence, what to do, and the exit code of a wrong configuration."""
    path = tmp_path / "token"
    path.write_text(content, encoding="ascii")
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "--corpus", str(lists), "--admin-token-file", str(path), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()

    assert process.returncode == 2
    assert f"error: {path}: the token has {len(content)} characters, and needs 32 or more".encode() in said
    assert b"openssl rand" in said
    assert b"listening" not in said
    assert b"Traceback" not in said
