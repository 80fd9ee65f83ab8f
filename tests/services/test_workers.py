import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from batching import NDJSON, item, lines, send, send_lines
from running import Running, ask, listening, samples
from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.sections.workers import WorkerSettings
from typosentinel_server.settings import LogLevel
from typosentinel_server.shelf import Shelf
from typosentinel_server.workers.pipe import WorkerDied
from typosentinel_server.workers.pool import TRIES, Pool
from typosentinel_server.workers.slices import SLICE_NAMES, Asked, Written

SECONDS = 30.0
OWN = ("id", "cached", "durationMs")


@pytest.fixture(autouse=True, scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Compiled lists of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Library, "shelf", Shelf(tmp_path_factory.mktemp("lists")))
        yield


@asynccontextmanager
async def serving(clock: Clock, config: Path | None = None, corpus: Path | None = None) -> AsyncIterator[Running]:
    """A server on a free port."""
    setup = Setup(
        name="pod-1",
        library=Library(corpus) if corpus else None,
        config=config,
        timing=Timing(drain=0.1, reload=0.02, corpus=0.02),
    )
    async with listening(make_app(setup, clock, Log("json", LogLevel.ERROR))) as server:
        yield server


def names(count: int, mark: str = "q") -> list[dict[str, Any]]:
    """So many questions about names that no list holds, of three ecosystems in turn."""
    stems = ("requests", "lodash", "serde")
    return [item(f"{stems[n % 3]}-{mark}{n}", ("PyPI", "npm", "crates.io")[n % 3]) for n in range(count)]


async def until(condition: Any, what: str) -> None:
    """Waits for something to become so."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"not within {SECONDS:g} s: {what}"
        await asyncio.sleep(0.02)


async def warm(server: Running, least: int = 1) -> Pool:
    """Waits for workers."""
    pool = server.parts.batches.pool
    pool.ready(server.parts.service.engines)
    await until(lambda: pool.status().idle >= least, f"{least} workers are idle")
    return pool


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_workers_say_what_the_server_says(real_clock: Clock) -> None:
    """Ten thousand names, judged by two processes, in order, and no other bytes than of single scans."""
    async with serving(real_clock) as server:
        await warm(server, 2)
        items = names(10_000)
        found = await send(server, items)
        assert [one["index"] for one in found["items"]] == list(range(10_000))
        assert [one["result"]["name"] for one in found["items"]] == [one["name"] for one in items]
        assert found["summary"]["judged"] == 10_000
        for place in (0, 1, 2, 5000, 9999):
            single = await ask(server, **items[place])
            batched = found["items"][place]["result"]
            assert {k: v for k, v in batched.items() if k not in OWN} == {
                k: v for k, v in single.items() if k not in OWN
            }
        figures = await samples(server)
        assert figures["typosentinel_workers_names_total", frozenset()] == 10_000


async def test_lists_besides_speak_for_workers_names(real_clock: Clock, tmp_path: Path) -> None:
    """What a worker judged is concluded with the server's lists."""
    head = "apiVersion: typosentinel.io/v1alpha1\nkind: "
    config = tmp_path / "config.yaml"
    config.write_text(f"{head}ServerConfiguration\ndetection: {{malware: malware.csv}}\nworkers: {{threshold: 1}}\n")
    (tmp_path / "malware.csv").write_text("ecosystem,name\nPyPI,requests-q0\n")
    async with serving(real_clock, config) as server:
        pool = await warm(server)
        found = await send(server, names(300))
        assert found["items"][0]["result"]["verdict"] == "malicious"
        assert found["items"][1]["result"]["verdict"] != "malicious"
        assert pool.status().waiting == 0
        assert (await samples(server))["typosentinel_workers_names_total", frozenset()] == 300


async def test_a_killed_worker_costs_nothing(real_clock: Clock) -> None:
    """Its slice is judged by another, and another takes its place."""
    async with serving(real_clock) as server:
        pool = await warm(server, 2)
        batch = asyncio.create_task(send(server, names(10_000)))
        # One alone: a slice that loses two workers is given up.
        await until(lambda: pool.status().busy, "a worker is busy")
        os.kill(next(iter(pool._staff.busy)).pid, signal.SIGKILL)
        found = await batch
        assert found["summary"]["judged"] == 10_000
        figures = await samples(server)
        assert figures["typosentinel_workers_deaths_total", frozenset()] >= 1
        await until(lambda: pool.status().idle >= 2, "there are two workers again")
        assert (await send(server, names(1000, "r")))["summary"]["judged"] == 1000


