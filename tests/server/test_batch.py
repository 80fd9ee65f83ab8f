import asyncio
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest

from batching import NDJSON, item, lines, send, send_lines
from running import Start, ask, samples
from typosentinel_server.batches.judge import STEP_NAMES, Judge, Slot
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.workers.slices import Judged, Refused

OWN = ("id", "cached", "durationMs")


def _without_own(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: held for key, held in answer.items() if key not in OWN}


async def test_answers_are_those_of_single_scans(start: Start) -> None:
    """In order, of several ecosystems, whatever the mode."""
    server = await start()
    items = [item("reqeusts"), item("lodahs", "npm"), item("Flask", version="3.0"), item("n\u00fcmpy"), item("x-y-z")]
    ids = set()
    for mode in ("parallel", "sequential"):
        found = await send(server, items, mode=mode)
        assert [one["index"] for one in found["items"]] == [0, 1, 2, 3, 4]
        for asked, answer in zip(items, found["items"], strict=True):
            single = await ask(server, **asked)
            assert _without_own(answer["result"]) == _without_own(single)
            assert list(answer["result"]) == list(single)
        ids |= {one["result"]["id"] for one in found["items"]}
    assert len(ids) == 10


async def test_summary_counts(start: Start) -> None:
    """Judged, refused, known from before, asked twice; a name is the same in any spelling of its registry."""
    server = await start()
    await ask(server, **item("six"))
    items = [item("reqeusts"), item("Reqeusts"), item("reqeusts"), item("six"), item(""), item("a", "cobol"), 7, {}]
    summary = (await send(server, items))["summary"]
    assert summary["complete"] is True
    assert summary["error"] is None
    figures = [summary[key] for key in ("items", "judged", "errors", "cached", "duplicates")]
    assert figures == [8, 4, 4, 1, 2]
    assert summary["verdicts"] == {"clean": 1, "advisory": 0, "suspicious": 3, "malicious": 0}
    assert summary["corpusVersions"].keys() == {"PyPI"}


async def test_an_ecosystem_is_one_in_any_spelling(start: Start) -> None:
    """Whichever comes first; what there is no list for is as many errors as items."""
    server = await start()
    items = [item("six", "pypi"), item("six", "PYPI"), item("six"), *(item("six", f"no-{n}") for n in range(500))]
    found = await send(server, items)
    assert [found["summary"][key] for key in ("judged", "duplicates", "errors")] == [3, 2, 500]
    assert [one["result"]["ecosystem"] for one in found["items"][:3]] == ["PyPI"] * 3
    assert found["summary"]["corpusVersions"].keys() == {"PyPI"}


class _TakenOnce(asyncio.Lock):
    """The event loop's thread, which some other batch has from the second step on."""

    taken = False

    async def acquire(self) -> Literal[True]:
        if self.taken:
            await asyncio.Event().wait()
        self.taken = True
        return await super().acquire()


async def test_what_was_judged_in_time_is_kept(start: Start) -> None:
    """The rest of the slice is answered with the reason."""
    server = await start()
    service, pool = server.parts.service, server.parts.batches.pool
    engine = service.engines.engine(Ecosystem.PYPI)
    slots = [Slot(engine, parse_name(engine.ecosystem, f"reqeusts-{n}"), None, n) for n in range(2 * STEP_NAMES)]
    judge = Judge("batch", service, pool, _TakenOnce(), server.parts.clock, date(2026, 1, 1))
    await judge.answer(slots, 1, 0.2, first=True)
    assert {type(slot.answer) for slot in slots[:STEP_NAMES]} == {Judged}
    late = {slot.answer.code for slot in slots[STEP_NAMES:] if isinstance(slot.answer, Refused)}
    assert late == {"BATCH_TIMED_OUT"}


async def test_a_bad_item_fails_alone(start: Start) -> None:
    """It says what is wrong with it in the words of the single scan."""
    server = await start()
    bad = [
        7,
        {"name": "a"},
        item("a", extra=1),
        item("a", version=1),
        item(5),  # type: ignore[arg-type]
        item("a", "cobol"),
        item(""),
        item("a b"),
        item("a" * 300),
        item("\ud800"),
        item("a", "\ud800"),
        item("a", version="\ud800"),
        item("a", version="x" * 300),
        [["a"]],
    ]
    found = (await send(server, [*bad, item("flask")]))["items"]
    for asked, answer in zip(bad, found[:-1], strict=True):
        async with server.http.post("/api/v1/scan", json=asked) as response:
            error = (await response.json())["error"]
        assert answer["error"]["code"] == error["code"]
        assert answer["error"]["message"] == error["message"]
        assert answer["error"]["suggestion"]
    assert found[-1]["result"]["known"] is True


