"""What rows have in common: a ScanService of their own, a change of it, and waiting as a kubelet would."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import factories
from faults.crash import at_rest, is_ready
from faults.world import World
from kube import Manifest

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 120.0


@contextmanager
def service(world: World, space: str, *more: Manifest, **spec: Any) -> Iterator[None]:
    """A ScanService `front` in a namespace of its own, which has come to rest; all of it is let go afterwards."""
    world.prepare([space], [*more, factories.scan_service(namespace=space, **(spec or {"replicas": 1}))])
    world.operator.start()
    try:
        assert until(world, lambda: is_ready(world, space)) is not None, f"{space} does not become ready"
        at_rest(world, PATIENCE_SECONDS)
        yield
    finally:
        world.proxy.heal()
        world.operator.start()
        # Whoever wants quiet waits for it.
        world.clear([space], wait=False)


def until(world: World, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float | None:
    """Seconds until something holds, None for never; an operator that ends meanwhile is started, as by a kubelet."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if not world.operator.running:
            world.operator.start(wait=False)
        if holds():
            return time.monotonic() - started
        time.sleep(POLL_SECONDS)
    return None


def scale(world: World, space: str, replicas: int) -> Callable[[], bool]:
    """Ask for so many pods; returns whether it has come about."""
    world.kubectl.apply(factories.scan_service(namespace=space, replicas=replicas))

    def done() -> bool:
        found = world.kubectl.get_json("deployment", "front-scanner", space)
        scaled: bool = found is not None and found["spec"]["replicas"] == replicas
        return scaled and is_ready(world, space)

    return done
