"""What providers may answer: in every way that HTTP carries it, and whatever comes instead of it, on real sockets."""

import asyncio
import gzip
import tracemalloc

import pytest

from origin import Answer, Origin, http, says, stalls
from strangers import LOOPBACK, THING, good, heard, registry, witness
from typosentinel_server.clock import Clock
from typosentinel_server.providers.body import inflated
from typosentinel_server.providers.gleaned import Failure, State


def deep(depth: int) -> bytes:
    """Lists in lists, so deep."""
    return b"[" * depth + b"]" * depth


async def endless(writer: asyncio.StreamWriter, _headers: dict[str, str]) -> None:
    """Chunks without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        await writer.drain()


async def interim(writer: asyncio.StreamWriter, _headers: dict[str, str]) -> None:
    """Promises of an answer, for ever."""
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.01)


async def dripping(writer: asyncio.StreamWriter, _headers: dict[str, str]) -> None:
    """A byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "answer",
    [
        good(),
        good(Content_Type="text/html"),
        good(gzip.compress(THING), Content_Encoding="gzip"),
        good(Set_Cookie="a=b"),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(THING), THING)),
        says(b"HTTP/1.0 200 OK\r\n\r\n" + THING),
    ],
    ids=["plain", "other content type", "gzip", "cookie", "chunked", "until closed"],
)
async def test_good_answers(origin: Origin, real_clock: Clock, answer: Answer) -> None:
    """Evidence comes in every way in which HTTP carries it."""
    origin.answers["/thing"] = answer
    async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        (evidence,) = await heard(found)
    assert evidence.state is State.USED, evidence.reason
    assert evidence.gleaned.first_release is not None


BOMB = gzip.compress(b" " * 50 * 2**20)
BAD = [
    ("says more than it sends", says(http("200 OK", THING, Content_Length="5000")), State.BROKEN),
    ("says less than it sends", says(http("200 OK", THING, Content_Length="5")), State.BROKEN),
    ("breaks off in a chunk", says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nabc"), State.BROKEN),
    ("says that it is huge", stalls(http("200 OK", b"", Content_Length=str(10**12))), State.BROKEN),
    ("bomb", good(BOMB, Content_Encoding="gzip"), State.BROKEN),
    ("half a gzip", good(gzip.compress(THING)[:-9], Content_Encoding="gzip"), State.BROKEN),
    ("two gzips", good(gzip.compress(THING) * 2, Content_Encoding="gzip"), State.BROKEN),
    ("no gzip", good(THING, Content_Encoding="gzip"), State.BROKEN),
    ("packed otherwise", good(THING, Content_Encoding="br"), State.BROKEN),
    ("packed twice", good(THING, Content_Encoding="gzip, gzip"), State.BROKEN),
    ("endless chunks", endless, State.BROKEN),
    ("drips", dripping, State.TIMEOUT),
    ("promises", interim, State.TIMEOUT),
    ("hangs before the head", stalls(), State.TIMEOUT),
    ("hangs in the head", stalls(b"HTTP/1.1 200 OK\r\nA: "), State.TIMEOUT),
    ("hangs in the body", stalls(http("200 OK", b"{", Content_Length="9")), State.TIMEOUT),
    ("hangs up", says(), State.UNAVAILABLE),
    ("no HTTP", says(b"SSH-2.0-OpenSSH_9.2\r\n"), State.BROKEN),
    ("a head without end", says(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000 + b"\r\n\r\n"), State.BROKEN),
    ("heads without number", says(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000 + b"\r\n"), State.BROKEN),
    ("nested", good(deep(10**6)), State.BROKEN),
    ("wrong types", good(b'{"name": ["thing"]}'), State.BROKEN),
    ("not a number", good(b'{"name": "thing", "time": NaN}'), State.BROKEN),
    ("a huge number", good(b'{"name": "thing", "time": {"created": 1%s}}' % (b"0" * 4000)), State.BROKEN),
    ("not UTF-8", good(b'{"name": "th\xffng"}'), State.BROKEN),
    ("HTML", good(b"<html>Log in first</html>"), State.BROKEN),
    ("nothing", good(b""), State.BROKEN),
    ("another package", good(THING.replace(b"thing", b"other")), State.BROKEN),
    ("no content", says(http("204 No Content")), State.BROKEN),
    ("teapot", says(http("418 I'm a teapot")), State.BROKEN),
    ("not there", says(http("404 Not Found")), State.ABSENT),
    ("gone", says(http("410 Gone")), State.ABSENT),
    ("who are you", says(http("401 Unauthorized")), State.UNAVAILABLE),
    ("go away", says(http("403 Forbidden")), State.UNAVAILABLE),
    ("too much", says(http("429 Too Many Requests")), State.UNAVAILABLE),
    ("out of order", says(http("503 Service Unavailable")), State.UNAVAILABLE),
]


@pytest.mark.parametrize(("answer", "state"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
async def test_bad_answers(origin: Origin, real_clock: Clock, answer: Answer, state: State) -> None:
    """Whatever comes instead of an answer, there is no evidence and a word for it; nothing is raised."""
    origin.answers["/thing"] = answer
    timeout = "300ms" if state is State.TIMEOUT else "10s"
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK], "timeout": timeout}
    async with witness(real_clock, **section) as found:
        (evidence,) = await heard(found)
        (again,) = await heard(found, "thing")
    assert evidence.state is state, evidence.reason
    assert evidence.reason
    assert (evidence.age, evidence.gleaned.first_release) == (None, None)
    assert again.gleaned.first_release is None


async def test_one_that_hangs_costs_its_own_evidence(origin: Origin, real_clock: Clock) -> None:
    """The others' is there, and the whole takes no longer than the timeout."""
    origin.answers["/thing"] = stalls()
    origin.answers["/downloads/thing"] = good(b'{"package": "thing", "downloads": 7}')
    counts = {"ecosystem": "npm", "shape": "npmDownloads", "url": f"http://127.0.0.1:{origin.port}/downloads/{{name}}"}
    section = {"registries": [registry(origin), counts], "allowPrivate": [LOOPBACK], "timeout": "2s"}
    async with witness(real_clock, **section) as found, asyncio.timeout(20):
        hanging, counted = await heard(found)
    assert (hanging.state, counted.state) == (State.TIMEOUT, State.USED)
    assert counted.gleaned.downloads == 7


def test_a_bomb_is_not_unpacked_beyond_the_limit() -> None:
    """What a megabyte of gzip could become is never held in memory."""
    tracemalloc.start()
    try:
        with pytest.raises(Failure):
            inflated(BOMB, 2**20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20
