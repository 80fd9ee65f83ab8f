"""Benchmarks that a server runs, over real sockets."""

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from commanding import Run
from running import Running, Start, ask
from typosentinel_server.benchmarks import KEPT, WAITING, Benchmarks, State
from typosentinel_server.engines import Engines
from typosentinel_server.labelled import Labelled, Row
from typosentinel_server.logs import Log
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.settings import LogLevel

PATH = "/api/v1/benchmark"
SWAP = {"ecosystem": "pypi", "name": "reqeusts", "target": "requests", "label": 1, "category": "swap"}
DROP = {"ecosystem": "PyPI", "name": "urlib3", "target": "urllib3", "label": 1}
HONEST = {"ecosystem": "npm", "name": "entirely-different", "label": 0}


class Gate(Engines):
    """Engines that judge nothing until they are let, and then fail or judge as others do."""

    def __init__(self, inner: Engines, *, fail: bool = False) -> None:
        self._inner = inner
        self._fail = fail
        self.entered = threading.Event()
        self.open = threading.Event()

    def scan(self, package: Package) -> ScanResult:
        """Waits at the gate."""
        self.entered.set()
        self.open.wait(4)
        if self._fail:
            raise RuntimeError("made to fail")
        return self._inner.scan(package)


@contextmanager
def held(server: Running, *, fail: bool = False) -> Iterator[Gate]:
    """Benchmarks that begin within are held up; they go on at the end at the latest."""
    benchmarks = server.parts.benchmarks
    engines, gate = benchmarks._engines, Gate(server.parts.service.engines, fail=fail)
    benchmarks._engines = lambda: gate
    try:
        yield gate
    finally:
        gate.open.set()
        benchmarks._engines = engines


async def submitted(server: Running, *rows: dict[str, Any], **more: Any) -> str:
    """The place of a benchmark that was taken in."""
    async with server.http.post(PATH, json={"rows": rows, **more}) as response:
        found = await response.json()
        assert response.status == 202
        assert response.headers["Location"] == f"{PATH}/{found['id']}"
        return response.headers["Location"]


async def state(server: Running, place: str) -> dict[str, Any]:
    """How far a benchmark is."""
    async with server.http.get(place) as response:
        assert response.status == 200
        found: dict[str, Any] = await response.json()
        return found


async def ended(server: Running, place: str) -> dict[str, Any]:
    """A benchmark that has come to its end."""
    while True:
        found = await state(server, place)
        if found["state"] not in ("queued", "running"):
            return found
        await asyncio.sleep(0.01)


async def test_result_is_what_the_command_line_finds(start: Start, run: Run, lists: Any, tmp_path: Any) -> None:
    """The same figures in the same form, from the same rows."""
    data = tmp_path / "names.csv"
    data.write_text(
        "ecosystem,name,target,label,category\n"
        "pypi,reqeusts,requests,1,swap\nPyPI,urlib3,urllib3,1,\nnpm,entirely-different,,0,\n",
        encoding="utf-8",
    )
    there = json.loads(run("benchmark", "--data", str(data), "--corpus", str(lists), "--format", "json").stdout)
    server = await start()
    found = await ended(server, await submitted(server, SWAP, DROP, HONEST))

    assert (found["state"], found["rows"], found["done"], found["methods"]) == ("done", 3, 3, None)
    for speed in (there.pop("speed"), found["result"].pop("speed")):
        assert speed["names"] == 3
        assert speed["p99Microseconds"] > 0
    assert found["result"] == there


async def test_methods_restrict_what_counts(start: Start) -> None:
    """As on the command line."""
    server = await start()
    found = await ended(server, await submitted(server, SWAP, DROP, methods=["omission", "bit-flip"]))

    assert found["methods"] == ["bit-flip", "omission"]
    assert found["result"]["suspicious"]["recall"] == 0.5


