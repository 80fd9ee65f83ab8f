"""kopf's tasks: begun by kopf, and ended by us, within seconds.

`kopf.operator()` would do both, but it ends only if its tasks do. Where one watch has failed it leaves the others to
themselves, waits five seconds, then cancels everything that is younger than itself, tasks of ours and the watches'
own stoppers included; and a watch that finds its stopper done takes its own cancellation for the end of a pause and
goes on. kopf waits for it for good, blind and deaf to signals (kopf 1.45.2, `run_tasks` and `clients.api.stream`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import kopf
import structlog

from typosentinel_operator.errors import WatchFailed

log = structlog.get_logger(__name__)

# What kopf calls its tasks.
WATCH: Final = "watcher for "
STOPPER: Final = "pause-waiter for "
# Seconds for those that end the others; what is left then is cancelled, and once more for each further period.
END_SECONDS: Final = (2.5, 0.5, 0.5, 0.5, 0.5)


@asynccontextmanager
async def watching(
    registry: kopf.OperatorRegistry,
    settings: kopf.OperatorSettings,
    namespaces: Sequence[str],
    identity: Any,
    take_signals_back: Callable[[], None],
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Watch, and be done with it on the way out: within 4.5 seconds, whatever kopf does.

    All tasks that are begun within are taken for kopf's: who has some that must not be cancelled ends them before.

    Args:
        registry: what happens with events.
        settings: of kopf.
        namespaces: those to watch; none: all.
        identity: how kopf calls this process.
        take_signals_back: called when kopf has taken the handling of signals to itself, with no pause in between.

    Yields:
        A function that waits until watching fails, and raises WatchFailed then.
    """
    before = asyncio.all_tasks()
    roots: Collection[asyncio.Task[Any]] = ()
    try:
        roots = await kopf.spawn_tasks(
            registry=registry,
            settings=settings,
            namespaces=namespaces,
            clusterwide=not namespaces,
            standalone=True,
            identity=identity,
        )
        take_signals_back()
        yield lambda: _until_failed(roots)
    finally:
        await _end(roots, before)


async def _until_failed(roots: Collection[asyncio.Task[Any]]) -> None:
    """Wait for the first of the tasks that are meant to last.

    Raises:
        WatchFailed: with the words of what went wrong; an error in a stream, but for "too old", for instance.
    """
    done, _ = await asyncio.wait(roots, return_when=asyncio.FIRST_COMPLETED)
    errors = [task.exception() for task in done if not task.cancelled()]
    reason = next((str(error) for error in errors if error), "kopf has ended by itself")
    log.error("a watch failed; the process ends", reason=reason)
    raise WatchFailed(reason)


async def _end(roots: Collection[asyncio.Task[Any]], before: Collection[asyncio.Task[Any]]) -> None:
    for attempt, seconds in enumerate(END_SECONDS):
        # Stoppers are ended by their watches, and never before them.
        left = {task for task in asyncio.all_tasks() if not task.get_name().startswith(STOPPER)}.difference(before)
        if attempt == 0:
            # Watches are ended by a root, but for those of one that has failed.
            left = {task for task in left if task in roots or task.get_name().startswith(WATCH)} or left
        if not left:
            return
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=seconds)
