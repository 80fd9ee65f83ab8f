"""Alive is who makes progress; ready is who has seen everything once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from operatorparts import LEASE_SECONDS, RESYNC, Process
from typosentinel_operator import names, probes
from typosentinel_operator.errors import ClusterError
from typosentinel_operator.leader import Elector
from typosentinel_operator.reconcile import Key


@asynccontextmanager
async def answering(process: Process, elector: Elector | None) -> AsyncIterator[Process]:
    """Its probes answer on a real socket."""
    runner = web.AppRunner(
        probes.make_app(process.control, elector, process.registry, process.telemetry, process.clock)
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    process.address = f"http://{host}:{port}"
    yield process
    await runner.cleanup()


@pytest.fixture(params=["without an election", "as the leader"])
async def process(request: pytest.FixtureRequest) -> AsyncIterator[Process]:
    """A process that may write; what is true of it does not depend on how it came to that."""
    made = Process()
    made.elector._leading = True
    async with answering(made, made.elector if request.param == "as the leader" else None):
        yield made


@pytest.fixture
async def standby() -> AsyncIterator[Process]:
    """A process that another one keeps from writing."""
    made = Process()
    async with answering(made, made.elector):
        yield made


async def ask(process: Process, path: str) -> tuple[int, str]:
    """Status and text."""
    async with aiohttp.ClientSession() as session, session.get(process.address + path) as answer:
        return answer.status, await answer.text()


async def test_ready_is_who_has_seen_everything_once(process: Process) -> None:
    """Before the first resync nobody knows what is there."""
    assert await ask(process, "/readyz") == (503, "no resync yet\n")
    await process.control.resync()
    assert await ask(process, "/readyz") == (200, "ok\n")


async def test_a_resync_that_failed_is_none(process: Process) -> None:
    """Half a list is no list."""
    process.cluster.error = ClusterError("away")
    with pytest.raises(ClusterError):
        await process.control.resync()
    assert (await ask(process, "/readyz"))[0] == 503


async def test_who_waits_to_begin_is_alive(process: Process) -> None:
    """The kinds may be installed after the operator, and a restart would not bring them."""
    process.clock.now += 10_000
    assert (await ask(process, "/livez"))[0] == 200


async def test_who_tries_in_vain_is_alive(process: Process) -> None:
    """A restart does not bring an API server back; who no longer tries hangs."""
    process.control.progress.last_attempt = process.clock.now
    process.clock.now += 1.1 * RESYNC + probes.SILENT_SECONDS
    assert (await ask(process, "/livez"))[0] == 200
    process.clock.now += 1
    assert await ask(process, "/livez") == (503, "no attempt at a resync for 154 s\n")


async def test_a_queue_in_which_nothing_ends_is_no_life(process: Process) -> None:
    """Every request has a deadline, so minutes without an end mean a bug that a restart may cure."""
    process.control.queue._active[Key(names.SCAN_SERVICE, "team-a", "front")] = process.clock.now
    process.clock.now += probes.STUCK_SECONDS
    assert (await ask(process, "/livez"))[0] == 200
    process.clock.now += 1
    assert await ask(process, "/livez") == (503, "nothing has been finished for 301 s\n")


async def test_a_long_queue_that_moves_is_life(process: Process) -> None:
    """Thousands of services may have to wait for minutes; each end is a sign of life."""
    process.control.queue.add(Key(names.SCAN_SERVICE, "team-a", "front"))
    process.clock.now += 10_000
    assert (await ask(process, "/livez"))[0] == 200


async def test_a_standby_is_ready_while_it_follows_the_lease(standby: Process) -> None:
    """It has no resyncs to show; who has not seen the Lease for as long as it lasts could not take over in time."""
    assert await ask(standby, "/readyz") == (503, "the Lease has not been seen yet\n")
    standby.elector.followed = standby.clock.now
    standby.clock.now += LEASE_SECONDS
    assert await ask(standby, "/readyz") == (200, "ok\n")
    standby.clock.now += 1
    assert await ask(standby, "/readyz") == (503, "the Lease was last seen 16 s ago\n")


async def test_a_standby_is_alive_while_it_asks_for_the_lease(standby: Process) -> None:
    """In vain or not, and for days without a resync; before the first time it waits for its kinds."""
    standby.clock.now += 100_000
    assert await ask(standby, "/livez") == (200, "ok\n")
    standby.elector.attempted = standby.clock.now
    standby.clock.now += LEASE_SECONDS + probes.SILENT_SECONDS
    assert await ask(standby, "/livez") == (200, "ok\n")
    standby.clock.now += 1
    assert await ask(standby, "/livez") == (503, "no attempt at the Lease for 136 s\n")


async def test_a_standby_has_no_resync_to_be_late_with(standby: Process) -> None:
    """An alert on its age is an alert on the leader; after a takeover it counts from there."""
    standby.clock.now += 100_000
    assert "typosentinel_operator_resync_age_seconds 0.0" in (await ask(standby, "/metrics"))[1]
    standby.elector._leading = True
    standby.cluster.error = ClusterError("away")
    resyncs = asyncio.create_task(standby.control.resync_forever())
    await asyncio.sleep(0)
    standby.clock.now += 3
    assert "typosentinel_operator_resync_age_seconds 3.0" in (await ask(standby, "/metrics"))[1]
    resyncs.cancel()


async def test_metrics_tell_the_ages_of_now(process: Process) -> None:
    """They are computed when asked, so a hanging process shows growing numbers."""
    await process.control.resync()
    process.clock.now += 12
    code, text = await ask(process, "/metrics")
    assert code == 200
    assert "typosentinel_operator_resync_age_seconds 12.0" in text
    assert "typosentinel_operator_workqueue_oldest_seconds 0.0" in text


async def test_every_metric_that_is_promised_is_there(process: Process) -> None:
    """Names are promises: dashboards and alerts are made of them."""
    _, text = await ask(process, "/metrics")
    for name, metric in vars(names.Metric).items():
        if name.isupper():
            assert f"# TYPE {metric.removesuffix('_total')}" in text, metric
