"""A work queue with a worker that records and can be held back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest
from prometheus_client import CollectorRegistry

from typosentinel_operator.telemetry import make_telemetry
from typosentinel_operator.workqueue import WorkQueue

# The workers never wait for anything but the test: a few rounds of the loop let them do all they can.
ROUNDS: Final = 20


class Worker:
    """Records what is processed; holds keys back until they are let go; fails as told.

    Attributes:
        started: keys in the order in which they were taken.
        active: keys that are being worked on.
        most: the largest number of calls at the same time, per key.
    """

    def __init__(self) -> None:
        self.started: list[str] = []
        self.active: list[str] = []
        self.most: dict[str, int] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.outcomes: list[Exception | float | None] = []

    async def process(self, key: str) -> float | None:
        """One reconciliation."""
        self.started.append(key)
        self.active.append(key)
        self.most[key] = max(self.most.get(key, 0), self.active.count(key))
        try:
            await self.gate.wait()
        finally:
            self.active.remove(key)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def queue_of(
    process: Callable[[str], Awaitable[float | None]], clock: Callable[[], float] | None = None
) -> tuple[WorkQueue[str], CollectorRegistry]:
    """A queue and the registry of its metrics."""
    registry = CollectorRegistry()
    now = clock or asyncio.get_running_loop().time
    return WorkQueue(process, make_telemetry(registry), now), registry


@asynccontextmanager
async def running(queue: WorkQueue[str], workers: int = 2) -> AsyncIterator[None]:
    """The queue at work; stopped on the way out."""
    task = asyncio.create_task(queue.run(workers))
    try:
        yield
    finally:
        assert not task.done(), "the queue has died"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@asynccontextmanager
async def held(workers: int = 2) -> AsyncIterator[tuple[Worker, WorkQueue[str]]]:
    """A queue at work, and its worker, who holds every key back until its gate is opened."""
    worker = Worker()
    worker.gate.clear()
    queue, _ = queue_of(worker.process)
    async with running(queue, workers):
        yield worker, queue


async def settle() -> None:
    """Let the workers do all they can."""
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
