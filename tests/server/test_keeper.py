"""Lists that say more than a name in a running server: taken, refused, kept, and what is told of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from listfiles import ALLOW, ENDED, HEAD, MALWARE, NAMED, PRIVATE, verdict
from running import Running, Start, samples
from typosentinel_server.document import digest_of
from typosentinel_server.lifecycle import Timing

SLOW = Timing(reload=60)
NAMES = ("reqeusts", "acme-billing", "evil-thing")
WRONG = {
    "allow.yaml": "nonsense",
    "private.yaml": PRIVATE.replace("acme-billing", "'*'"),
    "malware.csv": "ecosystem,name\nPyPI,\x1b\n",
}


async def told(server: Running) -> dict[str, Any]:
    """The lists of /health by name, and its status."""
    async with server.http.get("/health") as response:
        health = await response.json()
    return {"status": health["status"]} | {entry["name"]: entry for entry in health["lists"]}


async def degraded(server: Running) -> list[str]:
    """What /ready says somebody should see to; it is 200 all the same."""
    async with server.http.get("/ready") as response:
        assert response.status == 200
        found: list[str] = (await response.json())["degraded"]
        return found


async def of_metric(server: Running, name: str, **labels: str) -> dict[str, float]:
    """A metric's samples with these labels, by list."""
    return {
        dict(found)["list"]: value
        for (metric, found), value in (await samples(server)).items()
        if metric == name and labels.items() <= dict(found).items()
    }


async def test_what_is_in_use_is_told(start: Start, folder: Path) -> None:
    """File, entries and, of what is small enough, the hash, by which the operator knows it."""
    server = await start(folder / "config.yaml")
    found = await told(server)

    assert (found["status"], await degraded(server)) == ("ok", [])
    assert found["allowList"] == {
        "name": "allowList",
        "file": str(folder / "allow.yaml"),
        "hash": digest_of(ALLOW.encode()),
        "entries": 1,
        "serving": "current",
        "lastError": None,
    }
    assert [found[name]["hash"] for name in ("malware", "registryIndex.PyPI")] == [None, None]
    assert set((await of_metric(server, "typosentinel_knowledge_refused")).values()) == {0}


async def test_wrong_lists_stop_no_start_and_are_loud(
    start: Start, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server answers without them; health, readiness, metrics and log say which, and why."""
    for name, content in WRONG.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "pypi.txt").unlink()
    server = await start(folder / "config.yaml", SLOW)
    found = await told(server)

    assert [await verdict(server, name) for name in NAMES] == ["suspicious", "clean", "clean"]
    assert found.pop("status") == "degraded"
    assert {(entry["serving"], entry["entries"]) for entry in found.values()} == {("none", 0)}
    assert found["allowList"]["lastError"].startswith(f"{folder / 'allow.yaml'}:1: the document is not a mapping")
    complaints = await degraded(server)
    assert [line.partition(":")[0] for line in complaints] == list(found)
    assert complaints[-1].endswith("pypi.txt:1: No such file or directory; there is none to use instead")
    assert await of_metric(server, "typosentinel_knowledge_refused") == dict.fromkeys(found, 1)
    assert await of_metric(server, "typosentinel_knowledge_reads_total", result="refused") == dict.fromkeys(found, 1)
    assert capsys.readouterr().err.count('"event": "list refused, there is none to use instead"') == len(found)


async def test_list_that_was_wrong_at_the_start_is_taken_once_it_is_mended(start: Start, folder: Path) -> None:
    """Each by itself; nobody has to restart anything."""
    for name, content in WRONG.items():
        (folder / name).write_text(content, encoding="utf-8")
    server = await start(folder / "config.yaml", SLOW)
    (folder / "malware.csv").write_text(MALWARE, encoding="utf-8")
    await server.parts.keeper.look()

    assert [await verdict(server, name) for name in NAMES] == ["suspicious", "clean", "malicious"]
    assert [line.partition(":")[0] for line in await degraded(server)] == ["allowList", "privateNames"]
    (folder / "allow.yaml").write_text(ALLOW, encoding="utf-8")
    (folder / "private.yaml").write_text(PRIVATE, encoding="utf-8")
    await server.parts.keeper.look()
    assert [await verdict(server, name) for name in NAMES] == ["clean", "suspicious", "malicious"]
    assert ((await told(server))["status"], await degraded(server)) == ("ok", [])


async def test_changed_list_takes_effect_and_a_wrong_one_leaves_the_last_good_one(start: Start, folder: Path) -> None:
    """The document has not changed; cached verdicts are concluded anew; one wrong list holds up no other."""
    server = await start(folder / "config.yaml", SLOW)
    digest = server.parts.reloader.current.digest
    assert [await verdict(server, name) for name in NAMES] == ["clean", "suspicious", "malicious"]
    (folder / "malware.csv").write_text(WRONG["malware.csv"], encoding="utf-8")
    (folder / "private.yaml").unlink()
    (folder / "allow.yaml").write_text(ENDED, encoding="utf-8")
    for _ in range(3):
        await server.parts.keeper.look()
    found = await told(server)

    assert [await verdict(server, name) for name in NAMES] == ["suspicious", "suspicious", "malicious"]
    assert {found[name]["serving"] for name in ("malware", "privateNames")} == {"earlier"}
    assert found["malware"]["lastError"].startswith(f"{folder / 'malware.csv'}:2: name: the name holds the character")
    assert found["privateNames"]["lastError"] == f"{folder / 'private.yaml'}:1: No such file or directory"
    assert (await degraded(server))[0].endswith("; the last good one stays in use")
    refused = await of_metric(server, "typosentinel_knowledge_reads_total", result="refused")
    assert refused == {"allowList": 0, "privateNames": 1, "malware": 1, "registryIndex.PyPI": 0}
    assert (server.parts.reloader.current.digest, server.parts.reloader.last_error) == (digest, None)


async def test_wrong_list_holds_up_no_document(start: Start, folder: Path) -> None:
    """Nor does a list at another place that is not there: what was in use stays."""
    server = await start(folder / "config.yaml", SLOW)
    elsewhere = NAMED.replace("allow.yaml", "elsewhere.yaml")
    (folder / "config.yaml").write_text(HEAD + "cache: {memory: {maxEntries: 3}}\n" + elsewhere, encoding="utf-8")
    await server.parts.reloader.look()

    assert (server.parts.reloader.last_error, server.parts.service.cache.max_entries) == (None, 3)
    assert await verdict(server, "reqeusts") == "clean"
    assert (await told(server))["allowList"]["serving"] == "earlier"


async def test_list_that_is_named_no_longer_is_forgotten(start: Start, folder: Path) -> None:
    """On purpose: it is nothing that anybody has to see to."""
    server = await start(folder / "config.yaml", SLOW)
    (folder / "config.yaml").write_text(HEAD, encoding="utf-8")
    await server.parts.reloader.look()

    assert [await verdict(server, name) for name in NAMES] == ["suspicious", "clean", "clean"]
    assert await told(server) == {"status": "ok"}
    assert await of_metric(server, "typosentinel_knowledge_refused") == {}


async def test_files_are_watched(start: Start, folder: Path) -> None:
    """No call, no signal, no other document."""
    server = await start(folder / "config.yaml")
    (folder / "allow.yaml").write_text(ENDED, encoding="utf-8")
    while True:
        if (await told(server))["allowList"]["hash"] == digest_of(ENDED.encode()):
            break
        await asyncio.sleep(0.01)
    assert await verdict(server, "reqeusts") == "suspicious"
