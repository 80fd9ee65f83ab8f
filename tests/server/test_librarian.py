"""Keeping lists fresh in a running server: every source, every kind of failure, and what is told of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from origin import CREATED, Origin, archive, bundle_files
from refreshing import configured, health, names, refreshes
from running import Start, StillClock, ask, samples
from typosentinel_server.bundles.store import publish
from typosentinel_server.engines import Library
from typosentinel_server.librarian import Librarian
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.settings import LogLevel, parse_settings
from typosentinel_server.sources import Directory

SLOW = Timing(reload=60, corpus=60)


async def test_mounted_lists_are_taken_when_they_change(start: Start, tmp_path: Path) -> None:
    """As the kubelet swaps them; what is judged follows, and so do version, metrics and date."""
    lists = tmp_path / "lists"
    publish(bundle_files(10), lists)
    server = await start(configured(tmp_path, {"source": {"directory": str(lists)}}), corpus=None)
    assert names(await health(server)) == {"RubyGems": 10}
    assert (await ask(server, ecosystem="RubyGems", name="package-12"))["known"] is False
    publish(bundle_files(20, npm=True), lists)
    found = await health(server, lambda h: names(h) == {"RubyGems": 20, "npm": 2})

    assert (await ask(server, ecosystem="RubyGems", name="package-12"))["known"] is True
    assert found["status"] == "ok"
    assert found["corpus"][0]["createdAt"] == CREATED.isoformat().replace("+00:00", "Z")
    assert found["corpusSource"] | {"lastSuccessAt": ""} == {
        "kind": "directory",
        "location": str(lists),
        "fallback": False,
        "lastSuccessAt": "",
        "lastError": None,
    }
    assert refreshes(await samples(server)) == {"updated": 1}


@pytest.mark.parametrize(
    ("files", "result", "said"),
    [
        (bundle_files(10) | {"manifest.json": bundle_files(20)["manifest.json"]}, "checksum", "manifest.json says"),
        ({"rubygems.csv": b"rank,name\n"}, "damaged", "no rows"),
        ({"rubygems.csv": b"\x00" * 99}, "damaged", "no column called name"),
        (bundle_files(4), "shrunken", "the list for RubyGems shrank from 10 to 4 names, and may lose 50 %"),
        ({"npm.csv": b"rank,name\n1,lodash\n"}, "shrunken", "the list for RubyGems shrank from 10 to 0 names"),
        ({}, "missing", "it holds no list"),
    ],
    ids=["checksum", "empty", "damaged", "shrunken", "vanished", "gone"],
)
async def test_bad_lists_are_refused_and_the_old_ones_stay(
    start: Start, tmp_path: Path, files: dict[str, bytes], result: str, said: str
) -> None:
    """Counted once, told in /health and /ready, and forgotten when good ones come."""
    lists = tmp_path / "lists"
    publish(bundle_files(10), lists)
    server = await start(configured(tmp_path, {"source": {"directory": str(lists)}}), corpus=None)
    publish(files, lists)
    found = await health(server, lambda h: h["corpusSource"]["lastError"] is not None)
    await asyncio.sleep(0.1)

    assert (found["status"], names(found)) == ("degraded", {"RubyGems": 10})
    assert said in found["corpusSource"]["lastError"]
    assert refreshes(await samples(server)) == {result: 1}
    async with server.http.get("/ready") as ready:
        assert (ready.status, (await ready.json())["degraded"]) == (200, [found["corpusSource"]["lastError"]])
    assert (await ask(server, ecosystem="RubyGems", name="raisl"))["verdict"] == "suspicious"
    publish(bundle_files(6), lists)
    assert (await health(server, lambda h: names(h) == {"RubyGems": 6}))["status"] == "ok"


async def test_loss_may_be_allowed(start: Start, tmp_path: Path) -> None:
    """By the configuration, in whole percents."""
    lists = tmp_path / "lists"
    publish(bundle_files(10), lists)
    server = await start(configured(tmp_path, {"source": {"directory": str(lists)}, "maxLossPercent": 90}), corpus=None)
    publish(bundle_files(1), lists)

    assert (await health(server, lambda h: names(h) == {"RubyGems": 1}))["status"] == "ok"


async def test_without_any_lists_the_built_in_ones_serve(start: Start, tmp_path: Path) -> None:
    """A ConfigMap that is not there yet stops nobody; when it comes, its lists are taken."""
    lists = tmp_path / "lists"
    path = configured(tmp_path, {"source": {"directory": str(lists)}}, ecosystems=["RubyGems", "NuGet"])
    server = await start(path, corpus=None)
    found = await health(server)
    assert (found["status"], names(found)) == ("degraded", {"RubyGems": 974, "NuGet": 193})
    assert found["corpusSource"]["fallback"] is True
    async with server.http.get("/ready") as ready:
        assert [line.split(str(lists))[-1] for line in (await ready.json())["degraded"]] == [
            ": it holds no list",
            " gives some",
        ]
    publish(bundle_files(10), lists)
    found = await health(server, lambda h: names(h) == {"RubyGems": 10})

    assert found["corpusSource"]["fallback"] is False
    assert found["status"] == "degraded", "NuGet is not served"
    async with server.http.get("/ready") as ready:
        assert [line.split("/")[-1] for line in (await ready.json())["degraded"]] == [
            "lists has no list for NuGet, which is not served"
        ]


async def test_pinned_lists_win_and_are_watched(start: Start, tmp_path: Path) -> None:
    """--corpus DIR, whatever the document says; bare files, too."""
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "rubygems.csv").write_text("rank,name\n1,rails\n2,rake\n")
    server = await start(configured(tmp_path, {"source": {"url": "http://127.0.0.1:1/x"}}), corpus=lists)
    assert names(await health(server)) == {"RubyGems": 2}
    (lists / "rubygems.csv").write_text("rank,name\n1,rails\n2,rake\n3,nokogiri\n")
    found = await health(server, lambda h: names(h) == {"RubyGems": 3})

    assert found["corpusSource"]["location"] == str(lists)


async def test_age_beyond_the_limit_is_degraded_and_never_unready(start: Start, tmp_path: Path) -> None:
    """Old lists are better than none."""
    lists = tmp_path / "lists"
    publish(bundle_files(10), lists)
    server = await start(configured(tmp_path, {"source": {"directory": str(lists)}, "maxAge": "1h"}), corpus=None)
    found = await health(server)
    async with server.http.get("/ready") as ready:
        assert ready.status == 200
        (complaint,) = (await ready.json())["degraded"]

    assert complaint.startswith("the list for RubyGems is ")
    assert (found["status"], found["corpus"][0]["stale"]) == ("degraded", True)
    assert found["corpus"][0]["ageSeconds"] > 3600
    seen = await samples(server)
    assert seen["typosentinel_corpus_max_age_seconds", frozenset()] == 3600
    assert seen["typosentinel_corpus_last_success_timestamp_seconds", frozenset()] > 1.7e9


def librarian(tmp_path: Path, still: StillClock, chance: float, **corpus: Any) -> Librarian:
    """A librarian by himself."""
    settings = parse_settings(configured(tmp_path, corpus, ecosystems=["npm", "RubyGems"]).read_bytes(), "c.yaml")
    return Librarian(settings, None, still.clock, lambda: chance, Metrics("1"), Log("json", LogLevel.ERROR))


@pytest.mark.parametrize(("chance", "wanted"), [(0.0, 90.0), (0.5, 100.0), (1.0, 110.0)])
def test_looks_of_many_servers_are_spread(tmp_path: Path, still: StillClock, chance: float, wanted: float) -> None:
    """A tenth to either side."""
    publish(bundle_files(), tmp_path / "lists")
    found = librarian(tmp_path, still, chance, source={"directory": str(tmp_path / "lists")}, refreshInterval="100s")

    assert found._next_look() - still.seconds == pytest.approx(wanted)


async def test_failed_looks_are_repeated_soon_and_then_rarely(tmp_path: Path, still: StillClock) -> None:
    """A quarter of a minute, then twice as long each time, never longer than the interval."""
    found = librarian(tmp_path, still, 0.5, source={"directory": str(tmp_path / "lists")}, refreshInterval="70s")
    waits = []
    for _ in range(4):
        waits.append(round(found._next_look() - still.seconds))
        await found.look()

    assert waits == [15, 30, 60, 70]


async def test_same_engines_go_on_where_the_lists_are_the_same(tmp_path: Path, still: StillClock) -> None:
    """A file that is written anew with what it had is no new list."""
    publish(bundle_files(10, npm=True), tmp_path / "lists")
    found = librarian(tmp_path, still, 0.5, source={"directory": str(tmp_path / "lists")})
    before = found.engines
    await found.look()
    assert found.engines is before
    publish(bundle_files(11, npm=True), tmp_path / "lists")
    await found.look()

    assert found.engines is not before


async def test_lists_that_change_while_they_are_read_are_torn_not_damaged(
    tmp_path: Path, still: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked at again instead of being counted."""
    lists = tmp_path / "lists"
    publish(bundle_files(10), lists)
    found = librarian(tmp_path, still, 0.5, source={"directory": str(lists)})
    broken = Library(lists)
    publish(bundle_files(12), lists)

    async def torn(self: Directory) -> Library:
        self._seen = ()
        return broken

    with monkeypatch.context() as patch:
        patch.setattr(Directory, "fetch", torn)
        await found.look()
    assert found.state.last_error is None
    await found.look()

    assert found.engines.corpora[0].size == 12


