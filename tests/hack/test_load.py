"""The load generator on real sockets, and what is made of its output."""

import asyncio
import json
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hack.load.generator import Load, Plan, printed
from hack.load.outcome import Outcome, Unfinished, near, quantile, read

Answer = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


def good(number: int, connection: str = "keep-alive") -> bytes:
    """A good answer."""
    body = json.dumps({"verdict": "clean", "number": number}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n"
    return head.encode() + body


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Answer], Awaitable[int]]]:
    """Start a server that answers the requests of a connection, numbered from 0; returns its port."""
    servers: list[asyncio.Server] = []

    async def start(answer: Answer) -> int:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            number = 0
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    await reader.readexactly(length)
                    await answer(number, writer)
                    number += 1
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(connected, "127.0.0.1", 0))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


async def loaded(port: int, *, fresh: float = 0.0, requests: int = 40) -> Load:
    """A load that has ended."""
    plan = Plan("127.0.0.1", port, 400.0, requests / 400.0, fresh, 0.4)
    load = Load(plan, time.monotonic, time.time, random.Random(1))  # noqa: S311 - no secret is made of it
    await load.run()
    return load


async def well(number: int, writer: asyncio.StreamWriter) -> None:
    """A server with which all is well."""
    writer.write(good(number))


async def test_connections_are_kept_and_every_answer_counts(serve: Callable[[Answer], Awaitable[int]]) -> None:
    """One connection would do; an answer that is slow makes a second one."""
    load = await loaded(await serve(well))
    assert (len(load.records), load.failures) == (40, [])
    assert load.opened < 40


async def test_some_requests_have_a_connection_of_their_own(serve: Callable[[Answer], Awaitable[int]]) -> None:
    """All of them, where that is asked for."""
    load = await loaded(await serve(well), fresh=1.0)
    assert (len(load.records), load.opened) == (40, 40)


async def test_who_is_asked_to_close_closes(serve: Callable[[Answer], Awaitable[int]]) -> None:
    """As servers ask that are on their way out."""

    async def last_word(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(good(number, "close"))

    load = await loaded(await serve(last_word))
    assert (len(load.records), load.opened, load.idle) == (40, 40, [])


async def test_a_connection_closed_in_the_answers_stead_is_a_failure(
    serve: Callable[[Answer], Awaitable[int]],
) -> None:
    """Nothing is sent twice; the failure says how old the connection was and what it had carried."""

    async def twice(number: int, writer: asyncio.StreamWriter) -> None:
        if number == 2:
            writer.close()
        else:
            writer.write(good(number))

    load = await loaded(await serve(twice))
    assert load.failures
    assert len(load.records) + len(load.failures) == 40
    assert {(one["stage"], one["kind"], one["connection_requests"]) for one in load.failures} == {
        ("answering", "IncompleteReadError", 2)
    }


BAD: dict[str, tuple[bytes, str]] = {
    "an error": (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "HTTP 503"),
    "no verdict": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "an answer without a verdict"),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\n", "KeyError"),
    "silence": (b"", "TimeoutError"),
}


@pytest.mark.parametrize("sentence", BAD)
async def test_what_is_no_good_answer_is_a_failure(sentence: str, serve: Callable[[Answer], Awaitable[int]]) -> None:
    """Of every kind."""
    answer, kind = BAD[sentence]

    async def badly(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    load = await loaded(await serve(badly), requests=4)
    assert [one["kind"] for one in load.failures] == [kind] * 4


async def test_nobody_there_is_a_failure() -> None:
    """A refused connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    load = await loaded(port, requests=4)
    assert {(one["stage"], one["kind"]) for one in load.failures} == {("connecting", "ConnectionRefusedError")}


async def test_what_is_printed_can_be_read(
    serve: Callable[[Answer], Awaitable[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Times, failures and all."""
    load = await loaded(await serve(well), requests=20)
    load.failures.append({"at": 1.0, "stage": "answering", "kind": "HTTP 503", "fresh": True})
    printed(load, 1000.0)
    outcome = read(capsys.readouterr().out)
    assert (outcome.requests, len(outcome.answers), outcome.connections) == (21, 20, load.opened)
    assert outcome.kinds() == {"new answering HTTP 503": 1}
    due = sorted(at - 1000.0 for at, _ in outcome.answers)
    assert due == pytest.approx([number / 400.0 for number in range(20)], abs=0.0015)


async def test_a_load_can_be_told_to_end(serve: Callable[[Answer], Awaitable[int]]) -> None:
    """What was sent has its answer."""
    begun = asyncio.Event()

    async def noting(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(good(number))
        begun.set()

    plan = Plan("127.0.0.1", await serve(noting), 400.0, 60.0, 0.0, 0.4)
    load = Load(plan, time.monotonic, time.time, random.Random(1))  # noqa: S311 - no secret is made of it
    running = asyncio.create_task(load.run())
    await begun.wait()
    load.stop()
    await running
    assert load.failures == []
    assert 0 < len(load.records) < 24_000


@pytest.mark.parametrize("output", ["", "garbage", '{"began": 1.0}'])
def test_a_generator_that_was_cut_short_is_no_success(output: str) -> None:
    """No answer is not the same as no failure."""
    with pytest.raises(Unfinished):
        read(output)


def test_times_are_told_apart_by_when_the_request_was_due() -> None:
    """Before, during and after a change."""
    outcome = Outcome(0.0, ((1.0, 0.3), (2.0, 0.1), (3.0, 0.2), (9.0, 5.0)), (), 1, 0.0)
    assert outcome.took([(1.0, 3.0)]) == [0.1, 0.3]
    assert outcome.took([(1.0, 2.0), (3.0, 4.0)]) == [0.2, 0.3]
    assert quantile(outcome.took([(0.0, 10.0)]), 0.5) == 0.3
    assert quantile([], 0.99) == 0.0


def test_failures_are_told_with_what_had_happened() -> None:
    """So that one sees what to look at."""
    failure = {
        "at": 12.5,
        "stage": "answering",
        "kind": "ConnectionResetError",
        "fresh": False,
        "connection_age": 3.0,
        "connection_requests": 7,
    }
    (line,) = near([failure], [(10.0, "restart 1 began"), (20.0, "restart 1 ended")])
    assert (
        line == "kept answering ConnectionResetError, connection of 3.0 s and 7 requests, 2.50 s after restart 1 began"
    )
    assert near([failure], [])[0].endswith("before anything")
