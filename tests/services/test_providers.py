"""Providers that hang, lie, break off and lead elsewhere, on real sockets."""

import asyncio
import gzip
import socket
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from origin import Answer, Origin, http, opened, says, stalls
from running import StillClock
from strangers import LOOPBACK, Names, heard, self_signed, trap, witness
from typosentinel_server.breaker import State as BreakerState
from typosentinel_server.clock import Clock
from typosentinel_server.providers.body import inflated
from typosentinel_server.providers.gleaned import Failure, State
from typosentinel_server.providers.pins import AGAIN_SECONDS, REFRESH_SECONDS
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Verdict
from typosentinel_server.sections.providers import ProviderSettings

THING = orjson.dumps({"name": "thing", "time": {"created": "2018-02-03T04:05:06.789Z"}})
METADATA = "169.254.169.254"


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A server that does as it is told."""
    async with opened() as found:
        yield found


def registry(origin: Origin, host: str = "127.0.0.1", **more: object) -> dict[str, object]:
    """The configuration of one npm-shaped provider."""
    return {"ecosystem": "npm", "url": f"http://{host}:{origin.port}/{{name}}", **more}


def good(body: bytes = THING, **headers: str) -> Answer:
    """An answer as it should be, with a connection that stays open."""
    return says(http("200 OK", body, **headers))


def flagged(name: str) -> ScanResult:
    """The judgement of a name that looks wrong."""
    return ScanResult(Package(Ecosystem.NPM, name), name, False, None, Verdict.ADVISORY, 0.5, (), "1")  # noqa: FBT003


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


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "//127.0.0.1:{port}/x", f"http://{METADATA}/latest/"])
async def test_redirects_are_not_followed(origin: Origin, real_clock: Clock, status: str, target: str) -> None:
    """Not even to a place that may be connected to."""
    async with trap() as listener:
        origin.answers["/thing"] = says(http(status, Location=target.format(port=listener.port)))
        async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED
    assert len(origin.asked) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["0.0.0.0"],
        [METADATA],
        ["10.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
    ],
)
async def test_names_that_lead_inside_are_refused(real_clock: Clock, addresses: list[str]) -> None:
    """A name of which one address is not public is connected to at none; the listener sees nobody."""
    async with trap() as listener:
        section = {"registries": [{"ecosystem": "npm", "url": f"http://registry.example.org:{listener.port}/{{name}}"}]}
        async with witness(real_clock, Names([addresses]), timeout="10s", **section) as found:
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED
    assert "must not be connected to" in evidence.reason


async def test_names_of_this_machine_are_refused(real_clock: Clock) -> None:
    """What the system's own resolver makes of localhost is loopback, too."""
    async with trap() as listener:
        section = {"registries": [{"ecosystem": "npm", "url": f"http://localhost:{listener.port}/{{name}}"}]}
        async with witness(real_clock, **section) as found:
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED


async def test_a_socket_is_refused_whatever_led_to_it(real_clock: Clock) -> None:
    """The last look is at the very address that is connected to, past every check before."""
    async with trap() as listener:
        section = {"registries": [registry(Origin(listener.port))], "allowPrivate": [LOOPBACK]}
        async with witness(real_clock, **section) as found:
            # As if the check of the configuration had let a number through.
            peer = found._gatherer.providers[0]._peer
            peer._bounds = type(peer._bounds)(timeout=1.0)
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED


async def test_a_name_that_flips_stays_where_it_was(origin: Origin, still: StillClock) -> None:
    """DNS rebinding: later look-ups lead inside, and connections go to the address that was checked."""
    origin.answers["/thing"] = origin.answers["/other"] = good()
    names = Names([["127.0.0.1"], ["127.0.0.2"], [METADATA], OSError("no such name"), ["127.0.0.1", "127.0.0.2"]])
    async with trap("127.0.0.2", origin.port) as listener:
        section = {"registries": [registry(origin, "registry.example.org")], "allowPrivate": [LOOPBACK]}
        async with witness(still.clock, names, **section) as found:
            for _ in range(8):
                (evidence,) = await heard(found)
                assert evidence.state is State.USED, evidence.reason
                still.seconds += REFRESH_SECONDS + 1
                await asyncio.sleep(0)
        assert listener.connections == 0
    assert len(names.asked) >= 5


