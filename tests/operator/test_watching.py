"""kopf's tasks and their end, with kopf itself and an API server that is not there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import kopf
import pytest

from typosentinel_operator import watching
from typosentinel_operator.errors import WatchFailed
from typosentinel_operator.handlers import watch_settings
from typosentinel_operator.scope import Scope


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends are not waited for as long as in earnest."""
    monkeypatch.setattr(watching, "END_SECONDS", (0.2, 0.05, 0.05))


@asynccontextmanager
async def begun(port: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Watch, by kopf, an API server at this port; kopf's tasks have begun."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: object) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=f"http://127.0.0.1:{port}")

    @kopf.on.event("typosentinel.io", "v1alpha1", "scanservices", registry=registry)
    async def event(**_: object) -> None:
        """Nothing is to come of it."""

    async with watching.watching(registry, watch_settings(Scope()), ("here",), "me", lambda: None) as failure:
        await asyncio.sleep(0.05)
        yield failure


async def swallow(times: int) -> None:
    """Go on after so many cancellations."""
    for _ in range(times):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(60)


async def test_nothing_of_it_is_left(free_port: int) -> None:
    """Nor is anything cancelled that was there before."""
    own = asyncio.create_task(asyncio.sleep(60))
    before = asyncio.all_tasks()
    async with begun(free_port):
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before
    assert own.cancel()


async def test_who_goes_on_after_a_cancellation_is_cancelled_again(free_port: int) -> None:
    """As kopf's watches do, if they find their stopper done."""
    before = asyncio.all_tasks()
    async with begun(free_port):
        watch = asyncio.create_task(swallow(1), name="watcher for all things")
        await asyncio.sleep(0)
    assert watch.cancelled()
    assert asyncio.all_tasks() == before


async def test_who_does_not_end_at_all_is_left_behind(free_port: int) -> None:
    """It has an end all the same."""
    async with begun(free_port):
        watch = asyncio.create_task(swallow(4), name="watcher for all things")
        await asyncio.sleep(0)
    assert not watch.done()
    while not watch.done():
        watch.cancel()
        await asyncio.sleep(0)


async def test_an_end_of_kopf_is_a_failure(free_port: int) -> None:
    """Nobody waits for a watch that nobody keeps."""
    before = asyncio.all_tasks()
    async with begun(free_port) as failure:
        for task in asyncio.all_tasks() - before:
            if task.get_name() == "multidimensional multitasker":
                task.cancel()
        with pytest.raises(WatchFailed):
            await failure()
    assert asyncio.all_tasks() == before


async def test_signals_are_taken_back_at_once(free_port: int) -> None:
    """When kopf's tasks have begun, and not before."""
    seen: list[set[str]] = []
    registry = kopf.OperatorRegistry()

    def take_back() -> None:
        seen.append({task.get_name() for task in asyncio.all_tasks()})

    async with watching.watching(registry, watch_settings(Scope()), ("here",), "me", take_back):
        pass
    assert len(seen) == 1
    assert "multidimensional multitasker" in seen[0]
