"""The operator is told to stop, whatever the API server is up to: it ends in time, in order, and with the right code.

Kubernetes gives it 30 seconds.
"""

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest

import factories
from faults import kinds
from faults.calls import Call
from faults.proxy import Exchange, Fault, When
from faults.scene import PATIENCE_SECONDS, service, until
from faults.world import World
from release import holder

# Twice as long as the bounds of each step come to on a machine that has nothing else to do.
GRACE_SECONDS = 20.0
SPACE = "stop"
WATCH_FAILED = 4
WRITE_SECONDS = 2.0
HURRY_SECONDS = 1.0


@pytest.fixture(scope="module")
def at_rest(world: World) -> Iterator[None]:
    """A ScanService for which nothing is left to do."""
    with service(world, SPACE):
        yield


@pytest.fixture(autouse=True)
def at_work(world: World, at_rest: None) -> Iterator[None]:
    """An operator that leads, and afterwards none, and no fault."""
    world.operator.start()
    assert until(world, lambda: holder(world.kubectl) is not None) is not None
    yield
    world.proxy.heal()
    world.operator.kill()


def watches(call: Call) -> bool:
    """Those that are open for minutes."""
    return call.verb == "watch"


def anything(_: Call) -> bool:
    """All of them."""
    return True


def stopped(world: World) -> tuple[int | None, float]:
    """Tell it to stop; returns its exit code, and how long that took in seconds."""
    started = time.monotonic()
    code = world.operator.stop()
    return code, time.monotonic() - started


@pytest.mark.parametrize(
    ("fault", "when"),
    [
        pytest.param(kinds.silence, watches, id="watches hang"),
        pytest.param(kinds.cut_after(0.2), watches, id="watches are reset"),
        pytest.param(kinds.refuse(500), watches, id="watches are refused"),
        pytest.param(kinds.reset_before, anything, id="nobody is there"),
        pytest.param(kinds.silence, anything, id="nobody answers"),
    ],
)
def test_it_ends_when_it_is_told_to(world: World, fault: Fault, when: When) -> None:
    """With 0, long before Kubernetes loses its patience; the Lease is given back where it can be."""
    injection = world.proxy.inject(fault, when)
    world.proxy.hang_up()
    assert until(world, lambda: len(injection.met) > 1) is not None
    code, took = stopped(world)
    assert (code, world.operator.crashes()) == (0, [])
    assert took < GRACE_SECONDS
    assert (holder(world.kubectl) is None) == (when is watches)


def test_a_watch_that_fails_ends_it(world: World) -> None:
    """In time, with a code of its own and without a trace in the log; whoever stands by need not wait."""
    injection = world.proxy.inject(kinds.watch_error(500, "InternalError"), watches, times=3)
    world.proxy.hang_up()
    assert world.operator.await_end(GRACE_SECONDS) == WATCH_FAILED
    assert injection.met
    assert holder(world.kubectl) is None
    assert world.operator.crashes() == []


def test_a_write_that_is_under_way_is_done_before_the_lease_is_given_back(world: World) -> None:
    """Else it might be carried out when another one leads."""
    done: list[str] = []

    async def slow(exchange: Exchange) -> None:
        answer = await exchange.forward()
        # Held back, so that the signal comes in between.
        await asyncio.sleep(WRITE_SECONDS)
        await exchange.deliver(answer)
        done.append(exchange.call.resource)

    async def noted(exchange: Exchange) -> None:
        done.append(exchange.call.resource)
        await exchange.pass_on()

    writes = world.proxy.inject(slow, lambda call: call.writes and call.namespace == SPACE, times=1)
    world.kubectl.apply(factories.scan_service(namespace=SPACE, replicas=2))
    assert until(world, lambda: bool(writes.met)) is not None
    world.proxy.inject(noted, lambda call: call.resource == "leases" and call.verb == "update")
    code, _ = stopped(world)
    assert code == 0
    assert holder(world.kubectl) is None
    assert done[-1] == "leases"
    assert len(done) > done.count("leases")


def test_a_second_signal_ends_it_at_once(world: World) -> None:
    """Who is in a hurry need not wait for what does not answer."""
    world.proxy.inject(kinds.silence)
    world.proxy.hang_up()
    world.operator.tell(signal.SIGTERM)
    time.sleep(HURRY_SECONDS)
    assert world.operator.running
    started = time.monotonic()
    world.operator.tell(signal.SIGTERM)
    assert world.operator.await_end(PATIENCE_SECONDS) == 128 + signal.SIGTERM
    assert time.monotonic() - started < HURRY_SECONDS
