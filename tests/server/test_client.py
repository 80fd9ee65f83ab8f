"""Asking a server: what it answers, what it refuses, and what is no answer at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from commanding import Run
from running import Start, ask
from typosentinel_server.answers import Question
from typosentinel_server.client import RemoteJudge
from typosentinel_server.errors import ServerUnreachable

Answering = Callable[[int, str | bytes], Any]
ERROR = {"code": "X", "message": "no \x1b[31mway", "suggestion": "go\x07", "timestamp": "t", "requestId": "r"}


async def test_server_answers_for_the_command_line(start: Start, run: Run) -> None:
    """The same text, and who answered."""
    server = await start()
    result = await asyncio.to_thread(run, "scan", "--server", server.url, "reqeusts", "requests", "a b")

    assert result.stdout.splitlines()[0].endswith('two neighbouring letters of "requests" (rank 2) are swapped')
    assert "requests  clean      0.00  on the list (rank 2)" in result.stdout
    assert "a b       refused" in result.stdout
    assert result.stdout.splitlines()[-1] == "answered by pod-1"


@pytest.fixture
async def stranger() -> AsyncIterator[Answering]:
    """Starts servers that give one answer to everything; yields a function from that answer to an address."""
    runners = []

    async def start(status: int, body: str | bytes) -> str:
        async def answer(_request: web.Request) -> web.Response:
            content = body.encode() if isinstance(body, str) else body
            return web.Response(status=status, body=content)

        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def answer(start: Start) -> dict[str, Any]:
    """A real server's answer."""
    return await ask(await start(), ecosystem="PyPI", name="reqeusts")


@pytest.mark.parametrize("status", [301, 400, 401, 404, 405, 415, 429, 500, 503])
async def test_refusal_of_the_question_is_a_failure(run: Run, stranger: Answering, status: int) -> None:
    """A gate must not open because its server turns everybody away."""
    url = await stranger(status, json.dumps({"error": ERROR}))
    for arguments in (("reqeusts",), ("--stdin",)):
        result = await asyncio.to_thread(run, "scan", "--server", url, *arguments, stdin="reqeusts\n")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"it says {status}: no \\x1b[31mway" in result.stderr


async def test_path_that_is_wrong_is_a_failure(run: Run, start: Start) -> None:
    """Our own server at another path judges nothing either."""
    server = await start()
    result = await asyncio.to_thread(
        run, "scan", "--server", f"{server.url}/wrong", "--fail-on", "suspicious", "reqeusts"
    )

    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("status", [413, 422])
async def test_refusal_of_a_name_is_shown_and_plays_no_tricks(run: Run, stranger: Answering, status: int) -> None:
    """Escape sequences of a server come out as text."""
    url = await stranger(status, json.dumps({"error": ERROR}))
    result = await asyncio.to_thread(run, "scan", "--server", url, "a")

    assert result.stdout == "a  refused       -  no \\x1b[31mway. go\\x07\n"
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "change",
    [
        {"score": "high"},
        {"score": 1e400},
        {"score": 7.5},
        {"verdict": "fine"},
        {"targets": "requests"},
        {"targets": [1]},
        {"findings": [{}]},
        {"findings": {}},
        {"known": None},
        {"rank": "1"},
        {"allowances": 5},
        {"allowances": [{}]},
        {"allowances": [{"entry": "a", "reason": "b", "expires": "soon", "target": None, "expired": False}]},
    ],
)
async def test_answer_of_another_shape_is_no_answer(
    run: Run, stranger: Answering, answer: dict[str, Any], change: dict[str, Any]
) -> None:
    """Whatever a server sends, a sentence comes of it."""
    url = await stranger(200, json.dumps(answer | change))
    result = await asyncio.to_thread(run, "scan", "--server", url, "a")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "no answer of ours, status 200" in result.stderr


async def test_answer_that_contradicts_itself_is_shown(run: Run, stranger: Answering, answer: dict[str, Any]) -> None:
    """Something is cleared, and nothing says by what."""
    answer["findings"][0]["cleared"] = True
    url = await stranger(200, json.dumps(answer | {"verdict": "clean", "score": 0}))
    result = await asyncio.to_thread(run, "scan", "--server", url, "reqeusts")

    assert result.stdout.startswith("reqeusts  clean      0.00  two neighbouring letters")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 100_000, b" " * 2**21])
async def test_answer_of_another_server_is_no_answer(run: Run, stranger: Answering, body: bytes) -> None:
    """A wrong address is told apart from a clean name."""
    for status in (200, 404, 422):
        result = await asyncio.to_thread(run, "scan", "--server", await stranger(status, body), "a")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"no answer of ours, status {status}" in result.stderr


async def test_newer_server_may_say_more(run: Run, stranger: Answering, answer: dict[str, Any]) -> None:
    """What this version does not know it leaves alone."""
    answer["findings"][0]["news"] = 1
    url = await stranger(200, json.dumps(answer | {"news": 1}))
    result = await asyncio.to_thread(run, "scan", "--server", url, "reqeusts")

    assert result.stdout.startswith("reqeusts  suspicious 0.99")


@pytest.mark.parametrize(
    "url", ["http://user:hidden@127.0.0.1:1/", "user:hidden@host", "http://u:hid/hidden@h:1", "http://u:hidden@a..b"]
)
def test_password_in_an_address_is_not_repeated(url: str) -> None:
    """It would stand in the log of every pipeline."""
    with pytest.raises(ServerUnreachable) as unreachable:
        RemoteJudge(url)(Question("PyPI", "a"))

    assert "hidden" not in unreachable.value.message


async def test_many_names_are_one_request(start: Start, run: Run) -> None:
    """With the answers of single scans, in their order."""
    server = await start()
    names = ["reqeusts", "requests", "a b", "", *(f"flask{n}" for n in range(600))]
    lines = "".join(f"PyPI\t{name}\n" for name in names) + "cobol\ta\n"
    result = await asyncio.to_thread(run, "scan", "--server", server.url, "--stdin", "--format", "json", stdin=lines)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert len(found) == len(names) + 1
    single = await asyncio.to_thread(run, "scan", "--server", server.url, "--format", "json", "reqeusts")
    assert found[0] == json.loads(single.stdout)[0]
    assert found[2]["refusal"]["code"] == "NAME_HAS_INVISIBLE_CHARACTER"
    assert found[-1]["refusal"]["code"] == "UNKNOWN_ECOSYSTEM"
    assert server.parts.batches.tally.outcomes["complete"] == 2


async def test_a_server_without_batches_is_asked_one_by_one(answer: dict[str, Any], run: Run) -> None:
    """As older ones are."""

    async def scan(request: web.Request) -> web.Response:
        return web.json_response(answer | {"name": (await request.json())["name"]})

    app = web.Application()
    app.router.add_post("/api/v1/scan", scan)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        result = await asyncio.to_thread(run, "scan", "--server", url, "reqeusts", "flask")
    finally:
        await runner.cleanup()
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()[:2]] == ["reqeusts", "flask"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"index":0}\n',
        b'{"index":1,"error":{"code":"A","message":"a","suggestion":"a"}}\n' * 2,
        b"[]\n[]\n",
    ],
)
async def test_what_is_no_answer_to_a_batch_is_a_failure(run: Run, stranger: Answering, body: bytes) -> None:
    """Nothing is taken for a judgement that may be another name's."""
    url = await stranger(200, body)
    result = await asyncio.to_thread(run, "scan", "--server", url, "reqeusts", "flask")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no answer of ours to a batch" in result.stderr