async def test_workers_that_ended_while_idle_cost_nothing(real_clock: Clock) -> None:
    """Others take their places before the next batch."""
    async with serving(real_clock) as server:
        pool = await warm(server, 2)
        killed = set(pool.status().pids)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: pool.status().idle >= 2 and not killed & set(pool.status().pids), "there are two others")
        assert (await send(server, names(1000)))["summary"]["judged"] == 1000


async def test_a_slice_that_kills_twice_is_an_error_of_its_own(real_clock: Clock) -> None:
    """The rest of the batch is judged."""
    async with serving(real_clock) as server:
        pool = await warm(server, 2)
        for pid in pool.status().pids:
            os.kill(pid, signal.SIGSTOP)
        batch = asyncio.create_task(send(server, names(SLICE_NAMES * 8), mode="sequential"))
        for killed in (1, 2):
            await until(lambda: pool.status().busy, "a worker that is held has the slice")
            for worker in tuple(pool._staff.busy):
                os.kill(worker.pid, signal.SIGKILL)
            await until(lambda killed=killed: pool._tally.deaths == killed, "its death is noticed")
        found = await batch
        assert [found["summary"][key] for key in ("errors", "judged")] == [SLICE_NAMES, SLICE_NAMES * 7]
        assert {one["error"]["code"] for one in found["items"][:SLICE_NAMES]} == {"WORKER_DIED"}


async def test_what_waits_behind_a_deadly_slice_is_judged(real_clock: Clock, tmp_path: Path) -> None:
    """A worker has its next slice before it is done with one: that one is to blame for nothing."""
    (tmp_path / "pypi.csv").write_text("rank,name,tier\n1,requests,protected\n")
    async with serving(real_clock, corpus=tmp_path) as server:
        pool = await warm(server)
        pool.scale(1, 1)
        await until(lambda: len(pool.status().pids) == 1, "there is one worker")
        engines = server.parts.service.engines
        good: list[list[Asked]] = [[(Ecosystem.PYPI, f"reqeusts-{n}", None, 0)] for n in range(1, 5)]
        # A worker has no list of this one, and nobody asks it for such a thing.
        deadly: list[Asked] = [(Ecosystem.MAVEN, "a:b", None, 0)]
        slices = [deadly, good[0], deadly, *good[1:]]
        found = await asyncio.gather(*(pool.judge(engines, one, "batch") for one in slices), return_exceptions=True)
        assert [isinstance(found[place], WorkerDied) for place in (0, 2)] == [True, True]
        kept = [one[0] for one in found if isinstance(one, list)]
        assert [type(one) for one in kept] == [Written] * 4
        # Each of the two costs as many as may try it, and no more.
        assert pool._tally.deaths == 2 * TRIES


async def test_a_name_that_comes_again_is_judged_once(real_clock: Clock) -> None:
    """In another slice, by another spelling, of an ecosystem in another spelling."""
    async with serving(real_clock) as server:
        await warm(server, 2)
        first = names(2000)
        again = [item("Requests-Q0", "pypi", version="2.0"), item("serde_q2", "crates.io"), item("lodash-q1", "npm")]
        found = await send(server, [*first, *again, *first[:300]])
        assert [one["index"] for one in found["items"]] == list(range(2303))
        assert [found["summary"][key] for key in ("judged", "duplicates", "cached")] == [2303, 303, 0]
        for asked, answer in zip(again, found["items"][2000:2003], strict=True):
            single = await ask(server, **asked)
            assert answer["result"]["id"].endswith(f"-{answer['index']}")
            assert (answer["result"]["cached"], answer["result"]["durationMs"]) == (True, 0.0)
            assert {k: v for k, v in answer["result"].items() if k not in OWN} == {
                k: v for k, v in single.items() if k not in OWN
            }
        figures = await samples(server)
        assert figures["typosentinel_workers_names_total", frozenset()] == 2000


