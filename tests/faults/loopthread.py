"""Something asynchronous beside tests that are not: in a thread with an event loop of its own."""

import asyncio
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

# To start, and to stop.
PATIENCE_SECONDS = 10.0
# What was aborted is closed in one of the loop's next turns: else by whoever collects the garbage, some tests later.
CLOSING_SECONDS = 0.1


class LoopThread(ABC):
    """A context manager around what begins and ends in an event loop.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(PATIENCE_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @abstractmethod
    async def _start(self) -> None:
        """Begin."""

    @abstractmethod
    async def _stop(self) -> None:
        """End what `_start` began."""

    async def _end(self) -> None:
        await self._stop()
        # What still waits for somebody, a watch that is open for instance, waits for nobody any more.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(CLOSING_SECONDS)