async def test_disk_that_cannot_be_written_stops_no_refresh(
    start: Start, tmp_path: Path, origin: Origin, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a warning in the log; the lists are in use."""
    (tmp_path / "state").write_bytes(b"")
    origin.publish("/lists.tar", archive(10))
    corpus = {"source": {"url": origin.url("/lists.tar")}, "stateDir": str(tmp_path / "state")}
    server = await start(configured(tmp_path, corpus, ecosystems=["RubyGems"], logLevel="Warning"), SLOW, corpus=None)
    found = await health(server, lambda h: names(h) == {"RubyGems": 10})

    assert found["status"] == "ok"
    logged = ""
    while "cannot be kept for the next start" not in logged:
        logged += capsys.readouterr().err
        await asyncio.sleep(0.01)


async def test_unforeseen_failure_is_a_refusal_too(
    tmp_path: Path, still: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with a list, the next one is looked at."""
    publish(bundle_files(10), tmp_path / "lists")
    found = librarian(tmp_path, still, 0.5, source={"directory": str(tmp_path / "lists")})

    async def defect(_: Directory) -> Library:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(Directory, "fetch", defect)
        await found.look()
    assert str(found.state.last_error).endswith("ZeroDivisionError: a defect")
    await found.look()

    assert found.state.last_error is None