async def test_lines_come_back_as_lines(start: Start) -> None:
    """One answer a line, a malformed line in the middle among them, and the summary last."""
    server = await start()
    body = lines([item("reqeusts")]) + b"{bad\n\n" + b'{"ecosystem":"PyPI","name":"a","name":"b"}\n' + b"[1]\n"
    status, found = await send_lines(server, body + lines([item("flask")])[:-1])
    assert status == 200
    codes = [one["error"]["code"] if "error" in one else one["result"]["name"] for one in found[:-1]]
    assert codes == ["reqeusts", "MALFORMED_JSON", "MALFORMED_JSON", "INVALID_REQUEST", "flask"]
    assert "stands twice" in found[2]["error"]["message"]
    assert found[-1]["summary"]["errors"] == 3


async def test_each_line_is_answered_as_it_comes(start: Start) -> None:
    """Whoever waits for an answer before the next question gets it."""
    server = await start()
    asked: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def body() -> Any:
        while (line := await asked.get()) is not None:
            yield line

    asked.put_nowait(lines([item("reqeusts")]))
    async with server.http.post("/api/v1/batch", data=body(), headers={"Content-Type": NDJSON}) as response:
        first = orjson.loads(await response.content.readline())
        assert first["result"]["verdict"] == "suspicious"
        asked.put_nowait(lines([item("flask")]))
        second = orjson.loads(await response.content.readline())
        assert second["result"]["known"] is True
        asked.put_nowait(None)
        assert orjson.loads(await response.content.readline())["summary"]["judged"] == 2


