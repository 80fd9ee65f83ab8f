"""What the operator asks of a pod, and what its manifests tell the kubelet to ask, on a real server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import factories
from typosentinel_operator import names, specs
from typosentinel_operator.desired import serverconfig, workload
from typosentinel_operator.observed import ListReport, Report
from typosentinel_operator.scrape import Scraper
from typosentinel_server.document import digest_of
from typosentinel_server.lifecycle import Timing

START_SECONDS = 20.0
Manifest = dict[str, Any]

pytestmark = pytest.mark.timeout(45)


def container() -> Manifest:
    """The scanner's container as the operator writes it."""
    (found,) = workload.deployment(factories.inputs())["spec"]["template"]["spec"]["containers"]
    manifest: Manifest = found
    return manifest


@asynccontextmanager
async def server(arguments: list[str], port: int) -> AsyncIterator[str]:
    """A server process started with these arguments; ready when this yields its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TYPOSENTINEL_")}
    program = Path(sys.executable).with_name("typosentinel")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while await code_of(session, f"{address}/ready") != 200:
                assert process.returncode is None, "the server has ended"
                await asyncio.sleep(0.1)
        yield address
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def code_of(session: aiohttp.ClientSession, url: str) -> int:
    """HTTP status, 0 where nobody listens."""
    try:
        async with session.get(url) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0


async def test_the_server_is_what_the_manifests_say(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container's own arguments start it, its probes are answered, and the scraper understands its report."""
    text = serverconfig.document(factories.inputs(cache=factories.cache_spec(maxEntries=5)))
    config = tmp_path / names.CONFIG_KEY
    config.write_text(text)
    replaced = {
        "--host=0.0.0.0": "--host=127.0.0.1",
        f"--port={names.PORT}": f"--port={free_port}",
        f"--config={names.CONFIG_DIRECTORY}/{names.CONFIG_KEY}": f"--config={config}",
    }
    assert set(replaced) < set(container()["args"])
    arguments = [replaced.get(argument, argument) for argument in container()["args"]]
    monkeypatch.setattr(names, "PORT", free_port)
    async with server(arguments, free_port) as address, aiohttp.ClientSession() as session:
        report = (await Scraper(session, 2.0).ask(["127.0.0.1"]))["127.0.0.1"]
        assert isinstance(report, Report)
        assert serverconfig.document_hash(text) == report.configuration_hash
        assert 0 <= report.configuration_age < START_SECONDS
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert await code_of(session, address + container()[probe]["httpGet"]["path"]) == 200


async def test_both_sides_know_a_list_by_the_same_name_and_hash(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By them the operator tells whether a pod has seen the ConfigMap of today, and what it thinks of it."""
    own = "apiVersion: typosentinel.io/v1alpha1\nkind: PrivateNames\nnames: {npm: ['@acme/*']}\n"
    spec = {"corpus": {"privateNamesRef": {"name": "own"}}, "detection": {"allowListRef": {"name": "vouched"}}}
    given = factories.inputs(spec=specs.ScanServiceSpec.model_validate(spec))
    text = serverconfig.document(given)
    for directory in (names.PRIVATE_NAMES_DIRECTORY, names.ALLOW_LIST_DIRECTORY):
        text = text.replace(f"{directory}/", f"{tmp_path}/")
    config = tmp_path / names.CONFIG_KEY
    config.write_text(text)
    (tmp_path / names.PRIVATE_NAMES_KEY).write_text(own)
    monkeypatch.setattr(names, "PORT", free_port)
    arguments = ["serve", f"--port={free_port}", f"--config={config}"]
    async with server(arguments, free_port), aiohttp.ClientSession() as session:
        report = (await Scraper(session, 2.0).ask(["127.0.0.1"]))["127.0.0.1"]

    assert isinstance(report, Report)
    assert report.lists == {
        names.PRIVATE_NAMES: ListReport(digest_of(own.encode()), None),
        names.ALLOW_LIST: ListReport(None, f"{tmp_path / names.ALLOW_LIST_KEY}:1: No such file or directory"),
    }


def test_a_pod_has_the_time_that_the_server_takes_to_drain() -> None:
    """The kubelet kills a pod after its grace period; by then the server has long stopped by itself."""
    timing = Timing()
    pod = workload.deployment(factories.inputs())["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= 2 * (timing.drain + timing.shutdown)


def test_every_port_is_the_one_that_the_server_listens_on() -> None:
    """Probes and the Service go by the port's name, and the name has one number."""
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
    assert ports == {names.PORT_NAME: names.PORT, names.ADMIN_PORT_NAME: names.ADMIN_PORT}
    (exposed,) = workload.service(factories.inputs())["spec"]["ports"]
    assert exposed["targetPort"] == names.PORT_NAME
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container()[probe]["httpGet"]["port"] == names.PORT_NAME