async def test_wrong_row_is_left_out_and_told_of(start: Start) -> None:
    """By its place among those sent, counted from 1."""
    server = await start()
    wrong = ({**SWAP, "ecosystem": "pypy"}, {**SWAP, "name": ""}, {**SWAP, "name": "\ud800"})
    found = await ended(server, await submitted(server, SWAP, *wrong))

    assert (found["rows"], found["result"]["attacks"]) == (1, 1)
    assert found["result"]["wrongRows"] == {
        "count": 3,
        "first": [
            {"line": 2, "reason": 'there is no ecosystem "pypy"'},
            {"line": 3, "reason": "it has no name"},
            {"line": 4, "reason": "it holds bytes that are no characters"},
        ],
    }


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({}, 422, "INVALID_REQUEST", "rows: field required"),
        ({"rows": []}, 422, "INVALID_REQUEST", "rows: list should have at least 1 item"),
        ({"rows": [{**SWAP, "label": 2}]}, 422, "INVALID_REQUEST", "rows.0.label: input should be 0 or 1"),
        ({"rows": [{**SWAP, "label": "1"}]}, 422, "INVALID_REQUEST", "rows.0.label: input should be 0 or 1"),
        ({"rows": [SWAP, {"name": "a"}]}, 422, "INVALID_REQUEST", "rows.1.ecosystem: field required"),
        ({"rows": [{**SWAP, "nmae": "a"}]}, 422, "INVALID_REQUEST", 'there is no field "nmae" in rows.0'),
        ({"rows": [{**SWAP, "\ud800": "a"}]}, 422, "INVALID_REQUEST", "the name of a field is no text"),
        ({"rows": [SWAP], "methods": ["omision"]}, 422, "UNKNOWN_METHOD", 'there is no method "omision"'),
        ({"rows": [SWAP], "methods": []}, 422, "INVALID_REQUEST", "methods: list should have at least 1 item"),
        ({"rows": [HONEST] * 10_001}, 422, "INVALID_REQUEST", "rows: list should have at most 10000 items"),
        ({"rows": [{**HONEST, "name": "a" * 2**21}]}, 413, "BODY_TOO_LARGE", "larger than 2097152 bytes"),
    ],
)
async def test_wrong_requests_are_refused_in_one_form(
    start: Start, body: dict[str, Any], status: int, code: str, said: str
) -> None:
    """Naming the field, and the row that it stands in."""
    server = await start()
    content = io.BytesIO(json.dumps(body).encode())
    async with server.http.post(PATH, data=content, headers={"Content-Type": "application/json"}) as response:
        error = (await response.json())["error"]

    assert (response.status, error["code"]) == (status, code)
    assert said in error["message"]
    assert error["suggestion"]


async def test_ten_thousand_rows_are_taken_and_scans_go_on(start: Start) -> None:
    """Larger bodies than elsewhere are welcome here; the event loop's heart goes on beating."""
    server = await start()
    place = await submitted(server, *({**HONEST, "name": f"a-name-of-some-length-{n}"} for n in range(10_000)))
    scans = 0
    while (found := await state(server, place))["state"] in ("queued", "running") and scans < 20:
        assert (await ask(server, ecosystem="PyPI", name=f"reqeusts{scans}"))["verdict"]
        scans += 1

    assert scans == 20
    assert (found["rows"], found["done"] < 10_000) == (10_000, True)


async def test_too_many_at_once_are_told_to_come_back(start: Start) -> None:
    """One runs, four wait; the next is refused, and scans are not."""
    server = await start()
    with held(server) as gate:
        places = [await submitted(server, SWAP)]
        await asyncio.to_thread(gate.entered.wait, 4)
        places += [await submitted(server, SWAP) for _ in range(WAITING)]
        async with server.http.post(PATH, json={"rows": [SWAP]}) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (503, "BENCHMARKS_WAITING")
            assert int(response.headers["Retry-After"]) > 0
        assert [(await state(server, place))["state"] for place in places] == ["running"] + ["queued"] * WAITING
        assert (await ask(server, ecosystem="PyPI", name="reqeusts"))["verdict"] == "suspicious"

    assert [(await ended(server, place))["state"] for place in places] == ["done"] * (WAITING + 1)


async def test_failure_inside_costs_its_own_benchmark_only(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """It is logged under the id, and the next one is run."""
    server = await start()
    with held(server, fail=True) as gate:
        place = await submitted(server, SWAP)
        gate.open.set()
        failed = await ended(server, place)

    assert (failed["state"], failed["result"]) == ("failed", None)
    assert f'"id": "{failed["id"]}"' in capsys.readouterr().err
    assert (await ended(server, await submitted(server, SWAP)))["state"] == "done"


async def test_last_ones_are_kept_and_unknown_ones_are_not_found(start: Start) -> None:
    """Memory is bounded; what is asked for too late is said to be gone."""
    server = await start()
    places = []
    for _ in range(KEPT + 2):
        places.append(await submitted(server, SWAP))
        await ended(server, places[-1])
    async with server.http.get(places[1]) as response:
        error = (await response.json())["error"]

    assert (response.status, error["code"]) == (404, "UNKNOWN_BENCHMARK")
    assert (await state(server, places[2]))["state"] == "done"
    assert len(server.parts.benchmarks._runs) == KEPT


async def test_server_on_its_way_out_takes_none(start: Start) -> None:
    """It would not live to see the end of it."""
    server = await start()
    drain = asyncio.create_task(server.parts.lifecycle.drain())
    await asyncio.sleep(0)
    async with server.http.post(PATH, json={"rows": [SWAP]}) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (503, "DRAINING")
    await drain


async def test_shutdown_cancels_what_has_not_ended(start: Start) -> None:
    """The running one and those that wait, and their rows are let go."""
    parts = (await start()).parts
    gate = Gate(parts.service.engines)
    benchmarks = Benchmarks(lambda: gate, parts.clock, Log("json", LogLevel.ERROR), iter("ab").__next__)
    rows = Labelled((Row(Package(Ecosystem.PYPI, "reqeusts"), attack=True),), ())
    runs = [benchmarks.submit(rows, None) for _ in range(2)]
    work = asyncio.create_task(benchmarks.work())
    await asyncio.to_thread(gate.entered.wait, 4)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    gate.open.set()

    assert [run.state for run in runs] == [State.CANCELLED, State.CANCELLED]
    assert [run.labelled.rows for run in runs] == [(), ()]