async def test_a_full_queue_is_said_at_once(real_clock: Clock, tmp_path: Path) -> None:
    """503 with Retry-After for who comes last; who was there before is answered."""
    config = tmp_path / "config.yaml"
    settings = "workers: {min: 1, max: 1, queue: 1, threshold: 1}"
    config.write_text(f"apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n{settings}\n")
    async with serving(real_clock, config) as server:
        pool = await warm(server)
        (pid,) = pool.status().pids
        os.kill(pid, signal.SIGSTOP)
        try:
            early = [asyncio.create_task(send(server, names(2, mark))) for mark in "abc"]
            await until(lambda: pool.status().busy and pool.status().waiting, "one has two slices, one slice waits")
            async with server.http.post("/api/v1/batch", json={"items": names(2, "d")}) as response:
                assert response.status == 503
                assert (await response.json())["error"]["code"] == "WORKERS_BUSY"
                assert int(response.headers["Retry-After"]) > 0
            assert (await ask(server, **item("reqeusts")))["verdict"] == "suspicious"
        finally:
            os.kill(pid, signal.SIGCONT)
        assert [one["summary"]["judged"] for one in await asyncio.gather(*early)] == [2, 2, 2]


async def test_a_batch_takes_so_long_and_no_longer(real_clock: Clock, tmp_path: Path) -> None:
    """Names that nobody judged in time are errors of their own."""
    config = tmp_path / "config.yaml"
    settings = "workers: {min: 1, max: 1, timeout: 1s, threshold: 1}"
    config.write_text(f"apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n{settings}\n")
    async with serving(real_clock, config) as server:
        pool = await warm(server)
        (pid,) = pool.status().pids
        os.kill(pid, signal.SIGSTOP)
        try:
            found = await send(server, names(2))
        finally:
            os.kill(pid, signal.SIGCONT)
        assert [one["error"]["code"] for one in found["items"]] == ["BATCH_TIMED_OUT"] * 2


