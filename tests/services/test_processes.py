import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector
from prometheus_client.parser import text_string_to_metric_families

SECONDS = 40.0
QUESTION = {"ecosystem": "PyPI", "name": "reqeusts"}
LIST = "rank,name,tier\n1,requests,protected\n2,flask,protected\n"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Fleet:
    """A supervisor and its processes."""

    process: subprocess.Popen[str]
    log: Path
    http: ClientSession
    url: str = ""

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of an event."""
        found = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line[:1] == "{"]
        return [line for line in found if line.get("event") == event]

    @property
    def pids(self) -> list[int]:
        """The children that there are."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text(encoding="ascii").split()]

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Waits for something to become so."""
        for _ in range(int(SECONDS / 0.05)):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {SECONDS:g} s: {what}; log:\n{self.log.read_text(encoding='utf-8')}")

    async def scan(self) -> int:
        """The status of a scan over a new connection."""
        async with self.http.post(f"{self.url}/api/v1/scan", json=QUESTION) as response:
            return response.status

    async def samples(self) -> Samples:
        """Every sample of one look at the metrics."""
        async with self.http.get(f"{self.url}/metrics") as response:
            assert response.status == 200, await response.text()
            text = await response.text()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


def left(pids: list[int]) -> list[int]:
    """Those that have not ended."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A small list."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "pypi.csv").write_text(LIST, encoding="utf-8")
    return folder


@pytest.fixture
async def fleet(tmp_path: Path, lists: Path) -> AsyncIterator[Fleet]:
    """Two processes that are up."""
    config = tmp_path / "config.yaml"
    config.write_text("apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\nlogLevel: Info\n")
    log = tmp_path / "log"
    options = ["--workers=2", "--port=0", "--drain-seconds=0.2", f"--corpus={lists}", f"--config={config}"]
    with log.open("w") as sink:
        process = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-m", "typosentinel_server", "serve", *options],
            stderr=sink,
            text=True,
            env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        )
    try:
        async with ClientSession(connector=TCPConnector(force_close=True)) as http:
            found = Fleet(process, log, http)
            await found.until(lambda: found.said("all processes are up"), "all processes are up")
            found.url = found.said("listening")[0]["address"]
            yield found
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _scans(found: Samples) -> float:
    return sum(value for (name, _), value in found.items() if name == "typosentinel_scans_total")


async def test_metrics_are_those_of_all(fleet: Fleet) -> None:
    """Whichever process answers: counters and histograms are sums, lists are counted once."""
    assert [await fleet.scan() for _ in range(40)] == [200] * 40
    for _ in range(4):
        found = await fleet.samples()
        assert _scans(found) == 40
        assert found["typosentinel_scan_duration_seconds_count", frozenset()] == 40
        assert found["typosentinel_scan_duration_seconds_bucket", frozenset({("le", "+Inf")})] == 40
        assert found["typosentinel_corpus_names", frozenset({("ecosystem", "PyPI")})] == 2
        assert found["typosentinel_processes", frozenset({("state", "serving")})] == 2
        assert found["typosentinel_processes", frozenset({("state", "silent")})] == 0


async def test_a_killed_process_is_replaced_under_load(fleet: Fleet) -> None:
    """Only connections that it held are lost; counters never go back."""
    before = fleet.pids
    assert len(before) == 2
    for _ in range(20):
        await fleet.scan()
    counted = _scans(await fleet.samples())
    statuses: list[int | None] = []
    stop = asyncio.Event()

    async def load() -> None:
        while not stop.is_set():
            try:
                statuses.append(await fleet.scan())
            except OSError:
                statuses.append(None)

    clients = [asyncio.create_task(load()) for _ in range(4)]
    os.kill(before[0], signal.SIGKILL)
    await fleet.until(lambda: len(set(fleet.pids) - set(before)) == 1, "there is another process")
    await fleet.until(lambda: len(fleet.said("listening")) == 3, "it listens")
    stop.set()
    await asyncio.gather(*clients)
    assert set(statuses) <= {200, None}
    # What was on its way to the one that was killed, at most one request a client.
    assert statuses.count(None) <= 4
    assert statuses.count(200) > 0
    found = await fleet.samples()
    assert _scans(found) >= counted
    assert found["typosentinel_process_restarts_total", frozenset()] == 1
    assert found["typosentinel_processes", frozenset({("state", "serving")})] == 2


