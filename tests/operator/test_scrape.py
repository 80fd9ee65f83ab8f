"""Asking pods, the misbehaving ones too."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from sockets import Behavior, answering, dripping, endless, hanging, saying
from typosentinel_operator import names, scrape
from typosentinel_operator.observed import ListReport, NoAnswer, Report
from typosentinel_operator.scrape import Scraper

Serve = Callable[[Behavior], Awaitable[int]]
GOOD = {"status": "ok", "configuration": {"hash": "sha256:abc", "ageSeconds": 12.5, "error": None}}
LOCAL = "127.0.0.1"


def health(body: Any) -> Behavior:
    """A server with this health report."""
    return answering("200 OK", json.dumps(body).encode(), "Content-Type: application/json")


@pytest.fixture
async def scraper() -> AsyncIterator[Scraper]:
    """A scraper that waits a quarter of a second."""
    async with aiohttp.ClientSession() as session:
        yield Scraper(session, 0.25)


async def ask(scraper: Scraper, serve: Serve, behavior: Behavior, monkeypatch: pytest.MonkeyPatch) -> Report | NoAnswer:
    """What the scraper makes of such a server."""
    monkeypatch.setattr(names, "PORT", await serve(behavior))
    return (await scraper.ask([LOCAL]))[LOCAL]


async def test_a_server_says_what_it_runs(scraper: Scraper, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash and age; the rest of the report is for people."""
    answer = await ask(scraper, serve, health(GOOD), monkeypatch)
    assert answer == Report("sha256:abc", 12.5)


async def test_a_server_says_what_became_of_its_lists(
    scraper: Scraper, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name; a list that is not to be read has no hash, one that is right no error."""
    lists = [
        {"name": "allowList", "hash": "sha256:a", "lastError": None, "entries": 3},
        {"name": "privateNames", "hash": None, "lastError": "gone", "entries": 0},
    ]
    answer = await ask(scraper, serve, health(GOOD | {"lists": lists}), monkeypatch)
    wanted = {"allowList": ListReport("sha256:a", None), "privateNames": ListReport(None, "gone")}
    assert answer == Report("sha256:abc", 12.5, wanted)


async def test_a_server_that_is_draining_still_says_it(
    scraper: Scraper, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with a report is a report."""
    behavior = answering("503 Service Unavailable", json.dumps(GOOD).encode())
    assert await ask(scraper, serve, behavior, monkeypatch) == Report("sha256:abc", 12.5)


MISBEHAVIOR: dict[str, Behavior] = {
    "an HTML error page": answering("500 Internal Server Error", b"<html>oops</html>", "Content-Type: text/html"),
    "an empty body": answering("200 OK", b""),
    "a redirect": answering("302 Found", b"", "Location: http://127.0.0.1:1/"),
    "no configuration": health({"status": "ok"}),
    "a configuration of null": health({"configuration": None}),
    "lists of null": health(GOOD | {"lists": None}),
    "a list without its name": health(GOOD | {"lists": [{"hash": None, "lastError": None}]}),
    "lists that are numbers": health(GOOD | {"lists": [1, 2]}),
    "a list": health([1, 2]),
    "a number": health(7),
    "an age that is no number": health({"configuration": {"hash": "x", "ageSeconds": "old"}}),
    "an age of null": health({"configuration": {"hash": "x", "ageSeconds": None}}),
    "an age that no float holds": health({"configuration": {"hash": "x", "ageSeconds": 10**400}}),
    "a number of endless digits": answering("200 OK", b"9" * 100_000),
    "brackets without end": answering("200 OK", b"[" * 200_000),
    "bytes that are no text": answering("200 OK", b"\xff\xfe\xff"),
    "what is not HTTP": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "half an answer": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    "a header line without end": saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000),
    "nothing": saying(b""),
    "silence": hanging,
    "a body without end": endless,
    "a byte now and then": dripping,
}


@pytest.mark.parametrize("sentence", MISBEHAVIOR)
async def test_a_server_that_answers_with(
    sentence: str, scraper: Scraper, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """… costs its own row, in its time, and raises nothing."""
    async with asyncio.timeout(1.0):
        answer = await ask(scraper, serve, MISBEHAVIOR[sentence], monkeypatch)
    assert isinstance(answer, NoAnswer)
    assert answer.reason


async def test_nobody_there_is_no_answer(scraper: Scraper, monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    """The usual case of a pod that is on its way out."""
    monkeypatch.setattr(names, "PORT", free_port)
    answer = (await scraper.ask([LOCAL]))[LOCAL]
    assert isinstance(answer, NoAnswer)


async def test_a_silent_server_does_not_hold_up_the_others(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are asked at once."""
    monkeypatch.setattr(names, "PORT", await serve(hanging))
    addresses = [f"127.0.0.{n}" for n in range(1, 21)]
    async with aiohttp.ClientSession() as session, asyncio.timeout(1.0):
        answers = await Scraper(session, 0.25).ask(addresses)
    assert addresses == list(answers)


async def test_nobody_is_asked_twice(scraper: Scraper, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is there anything wrong with asking nobody."""
    monkeypatch.setattr(names, "PORT", await serve(health(GOOD)))
    assert len(await scraper.ask([LOCAL, LOCAL])) == 1
    assert await scraper.ask([]) == {}


async def test_an_ipv6_address_is_put_in_brackets(scraper: Scraper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them its colons would be taken for a port's."""
    monkeypatch.setattr(names, "PORT", 1)
    answer = (await scraper.ask(["::1"]))["::1"]
    assert isinstance(answer, NoAnswer)
    assert "::1" in answer.reason


def test_the_largest_report_is_bounded() -> None:
    """A pod must not fill the operator's memory."""
    assert scrape.MAX_BYTES <= 1 << 20