async def test_a_name_that_flips_at_once_is_checked_and_connected_to_as_one(origin: Origin, still: StillClock) -> None:
    """With a different answer at each look-up there is no time between the check and the connection."""
    origin.answers["/thing"] = good()
    names = Names([[METADATA], ["127.0.0.1"]])
    async with witness(
        still.clock, names, registries=[registry(origin, "registry.example.org")], allowPrivate=[LOOPBACK]
    ) as found:
        (first,) = await heard(found)
        still.seconds += 31
        (second,) = await heard(found)
    assert (first.state, second.state) == (State.REFUSED, State.USED)


async def test_a_host_that_moved_is_found_again(origin: Origin, still: StillClock) -> None:
    """Where pinned addresses do not answer, the name is looked up again before its time."""
    origin.answers["/thing"] = good()
    names = Names([["127.0.0.3"], ["127.0.0.1"]])
    allowed = [LOOPBACK, "127.0.0.3/32"]
    section = {"registries": [registry(origin, "registry.example.org")], "allowPrivate": allowed}
    async with witness(still.clock, names, **section) as found:
        (first,) = await heard(found)
        states = []
        for _ in range(3):
            still.seconds += AGAIN_SECONDS
            states.append((await heard(found))[0].state)
    assert first.state is State.UNAVAILABLE
    assert states[-1] is State.USED


async def test_a_look_up_that_hangs_costs_no_more_than_the_timeout(still: StillClock, real_clock: Clock) -> None:
    """And only one look-up is under way at a time, however many wait for it."""
    asked = []

    async def hanging(host: str) -> list[str]:
        asked.append(host)
        await asyncio.Event().wait()
        return []

    section = {"registries": [{"ecosystem": "npm", "url": "http://registry.example.org/{name}"}], "timeout": "100ms"}
    async with witness(real_clock, hanging, **section) as found, asyncio.timeout(10):
        for name in ("one", "two", "three"):
            (evidence,) = await heard(found, name)
            assert evidence.state is State.TIMEOUT
    assert asked == ["registry.example.org"]


@pytest.mark.parametrize("name", ["..", "@scope/..", "../thing", "a%2e%2e", "a\r\nHost: b", "", "th\u0456ng"])
async def test_names_that_could_lead_elsewhere_are_not_sent(origin: Origin, real_clock: Clock, name: str) -> None:
    """Nothing leaves for a name that no registry holds."""
    async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        (evidence,) = await heard(found, name)
    assert evidence.state is State.REFUSED
    assert origin.asked == []


async def test_a_scope_is_one_part_of_the_path_on_the_wire(origin: Origin, real_clock: Clock) -> None:
    """No part of the way makes a slash of %2F."""
    async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        await heard(found, "@scope/thing")
        await heard(found, "it's(thing)")
    assert [path for path, _ in origin.asked] == ["/@scope%2Fthing", "/it%27s%28thing%29"]


