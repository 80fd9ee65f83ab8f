"""Putting a new configuration into effect while the server runs."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from running import Running, Start, ask, samples
from typosentinel_server.clock import Clock
from typosentinel_server.configuration import Reloader, first_configuration
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.scan.corpus import on_board
from typosentinel_server.settings import LogLevel, Settings

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
FIRST = HEAD + "cache: {memory: {maxEntries: 5, ttl: 5m}}\n"
MEMORY_TIER = frozenset({("tier", "memory")})
SECOND = HEAD + "cache: {memory: {maxEntries: 1, ttl: 90s}}\necosystems: [npm]\nlogLevel: Error\n"


class Mount:
    """A directory that changes the way a mounted ConfigMap does: by a swap of its symbolic link."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._count = 0
        self.path = root / "config.yaml"
        self.path.symlink_to("..data/config.yaml")

    def write(self, text: str) -> str:
        """Mounts a new document; returns its hash."""
        self._count += 1
        folder = self._root / f"..{self._count}"
        folder.mkdir()
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        link = self._root / "..data_tmp"
        link.symlink_to(folder.name)
        link.rename(self._root / "..data")
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    """A mounted document."""
    found = Mount(tmp_path)
    found.write(FIRST)
    return found


async def effective(server: Running, *, error: bool, digest: str | None = None) -> dict[str, object]:
    """The configuration part of /health, once it is in the wanted state."""
    while True:
        async with server.http.get("/health") as response:
            health = await response.json()
        found: dict[str, object] = health["configuration"]
        if (found["lastError"] is not None) == error and digest in (None, found["hash"]):
            assert health["status"] == ("degraded" if error else "ok")
            return found
        await asyncio.sleep(0.01)


async def test_swapped_document_takes_effect_without_a_restart(start: Start, mount: Mount) -> None:
    """Cache, ecosystems and hash are the new ones, in the metrics too."""
    server = await start(mount.path)
    await ask(server, ecosystem="PyPI", name="reqeusts")
    await ask(server, ecosystem="npm", name="lodahs")
    digest = mount.write(SECOND)
    await effective(server, error=False, digest=digest)
    found = await samples(server)

    assert found["typosentinel_configuration_info", frozenset({("hash", digest)})] == 1
    assert sum(name == "typosentinel_configuration_info" for name, _ in found) == 1
    assert found["typosentinel_configuration_reloads_total", frozenset({("outcome", "applied")})] == 1
    assert found["typosentinel_cache_max_entries", MEMORY_TIER] == 1
    assert found["typosentinel_cache_ttl_seconds", MEMORY_TIER] == 90
    assert found["typosentinel_cache_entries", MEMORY_TIER] == 1
    assert [labels for name, labels in found if name == "typosentinel_corpus_names"] == [
        frozenset({("ecosystem", "npm")})
    ]
    assert (await ask(server, ecosystem="npm", name="lodahs"))["cached"]
    async with server.http.post("/api/v1/scan", json={"ecosystem": "PyPI", "name": "a"}) as response:
        assert response.status == 422
        assert "Served are npm" in (await response.json())["error"]["suggestion"]


async def test_wrong_document_is_refused_whole_and_said_so(start: Start, mount: Mount) -> None:
    """One mistake and nothing is applied; a right document clears the error."""
    server = await start(mount.path)
    mount.write(HEAD + "cache: {memory: {maxEntries: 1}}\nlogLevel: Loud\n")
    refused = await effective(server, error=True)
    found = await samples(server)

    assert str(refused["lastError"]).startswith(f"{mount.path}:4: logLevel:")
    assert found["typosentinel_cache_max_entries", MEMORY_TIER] == 5
    assert found["typosentinel_configuration_reloads_total", frozenset({("outcome", "refused")})] == 1
    digest = mount.write(SECOND)
    await effective(server, error=False, digest=digest)


