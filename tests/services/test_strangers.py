"""Strangers who are slow, who send more than it looks, and who are too many: a server in a process of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hack.faults import rows
from hack.faults.bodies import ENCODINGS
from hack.faults.restarts import restarts
from hack.faults.slow import Kind
from hack.faults.target import Target, target
from hack.faults.wire import Answered, answer, ask, scan, scan_head
from prometheus_client.parser import text_string_to_metric_families

IMPATIENT: dict[str, object] = {"headTimeout": "1s", "bodyTimeout": "1s", "writeTimeout": "1s", "idleTimeout": "2s"}
FEW: dict[str, object] = {"maxConnections": 4}
PROBE = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server that waits a second for everything."""
    with target(tmp_path_factory.mktemp("impatient"), IMPATIENT) as one:
        yield one


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server as it is by default."""
    with target(tmp_path_factory.mktemp("usual")) as one:
        yield one


async def figure(one: Target, name: str, **labels: str) -> float:
    """A sample off the server's metrics."""
    got = await ask(one.host, one.port, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    for family in text_string_to_metric_families(got.body.decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    raise LookupError(name)


@pytest.mark.parametrize("kind", Kind)
async def test_slow_clients_are_sent_away_and_others_notice_nothing(impatient: Target, kind: Kind) -> None:
    """Heads, bodies and readers: all closed within seconds, none of a good client's requests fails."""
    reason = {Kind.HEAD: "slow_head", Kind.BODY: "slow_body", Kind.READER: "slow_reader"}[kind]
    before = await figure(impatient, "typosentinel_connections_ended_total", reason=reason)
    row = await rows.slow(impatient, kind, 150, every=0.5, within=30.0, settle=0.5)

    assert row.failed == []
    assert row.figures["told_408"] == (0 if kind is Kind.READER else 150)
    assert await figure(impatient, "typosentinel_connections_ended_total", reason=reason) - before == 150


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_bomb_is_refused_before_it_goes_off(usual: Target, encoding: str) -> None:
    """A gibibyte of zeros: 413, no memory to speak of, and a good client beside it is served."""
    assert (await rows.bombs(usual, encoding, 1024, settle=0.5)).failed == []


async def test_crumbs_are_refused(usual: Target) -> None:
    """A body of one-byte chunks is refused long before it is read."""
    row = await rows.tiny_chunks(usual, 500_000, settle=0.5)

    assert row.failed == []


async def test_honest_bodies_are_read_however_they_come(usual: Target) -> None:
    """In many chunks, packed, slowly, after a wish to be told to go on."""
    question = b'{"ecosystem":"PyPI","name":"reqeusts"}'
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in question) + b"0\r\n\r\n"
    parts = [scan()[at : at + 20] for at in range(0, len(scan()), 20)]
    head = scan_head(b"Transfer-Encoding: chunked")

    assert [(await ask(usual.host, usual.port, *sent)).status for sent in ((head, chunked), parts)] == [200, 200]
    told = await ask(usual.host, usual.port, scan_head(b"Expect: 100-continue", b"Content-Length: 38"), question)
    assert told.status == 100


async def test_refusal_of_a_large_body_is_read_by_who_still_sends_it(usual: Target) -> None:
    """The connection is not cut off under the answer."""
    body = b" " * 3_000_000

    async def refused() -> Answered:
        return await ask(usual.host, usual.port, scan(body=body))

    answers = await asyncio.gather(*(refused() for _ in range(5)))
    assert {(got.status, got.code, got.closes) for got in answers} == {(413, "BODY_TOO_LARGE", True)}


async def test_too_many_are_told_so_and_probes_are_answered(tmp_path: Path) -> None:
    """503 with Retry-After on a spare place, where liveness, readiness and metrics have an answer."""
    with target(tmp_path, FEW) as one:
        kept = [await asyncio.open_connection(one.host, one.port) for _ in range(4)]
        for reader, writer in kept:
            writer.write(PROBE)
            assert (await answer(reader)).status == 200
        refused = await ask(one.host, one.port, scan())
        probed = await ask(one.host, one.port, PROBE)
        count = await figure(one, "typosentinel_connections_refused_total", result="answered")
        for _, writer in kept:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.1)
        welcome = await ask(one.host, one.port, scan())

    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "TOO_MANY_CONNECTIONS", "1")
    assert (probed.status, probed.closes, count, welcome.status) == (200, True, 1.0, 200)


async def test_beyond_the_spare_places_nobody_is_let_in(tmp_path: Path) -> None:
    """A crowd that only connects is dropped, and leaves room again."""
    with target(tmp_path, FEW) as one:
        crowd = [await asyncio.open_connection(one.host, one.port) for _ in range(4 + 256 + 20)]
        dropped = await asyncio.gather(
            *(asyncio.wait_for(reader.read(1), 10) for reader, _ in crowd[-20:]), return_exceptions=True
        )
        for _, writer in crowd:
            writer.transport.abort()
        await asyncio.sleep(0.2)
        count = await figure(one, "typosentinel_connections_refused_total", result="dropped")
        welcome = await ask(one.host, one.port, scan())

    assert all(got == b"" or isinstance(got, OSError) for got in dropped)
    assert (count, welcome.status) == (20.0, 200)


async def test_idle_connection_is_closed_without_a_word(impatient: Target) -> None:
    """A 408 there would be taken for the answer to the next request."""
    reader, writer = await asyncio.open_connection(impatient.host, impatient.port)
    writer.write(scan())
    assert (await answer(reader)).status == 200

    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_restarts_under_load_lose_nothing(tmp_path: Path) -> None:
    """New connections and kept ones, while one server follows another."""
    row = await restarts(tmp_path, 2, 100.0, drain=1.5)

    assert row.failed == []
    assert row.figures["requests"] > 300
