"""Many callers who want the same at the same time make one piece of work of it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs work under a key once at a time; all who ask meanwhile get the same result, or the same error.

    The work is a task of its own: a caller that is cancelled, the first one included, takes nothing from the others.
    It ends by itself, so what it does has to be bounded in time.

    Attributes:
        joined: callers that found the work under way.
    """

    def __init__(self) -> None:
        self.joined = 0
        self._running: dict[str, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, key: str) -> bool:
        return key in self._running

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of the work under a key, which is started where it is not under way."""
        task = self._running.get(key)
        if task is None:
            task = self.start(key, work)
        else:
            self.joined += 1
        return await asyncio.shield(task)

    def start(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Starts the work under a key; nobody has to wait for it."""
        task = asyncio.create_task(work())
        self._running[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def close(self) -> None:
        """Cancels what is under way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, key: str, task: asyncio.Task[T]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        # Where nobody waits any more, nobody looks at the error either, and that is no reason to complain.
        if not task.cancelled():
            task.exception()
