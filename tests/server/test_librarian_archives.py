"""Keeping lists fresh out of archives at an address: fetched, verified, kept, replaced, and every way to fail."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from origin import Origin, archive, bundle_files, http, says, stalls
from refreshing import configured, health, names, refreshes
from running import Start, ask, samples
from typosentinel_server.bundles.store import publish
from typosentinel_server.lifecycle import Timing

SLOW = Timing(reload=60, corpus=60)


async def test_archive_is_fetched_verified_and_kept(start: Start, tmp_path: Path, origin: Origin) -> None:
    """From its address at the start; a second server without network has it from the disk."""
    origin.publish("/lists.tar", archive(10), '"1"')
    state = tmp_path / "state"
    corpus = {"source": {"url": origin.url("/lists.tar")}, "stateDir": str(state)}
    server = await start(configured(tmp_path, corpus, ecosystems=["RubyGems"]), SLOW, corpus=None)
    found = await health(server, lambda h: names(h) == {"RubyGems": 10})
    assert found["status"] == "ok"
    await server.parts.librarian.look()
    assert origin.asked[-1][1]["if-none-match"] == '"1"'
    assert refreshes(await samples(server)) == {"updated": 1, "unchanged": 1}
    origin.answers.clear()
    again = await start(configured(tmp_path, corpus, ecosystems=["RubyGems"]), SLOW, corpus=None)

    assert names(await health(again)) == {"RubyGems": 10}
    found = await health(again, lambda h: h["corpusSource"]["lastError"] is not None)
    assert (found["status"], names(found)) == ("degraded", {"RubyGems": 10})
    assert "answers 404" in found["corpusSource"]["lastError"]
    assert len(list(state.iterdir())) == 2


async def test_new_archive_replaces_the_kept_one(start: Start, tmp_path: Path, origin: Origin) -> None:
    """One archive lies on the disk, and it is the one in use."""
    origin.publish("/lists.tar", archive(10))
    state = tmp_path / "state"
    corpus = {"source": {"url": origin.url("/lists.tar")}, "stateDir": str(state)}
    server = await start(configured(tmp_path, corpus, ecosystems=["RubyGems"]), SLOW, corpus=None)
    await health(server, lambda h: names(h) == {"RubyGems": 10})
    origin.publish("/lists.tar", archive(12))
    await server.parts.librarian.look()

    assert names(await health(server)) == {"RubyGems": 12}
    kept = [path for path in state.iterdir() if path.suffix == ".tar"]
    assert [path.read_bytes() for path in kept] == [archive(12)]


@pytest.mark.parametrize("damage", ["note", "archive", "other url", "other hash"])
async def test_what_was_kept_is_taken_only_if_it_is_right(
    start: Start, tmp_path: Path, origin: Origin, damage: str
) -> None:
    """Damaged, or of another address or hash than wanted now: as if it were not there."""
    content = archive(10)
    state = tmp_path / "state"
    state.mkdir()
    digest = hashlib.sha256(content).hexdigest()
    url = origin.url("/lists.tar")
    noted = {"url": url if damage != "other url" else url + "x", "sha256": digest, "etag": None}
    (state / "corpus.json").write_text("[" if damage == "note" else json.dumps(noted))
    (state / f"corpus-{digest[:16]}.tar").write_bytes(content[: -1 if damage == "archive" else None])
    source = {"url": url} | ({"sha256": "a" * 64} if damage == "other hash" else {})
    server = await start(
        configured(tmp_path, {"source": source, "stateDir": str(state)}, ecosystems=["RubyGems"]), SLOW, corpus=None
    )

    assert names(await health(server)) == {"RubyGems": 974}


@pytest.mark.parametrize(
    ("prepare", "result"),
    [
        (lambda origin: origin.publish("/lists.tar", archive(10), digest="0" * 64), "checksum"),
        (lambda origin: origin.publish("/lists.tar", archive(10)[:700]), "damaged"),
        (lambda origin: origin.publish("/lists.tar", b"<html>"), "damaged"),
        (lambda origin: origin.publish("/lists.tar", bytes(1024)), "missing"),
        (lambda origin: origin.answers.update({"/lists.tar": says(http("200 OK", archive(10)))}), "unreachable"),
        (lambda s: s.answers.update({"/lists.tar": says(http("200", b"", Content_Length="9" * 8))}), "too_large"),
        (lambda origin: origin.answers.update({"/lists.tar": says(b"HTTP/1.1 200")}), "unreachable"),
        (lambda origin: origin.answers.clear(), "unreachable"),
    ],
    ids=["hash", "cut off", "no tar", "empty", "no hash", "huge", "broken", "404"],
)  # fmt: skip
async def test_bad_archive_is_refused_and_the_next_good_one_taken(
    start: Start, tmp_path: Path, origin: Origin, prepare: Callable[[Origin], None], result: str
) -> None:
    """Whatever the server of lists does, scans go on and the reason is told and counted."""
    prepare(origin)
    path = configured(tmp_path, {"source": {"url": origin.url("/lists.tar")}}, ecosystems=["RubyGems"])
    server = await start(path, SLOW, corpus=None)
    found = await health(server, lambda h: h["corpusSource"]["lastError"] is not None)
    assert (found["status"], names(found)) == ("degraded", {"RubyGems": 974})
    assert refreshes(await samples(server)) == {result: 1}
    origin.publish("/lists.tar", archive(10))
    await server.parts.librarian.look()

    assert (await health(server))["status"] == "ok"
    assert names(await health(server)) == {"RubyGems": 10}


async def test_pinned_hash_needs_no_second_file_and_no_second_look(
    start: Start, tmp_path: Path, origin: Origin
) -> None:
    """What is in use already is what is wanted."""
    content = archive(10)
    origin.answers["/lists.tar"] = says(http("200 OK", content))
    source = {"url": origin.url("/lists.tar"), "sha256": hashlib.sha256(content).hexdigest()}
    server = await start(configured(tmp_path, {"source": source}, ecosystems=["RubyGems"]), SLOW, corpus=None)
    await health(server, lambda h: names(h) == {"RubyGems": 10})
    await server.parts.librarian.look()

    assert [path for path, _ in origin.asked] == ["/lists.tar"]
    assert refreshes(await samples(server)) == {"updated": 1, "unchanged": 1}


async def test_slow_server_of_lists_holds_up_nothing(start: Start, tmp_path: Path, origin: Origin) -> None:
    """While it is waited for, names are judged and the configuration can change to another source."""
    origin.answers["/lists.tar"] = stalls(http("200 OK", b"x", Content_Length="9"))
    path = configured(tmp_path, {"source": {"url": origin.url("/lists.tar")}}, ecosystems=["RubyGems"])
    server = await start(path, Timing(reload=0.02, corpus=0.02), corpus=None)
    await origin.was_asked.wait()

    assert (await ask(server, ecosystem="RubyGems", name="raisl"))["verdict"] == "suspicious"
    lists = tmp_path / "lists"
    publish(bundle_files(10), lists)
    configured(tmp_path, {"source": {"directory": str(lists)}}, ecosystems=["RubyGems"])
    found = await health(server, lambda h: names(h) == {"RubyGems": 10})
    assert found["corpusSource"]["kind"] == "directory"


async def test_source_may_change_and_change_back(start: Start, tmp_path: Path, origin: Origin) -> None:
    """The lists of the old source serve until the new one has given some; small lists may follow great ones."""
    path = configured(tmp_path, {"source": {"builtin": {}}}, ecosystems=["RubyGems"])
    server = await start(path, Timing(reload=0.02, corpus=0.02), corpus=None)
    configured(tmp_path, {"source": {"url": origin.url("/lists.tar")}}, ecosystems=["RubyGems", "NuGet"])
    found = await health(server, lambda h: h["corpusSource"]["lastError"] is not None)
    assert (found["configuration"]["lastError"], names(found)) == (None, {"RubyGems": 974, "NuGet": 193})
    origin.publish("/lists.tar", archive(10))
    await server.parts.librarian.look()
    assert names(await health(server)) == {"RubyGems": 10}
    configured(tmp_path, {"source": {"builtin": {}}}, ecosystems=["RubyGems", "Go"])

    found = await health(server, lambda h: h["corpusSource"]["kind"] == "builtin")
    assert names(found).keys() == {"RubyGems", "Go"}
    assert (found["status"], names(found)["RubyGems"]) == ("ok", 974)