async def test_what_is_sent(origin: Origin, real_clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks, and nothing that was picked up elsewhere: no cookie, no proxy, no credentials of the machine's."""
    origin.answers["/one"] = good(Set_Cookie="session=1; Path=/")
    async with trap() as proxy:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        # Cookies of numbers are not kept by anybody, so the provider has a name here.
        section = {"registries": [registry(origin, "registry.example.org")], "allowPrivate": [LOOPBACK]}
        async with witness(real_clock, Names([["127.0.0.1"]]), **section) as found:
            await heard(found, "one")
            await heard(found, "two")
        assert proxy.connections == 0
    assert [path for path, _ in origin.asked] == ["/one", "/two"]
    for _, headers in origin.asked:
        assert headers["user-agent"].startswith("typosentinel/")
        assert not {"cookie", "authorization", "referer"} & headers.keys()


async def test_tls_is_checked(tmp_path: Path, real_clock: Clock) -> None:
    """A certificate that nobody vouches for ends the connection, and so does a server without TLS."""
    async with trap(context=self_signed(tmp_path, "registry.example.org")) as tls, trap() as plain:
        for port in (tls.port, plain.port):
            section = {"registries": [{"ecosystem": "npm", "url": f"https://registry.example.org:{port}/{{name}}"}]}
            async with witness(real_clock, Names([["127.0.0.1"]]), allowPrivate=[LOOPBACK], **section) as found:
                (evidence,) = await heard(found)
            assert evidence.state is State.UNAVAILABLE


async def test_nobody_there(real_clock: Clock) -> None:
    """A port that nobody listens on is no evidence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        section = {"registries": [registry(Origin(taken.getsockname()[1]))], "allowPrivate": [LOOPBACK]}
        async with witness(real_clock, **section) as found:
            (evidence,) = await heard(found)
    assert evidence.state is State.UNAVAILABLE


async def test_a_full_bulkhead_makes_nobody_wait(origin: Origin, real_clock: Clock) -> None:
    """One more than is allowed at once has no evidence, at once; the rest go on."""
    origin.answers["/one"] = stalls()
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK], "timeout": "2s", "maxConcurrency": 1}
    async with witness(real_clock, **section) as found:
        first = asyncio.create_task(heard(found, "one"))
        await origin.was_asked.wait()
        (second,) = await heard(found, "two")
        assert not first.done()
        assert found._gatherer.providers[0].in_flight == 1
        (waited,) = await first
    assert (second.state, waited.state) == (State.UNAVAILABLE, State.TIMEOUT)
    assert "at once" in second.reason


async def test_the_breaker_opens_and_closes(origin: Origin, still: StillClock) -> None:
    """Five failures in a row: nothing more is sent until it has cooled; one good answer closes it."""
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        for n in range(8):
            origin.answers[f"/thing{n}"] = says(http("500 Internal Server Error"))
            await heard(found, f"thing{n}")
        (breaker,) = found.breakers
        assert (breaker.state, len(origin.asked)) == (BreakerState.OPEN, 5)
        still.seconds += 10
        origin.answers["/thing"] = good()
        (evidence,) = await heard(found)
    assert evidence.state is State.USED
    assert breaker.state is BreakerState.CLOSED


async def test_absent_packages_open_no_breaker(origin: Origin, still: StillClock) -> None:
    """404 is an answer, and so is a document that is too large or wrong."""
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        for n in range(10):
            await heard(found, f"thing{n}")
        assert found.breakers[0].state is BreakerState.CLOSED
    assert len(origin.asked) == 10


@pytest.mark.parametrize(("header", "held"), [("20", 20), ("100000", 300), ("Thu, 01 Jan 1970 00:17:00 GMT", 20)])
async def test_retry_after_is_kept_within_bounds(origin: Origin, still: StillClock, header: str, held: int) -> None:
    """A provider that asks to be left alone is, but for five minutes at most."""
    origin.answers["/thing"] = says(http("503 Service Unavailable", Retry_After=header))
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        await heard(found)
        origin.answers["/thing"] = good()
        still.seconds += held - 1
        (early,) = await heard(found)
        still.seconds += 2
        (late,) = await heard(found)
    assert (early.state, late.state) == (State.UNAVAILABLE, State.USED)
    assert len(origin.asked) == 2


@pytest.mark.parametrize("header", ["soon", "-5", "Thu, 99 Jan 1970 00:00:00 GMT", "1e9", "9" * 5000, ""])
async def test_an_odd_retry_after_holds_nothing_up(origin: Origin, still: StillClock, header: str) -> None:
    """What says nothing of use is passed over."""
    origin.answers["/thing"] = says(http("429 Too Many Requests", Retry_After=header))
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        (first,) = await heard(found)
        origin.answers["/thing"] = good()
        (second,) = await heard(found)
    assert (first.state, second.state) == (State.UNAVAILABLE, State.USED)


async def test_evidence_is_asked_for_once(origin: Origin, still: StillClock) -> None:
    """By all who ask at the same time, and again within its time; that there is nothing is remembered shorter."""
    origin.answers["/thing"] = good()
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        answers = await asyncio.gather(*(heard(found) for _ in range(20)))
        assert {evidence.state for (evidence,) in answers} == {State.USED}
        still.seconds += 100
        (kept,) = await heard(found)
        assert (kept.state, kept.age) == (State.USED, 100.0)
        assert len(origin.asked) == 1
        for wait, asked in ((0, 2), (59, 2), (2, 3)):
            still.seconds += wait
            await heard(found, "nothing")
            assert len(origin.asked) == asked


async def test_other_providers_take_over_without_losing_anybody(origin: Origin, real_clock: Clock) -> None:
    """New settings hold for the next question; who waits for an answer of the old ones gets it."""
    answered = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
        await answered.wait()
        await good()(writer, headers)

    origin.answers["/thing"] = slow
    origin.answers["/new/thing"] = good()
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, **section) as found:
        before = found._gatherer.providers
        found.use(ProviderSettings.model_validate(section))
        assert found._gatherer.providers is before
        first = asyncio.create_task(heard(found))
        await origin.was_asked.wait()
        url = f"http://127.0.0.1:{origin.port}/new/{{name}}"
        other = {"registries": [{"ecosystem": "npm", "url": url}], "allowPrivate": [LOOPBACK]}
        found.use(ProviderSettings.model_validate(other))
        (second,) = await heard(found)
        answered.set()
        assert (await first)[0].state is State.USED
        assert second.state is State.USED
        await asyncio.gather(*found._retiring)
        assert before[0]._peer._session is not None
        assert before[0]._peer._session.closed


async def test_cancelled_questions_leave_nothing_behind(origin: Origin, real_clock: Clock) -> None:
    """A caller that goes away takes its place in the bulkhead along, and the breaker learns nothing from it."""
    origin.answers["/thing"] = stalls()
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK], "timeout": "2s"}
    async with witness(real_clock, **section) as found:
        task = asyncio.create_task(heard(found))
        await origin.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        provider = found._gatherer.providers[0]
        await provider._idle.wait()
        assert provider.in_flight == 0
        origin.answers["/thing"] = good()
        (evidence,) = await heard(found)
    assert evidence.state is State.USED


async def test_one_that_goes_away_takes_nothing_from_others(origin: Origin, real_clock: Clock) -> None:
    """Two wait for the same answer; the one that asked first gives up, and the other has it."""
    answered = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
        await answered.wait()
        await good()(writer, headers)

    origin.answers["/thing"] = slow
    async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        first, second = (asyncio.create_task(heard(found)) for _ in range(2))
        await origin.was_asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        answered.set()
        (evidence,) = await second
    assert evidence.state is State.USED
    assert len(origin.asked) == 1


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


async def test_tokens(origin: Origin, tmp_path: Path, real_clock: Clock) -> None:
    """A token is read for each request, so that a new one counts at once; without a right one nothing is sent."""
    token = tmp_path / "token"
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, **section) as found:
        # The settings allow tokens over TLS alone.
        found._gatherer.providers[0]._peer._token_file = token
        states = []
        for n, content in enumerate(
            (None, b"first\n", b"second", b"two words", b"a\r\nB: c", b"\xff", b"", b"x" * 9000)
        ):
            if content is not None:
                token.write_bytes(content)
            states.append((await heard(found, f"thing{n}"))[0].state)
    sent = [headers["authorization"] for _, headers in origin.asked]
    assert sent == ["Bearer first", "Bearer second"]
    assert states == [State.UNAVAILABLE, State.ABSENT, State.ABSENT, *[State.UNAVAILABLE] * 5]


async def test_what_is_wrong_is_told_once(origin: Origin, real_clock: Clock) -> None:
    """To the log, by provider and reason; an absent package and a name that is none are nobody's fault."""
    for name in ("one", "two"):
        origin.answers[f"/{name}"] = says(http("301 Moved", Location="/elsewhere"))
    told: list[Any] = []
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, notice=told.append, **section) as found:
        for name in ("one", "two", "absent", ".."):
            await found.testify(flagged(name), None)
    assert [(piece.provider, piece.package, piece.state) for piece in told] == [("npm", "one", State.REFUSED)]
    assert "redirects are not followed" in told[0].reason