@pytest.mark.parametrize(
    ("given", "accept", "wanted"),
    [
        ("application/json", "*/*", "application/json"),
        ("application/json", NDJSON, NDJSON),
        (NDJSON, "*/*", NDJSON),
        (NDJSON, "application/json", "application/json"),
    ],
)
async def test_the_form_of_the_answer_is_the_askers(start: Start, given: str, accept: str, wanted: str) -> None:
    """By Accept; where that says nothing, as the question was."""
    server = await start()
    body = lines([item("flask")]) if given == NDJSON else orjson.dumps({"items": [item("flask")]})
    headers = {"Content-Type": given, "Accept": accept}
    async with server.http.post("/api/v1/batch", data=body, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == wanted
        assert response.headers["X-Request-ID"]
        assert response.headers["X-Served-By"] == "pod-1"
        found = await response.read()
    if wanted == NDJSON:
        assert [*orjson.loads(found.splitlines()[0])] == ["index", "result"]
    else:
        assert [*orjson.loads(found)] == ["items", "summary"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"items": []}, 422, "BATCH_EMPTY"),
        ({"items": "a"}, 422, "INVALID_REQUEST"),
        ({}, 422, "INVALID_REQUEST"),
        ({"items": [item("a")], "mode": "fast"}, 422, "INVALID_REQUEST"),
        ({"items": [item("a")], "more": 1}, 422, "INVALID_REQUEST"),
        ({"items": [0] * 10_001}, 413, "TOO_MANY_ITEMS"),
    ],
)
async def test_a_batch_of_another_shape_is_refused(start: Start, body: Any, status: int, code: str) -> None:
    """As a whole, before anything is judged."""
    server = await start()
    async with server.http.post("/api/v1/batch", json=body) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", NDJSON, 400, "BODY_EMPTY"),
        (b"\n \n", NDJSON, 400, "BODY_EMPTY"),
        (b"", "application/json", 400, "BODY_EMPTY"),
        (b"{", "application/json", 400, "MALFORMED_JSON"),
        (b'{"items":[1],"items":[2]}', "application/json", 400, "MALFORMED_JSON"),
        (b"a", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * (4 * 2**20 + 1), NDJSON, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_body_that_is_none_is_refused(start: Start, body: bytes, kind: str, status: int, code: str) -> None:
    """Lines and JSON alike."""
    server = await start()
    async with server.http.post("/api/v1/batch", data=BytesIO(body), headers={"Content-Type": kind}) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (status, code)


async def test_a_mode_that_is_none_is_refused(start: Start) -> None:
    """Of lines, the mode is a parameter."""
    server = await start()
    status, found = await send_lines(server, lines([item("a")]), "/api/v1/batch?mode=fast")
    assert (status, found[0]["error"]["code"]) == (422, "INVALID_REQUEST")
    status, found = await send_lines(server, lines([item("a")]), "/api/v1/batch?mode=sequential")
    assert (status, len(found)) == (200, 2)


async def test_too_many_lines_end_the_answer(start: Start) -> None:
    """What came before is answered; the last line says that there was more."""
    server = await start()
    status, found = await send_lines(server, b"0\n" * 10_001)
    assert status == 200
    assert len(found) == 10_001
    summary = found[-1]["summary"]
    assert (summary["items"], summary["complete"], summary["error"]["code"]) == (10_000, False, "TOO_MANY_ITEMS")


async def test_a_body_that_grows_too_large_ends_the_answer(start: Start) -> None:
    """It could not be seen before."""
    server = await start()

    async def body() -> Any:
        yield lines([item("flask")])
        for _ in range(5):
            yield b" " * 2**20

    async with server.http.post("/api/v1/batch", data=body(), headers={"Content-Type": NDJSON}) as response:
        found = [orjson.loads(line) for line in (await response.read()).splitlines()]
    assert found[0]["result"]["known"] is True
    assert found[-1]["summary"]["error"]["code"] == "BODY_TOO_LARGE"


async def test_lists_speak_in_batches_too(start: Start, folder: Path) -> None:
    """Malware, private names and the allow-list count as in a single scan."""
    server = await start(folder / "config.yaml")
    names = ["reqeusts", "flask", "colourama", "acme-core", "six"]
    found = await send(server, [item(name) for name in names])
    for name, answer in zip(names, found["items"], strict=True):
        assert _without_own(answer["result"]) == _without_own(await ask(server, **item(name)))


async def test_metrics_count_items_and_batches(start: Start) -> None:
    """Names among the scans; what had no answer by itself."""
    server = await start()
    await send(server, [item("reqeusts"), item("reqeusts"), 7])
    found = await samples(server)
    scans = {labels: n for (name, labels), n in found.items() if name == "typosentinel_scans_total"}
    assert sum(scans.values()) == 2
    assert found["typosentinel_batch_item_errors_total", frozenset()] == 1
    assert found["typosentinel_batches_total", frozenset({("outcome", "complete")})] == 1
    assert found["typosentinel_batches_running", frozenset()] == 0
    assert found["typosentinel_workers", frozenset({("state", "idle")})] == 0


@pytest.mark.parametrize("depth", [300, 600, 1000, 5000])
async def test_deep_nesting_is_an_error_of_the_item_or_of_the_body(start: Start, depth: int) -> None:
    """Never of the server."""
    server = await start()
    deep = b"[" * depth + b"]" * depth
    status, found = await send_lines(server, deep + b"\n" + lines([item("flask")]))
    assert status == 200
    assert found[0]["error"]["code"] in {"INVALID_REQUEST", "MALFORMED_JSON"}
    assert found[1]["result"]["known"] is True
    for rest in (b"", b',"a:b"'):
        body = BytesIO(b'{"items":[' + deep + rest + b"]}")
        async with server.http.post(
            "/api/v1/batch", data=body, headers={"Content-Type": "application/json"}
        ) as response:
            assert response.status in {200, 400, 422}
            assert b"INTERNAL" not in await response.read()


async def test_colons_in_names_are_no_keys(start: Start) -> None:
    """Maven's names have one each; a key that stands twice is found among them."""
    server = await start()
    found = await send(server, [item("org.apache:commons", "Maven"), item("a:b", "PyPI"), item("flask")])
    assert [one.get("error", {}).get("code") for one in found["items"]] == [
        "ECOSYSTEM_NOT_SERVED",
        "NAME_INVALID",
        None,
    ]
    for doubled in ('{"ecosystem":"PyPI","name":"a:b","name":"c"}', '{"ecosystem":"PyPI","name":"a","\\u006eame":"c"}'):
        body = BytesIO(b'{"items":[' + doubled.encode() + b"]}")
        async with server.http.post(
            "/api/v1/batch", data=body, headers={"Content-Type": "application/json"}
        ) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (400, "MALFORMED_JSON")


async def test_a_batch_counts_as_many_requests_as_it_has_names(start: Start, tmp_path: Path) -> None:
    """As JSON it is refused as a whole; lines are answered as far as the limit goes."""
    config = tmp_path / "config.yaml"
    limit = "limits: {endpoints: {Batch: {requests: 10, window: 1h}}}"
    config.write_text(f"apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n{limit}\n")
    server = await start(config)
    assert (await send(server, [item("flask")] * 8))["summary"]["judged"] == 8
    async with server.http.post("/api/v1/batch", json={"items": [item("flask")] * 3}) as response:
        assert response.status == 429
        assert int(response.headers["Retry-After"]) > 0
    status, found = await send_lines(server, lines([item("flask")] * 300))
    assert (status, found[0]["error"]["code"]) == (429, "RATE_LIMITED")