async def test_a_silent_process_holds_nobody_up(fleet: Fleet) -> None:
    """The metrics come without its latest figures, with its last ones, and say so."""
    for _ in range(20):
        await fleet.scan()
    assert _scans(await fleet.samples()) == 20
    held = fleet.pids[0]
    os.kill(held, signal.SIGSTOP)
    try:
        found: Samples = {}
        for _ in range(40):
            # The kernel gives the one that is held its share of the connections, too.
            with suppress(TimeoutError):
                async with asyncio.timeout(3):
                    found = await fleet.samples()
                    break
        assert found["typosentinel_processes", frozenset({("state", "silent")})] == 1
        assert _scans(found) == 20
    finally:
        os.kill(held, signal.SIGCONT)


async def test_sigterm_ends_all_of_them_in_peace(fleet: Fleet) -> None:
    """Requests that are being answered are answered, no process is left, and the exit code is 0."""
    pids = fleet.pids
    asked = [asyncio.create_task(fleet.scan()) for _ in range(8)]
    assert await asyncio.gather(*asked) == [200] * 8
    fleet.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(fleet.process.wait, SECONDS) == 0
    assert not left(pids)
    assert len(fleet.said("stopped")) == 2


async def test_processes_end_with_their_supervisor(fleet: Fleet) -> None:
    """Nobody would ever tell them to."""
    pids = fleet.pids
    fleet.process.kill()
    await asyncio.to_thread(fleet.process.wait, SECONDS)
    await fleet.until(lambda: not left(pids), "they have ended")


async def test_processes_that_die_again_and_again_end_it(fleet: Fleet) -> None:
    """There is something wrong that no restart mends; whoever looks after us hears of it."""
    for _ in range(60):
        for pid in fleet.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            code = await asyncio.to_thread(fleet.process.wait, 1)
            break
        except subprocess.TimeoutExpired:
            continue
    assert code == 2
    assert "processes ended within" in fleet.log.read_text(encoding="utf-8")


async def test_sighup_has_the_configuration_looked_at(fleet: Fleet, tmp_path: Path) -> None:
    """By all of them; none ends."""
    pids = fleet.pids
    document = tmp_path / "config.yaml"
    document.write_text(document.read_text().replace("Info", "Info\naccessLog: {every: 7}"))
    fleet.process.send_signal(signal.SIGHUP)
    await fleet.until(lambda: len(fleet.said("configuration applied")) == 2, "both have applied it")
    assert fleet.pids == pids
    assert await fleet.scan() == 200


async def test_a_port_is_not_shared_with_strangers(fleet: Fleet, lists: Path) -> None:
    """Another server that would like to share it is told that it is taken."""
    taken = fleet.url.rpartition(":")[2]
    program = [sys.executable, "-m", "typosentinel_server", "serve", f"--port={taken}", f"--corpus={lists}"]
    for workers in ("1", "2"):
        done = await asyncio.to_thread(
            subprocess.run, [*program, f"--workers={workers}"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "cannot listen" in done.stderr


async def test_a_configuration_that_is_none_ends_it_at_once(tmp_path: Path, lists: Path) -> None:
    """With the exit code and the words of a single process."""
    config = tmp_path / "config.yaml"
    config.write_text("kind: Nothing\n")
    program = [sys.executable, "-m", "typosentinel_server", "serve", "--port=0", "--workers=2", f"--config={config}"]
    done = await asyncio.to_thread(
        subprocess.run, [*program, f"--corpus={lists}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "config.yaml:1: kind" in done.stderr