async def test_who_hangs_up_is_worked_for_no_more(real_clock: Clock) -> None:
    """Nothing of the batch is left, and the next one is answered."""
    async with serving(real_clock) as server:
        pool = await warm(server, 2)
        host, port = server.url.removeprefix("http://").split(":")
        body = orjson.dumps({"items": names(10_000)})
        head = (
            f"POST /api/v1/batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await reader.readuntil(b'{"index":0')
        writer.transport.abort()
        await until(lambda: server.parts.batches.tally.running == 0, "the batch is given up")
        await until(lambda: pool.status().busy == pool.status().waiting == 0, "no worker is at it")
        assert server.parts.batches.tally.outcomes["client_gone"] == 1
        assert (await send(server, names(600)))["summary"]["judged"] == 600


async def test_a_slow_reader_is_not_judged_ahead_of(real_clock: Clock, tmp_path: Path) -> None:
    """What it does not read is not made; when its time is over, the connection is closed."""
    config = tmp_path / "config.yaml"
    settings = "workers: {min: 1, max: 1, timeout: 3s}"
    config.write_text(f"apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n{settings}\n")
    async with serving(real_clock, config) as server:
        await warm(server)
        host, port = server.url.removeprefix("http://").split(":")
        # With answers of more than a kilobyte each, for the kernel alone holds some megabytes.
        engines = server.parts.service.engines
        slips = [item(f"{n[:2]}q{n[2:]}", e.value) for e in engines.ecosystems for n in engines.engine(e).names[:2000]]
        # All of it is sent before anything is read.
        body = lines(slips[:10_000])
        loop = asyncio.get_running_loop()
        with socket.socket() as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            held.setblocking(False)  # noqa: FBT003 - the standard library's way
            await loop.sock_connect(held, (host, int(port)))
            head = f"POST /api/v1/batch HTTP/1.1\r\nHost: a\r\nContent-Type: {NDJSON}\r\nContent-Length: {len(body)}"
            await loop.sock_sendall(held, head.encode() + b"\r\n\r\n" + body)
            tally = server.parts.batches.tally
            await until(lambda: tally.outcomes["client_gone"] == 1, "it is given up")
            judged = (await samples(server))["typosentinel_workers_names_total", frozenset()]
            assert judged < 9_000


async def test_new_lists_are_followed_by_new_workers(real_clock: Clock, tmp_path: Path) -> None:
    """A batch has the lists with which it began from its first name to its last; the next one has the new ones."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "pypi.csv").write_text("rank,name,tier\n1,requests,protected\n")
    async with serving(real_clock, corpus=folder) as server:
        pool = await warm(server, 2)
        old, before = server.parts.service.engines, set(pool.status().pids)
        asked: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def body() -> AsyncIterator[bytes]:
            while (line := await asked.get()) is not None:
                yield line

        some = [item(f"reqeusts-{n}") for n in range(1200)]
        asked.put_nowait(lines(some[:600]))
        async with server.http.post("/api/v1/batch", data=body(), headers={"Content-Type": NDJSON}) as response:
            found = [orjson.loads(await response.content.readline())]
            (folder / "pypi.csv").write_text("rank,name,tier\n1,requests,protected\n2,flask,protected\n")
            await until(lambda: server.parts.service.engines is not old, "the new list is in use")
            asked.put_nowait(lines(some[600:]))
            asked.put_nowait(None)
            found += [orjson.loads(line) for line in (await response.read()).splitlines()]
        assert len({one["result"]["corpusVersion"] for one in found[:-1]}) == 1
        assert found[-1]["summary"]["judged"] == 1200
        await warm(server)
        await until(lambda: not before & set(pool.status().pids), "the workers with the old list have gone")
        now = await send(server, [item(f"flaskk-{n}") for n in range(600)])
        versions = {one["result"]["corpusVersion"] for one in now["items"]}
        assert versions == {server.parts.service.engines.corpora[0].version}
        assert versions != {found[0]["result"]["corpusVersion"]}


async def test_workers_end_with_the_server(real_clock: Clock) -> None:
    """None is left behind; none was there before the first large batch."""
    async with serving(real_clock) as server:
        pool = server.parts.batches.pool
        await send(server, names(10))
        assert pool.status().pids == ()
        await warm(server, 2)
        pids = pool.status().pids
        assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


async def test_workers_that_are_being_ended_end_with_the_server(real_clock: Clock) -> None:
    """Where it closes before they have."""
    async with serving(real_clock) as server:
        pool = await warm(server, 2)
        pids = pool.status().pids
        assert len(pids) == 2
        pool.scale(0, 0)
        assert pool.status().pids == ()
    assert all(gone(pid) for pid in pids)
    gc.collect()


async def test_lines_are_judged_by_workers_once_there_are_many(real_clock: Clock) -> None:
    """Nobody knows before how many will come; one malformed line among them is one error."""
    async with serving(real_clock) as server:
        await warm(server, 1)
        body = lines(names(3000)) + b"{malformed\n" + lines(names(3000, "r"))
        status, found = await send_lines(server, body)
        assert status == 200
        assert [place for place, one in enumerate(found[:-1]) if "error" in one] == [3000]
        assert found[-1]["summary"]["judged"] == 6000
        assert (await samples(server))["typosentinel_workers_names_total", frozenset()] > 3000


async def test_the_pool_is_scaled(real_clock: Clock) -> None:
    """Up at once where it is in use, and down."""
    async with serving(real_clock) as server:
        pool = await warm(server, 2)
        pool.scale(3, 3)
        await until(lambda: pool.status().idle == 3, "there are three")
        pool.scale(0, 1)
        await until(lambda: len(pool.status().pids) == 1, "there is one")
        pool.configure(WorkerSettings(min=0, max=0))
        await until(lambda: not pool.status().pids, "there is none")
        assert (await send(server, names(1000)))["summary"]["judged"] == 1000


@pytest.mark.parametrize("workers", [0, 2])
async def test_scans_are_answered_while_a_batch_is_judged(real_clock: Clock, tmp_path: Path, workers: int) -> None:
    """Whoever judges it."""
    config = tmp_path / "config.yaml"
    settings = f"workers: {{min: {workers}, max: {workers}}}"
    config.write_text(f"apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n{settings}\n")
    async with serving(real_clock, config) as server:
        if workers:
            await warm(server, workers)
        batch = asyncio.create_task(send(server, names(10_000)))
        await until(lambda: server.parts.batches.tally.running, "the batch is there")
        answered = 0
        while not batch.done():
            assert (await ask(server, **item("reqeusts")))["verdict"] == "suspicious"
            answered += 1
        assert (await batch)["summary"]["judged"] == 10_000
        # One step of the batch, or one slice's answers, lies between two of them.
        assert answered >= 10