async def test_a_go_proxy_takes_two_questions(origin: Origin, real_clock: Clock) -> None:
    """The list of versions, then the time of the first."""
    origin.answers["/example.org/!thing/@v/list"] = good(b"v1.1.0\nv1.0.0\n")
    origin.answers["/example.org/!thing/@v/v1.0.0.info"] = good(
        b'{"Version": "v1.0.0", "Time": "2017-01-02T00:00:00Z"}'
    )
    section = {"registries": [{"ecosystem": "Go", "url": f"http://127.0.0.1:{origin.port}/{{name}}/@v/list"}]}
    async with witness(real_clock, allowPrivate=[LOOPBACK], **section) as found:
        (evidence,) = await heard(found, "example.org/Thing", Ecosystem.GO)
    assert evidence.gleaned.first_release is not None
    assert len(origin.asked) == 2


async def test_pages_of_vulnerabilities(origin: Origin, real_clock: Clock) -> None:
    """Pages are read to the end, but four at most."""
    affected = [{"package": {"ecosystem": "npm", "name": "thing"}}]
    page = {"vulns": [{"id": "CVE-2024-1", "affected": affected}], "next_page_token": "more"}
    origin.answers["/v1/query"] = good(orjson.dumps(page))
    section = {"vulnerabilities": {"url": f"http://127.0.0.1:{origin.port}/v1/query"}, "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, **section) as found:
        (evidence,) = await heard(found)
    assert evidence.gleaned.vulnerabilities == ("CVE-2024-1",)
    bodies = [orjson.loads(body) for body in origin.bodies]
    assert bodies[0] == {"package": {"ecosystem": "npm", "name": "thing"}}
    assert [body.get("page_token") for body in bodies] == [None, "more", "more", "more"]