async def test_going_back_to_the_old_document_clears_the_error(start: Start, mount: Mount) -> None:
    """What is in effect needs no second application: its age goes on."""
    server = await start(mount.path, Timing(reload=60))
    since = server.parts.reloader.current.since
    errors = []
    for document in ("nonsense", FIRST):
        mount.write(document)
        await server.parts.reloader.look()
        errors.append(server.parts.reloader.last_error)

    assert [error is None for error in errors] == [False, True]
    assert server.parts.reloader.current.since == since


async def test_document_of_another_kind_of_wrong_stops_nothing(start: Start, mount: Mount) -> None:
    """Where a text belongs stands a list; the right document that follows takes effect."""
    server = await start(mount.path)
    mount.write(HEAD + "logLevel: [Debug]\n")
    refused = await effective(server, error=True)
    assert str(refused["lastError"]).startswith(f"{mount.path}:3: logLevel:")
    digest = mount.write(SECOND)
    await effective(server, error=False, digest=digest)


async def test_unforeseen_failure_is_a_refusal_too(mount: Mount, real_clock: Clock) -> None:
    """Whatever goes wrong in applying a document is counted and told, and the next document is looked at."""
    failures: list[Exception] = [ZeroDivisionError("a defect")]
    applied: list[Settings] = []

    async def apply(settings: Settings) -> None:
        if failures:
            raise failures.pop()
        applied.append(settings)

    metrics = Metrics("1")
    current = first_configuration(mount.path, real_clock)
    log = Log("json", LogLevel.ERROR)
    reloader = Reloader(mount.path, current, apply, on_board(), real_clock, metrics, log)
    mount.write(SECOND)
    await reloader.look()
    assert str(reloader.last_error) == f"{mount.path}:1: document: ZeroDivisionError: a defect"
    assert metrics.registry.get_sample_value("typosentinel_configuration_reloads_total", {"outcome": "refused"}) == 1
    digest = mount.write(SECOND + "# again\n")
    await reloader.look()

    assert (reloader.current.digest, len(applied)) == (digest, 1)


async def test_vanished_document_is_counted_once(start: Start, mount: Mount) -> None:
    """The server goes on with what it has, however often it looks."""
    server = await start(mount.path, Timing(reload=60))
    mount.path.unlink()
    for _ in range(3):
        await server.parts.reloader.look()
    found = await samples(server)

    assert found["typosentinel_configuration_reloads_total", frozenset({("outcome", "refused")})] == 1
    assert found["typosentinel_cache_max_entries", MEMORY_TIER] == 5


async def test_server_does_not_start_on_a_wrong_document(start: Start, mount: Mount) -> None:
    """At the start there is nothing to fall back on."""
    mount.write("nonsense")
    with pytest.raises(ConfigurationInvalid, match="not a mapping"):
        await start(mount.path)


async def test_ecosystem_that_was_off_can_come_back(start: Start, mount: Mount) -> None:
    """Its list is read while the server goes on answering."""
    mount.write(SECOND)
    server = await start(mount.path)
    digest = mount.write(FIRST)
    await effective(server, error=False, digest=digest)

    assert (await ask(server, ecosystem="PyPI", name="reqeusts"))["verdict"] == "suspicious"


async def test_log_level_takes_effect_while_running(
    start: Start, mount: Mount, capsys: pytest.CaptureFixture[str]
) -> None:
    """Debug shows every request; Error shows none, though it comes from a document read later."""
    mount.write(FIRST + "logLevel: Debug\n")
    server = await start(mount.path, Timing(reload=60))
    await ask(server, ecosystem="PyPI", name="reqeusts")
    logged = json.loads(capsys.readouterr().err)
    assert (logged["event"], logged["route"], logged["status"]) == ("request", "/api/v1/scan", 200)
    mount.write(SECOND)
    await server.parts.reloader.look()
    capsys.readouterr()
    await ask(server, ecosystem="npm", name="lodahs")

    assert capsys.readouterr().err == ""
