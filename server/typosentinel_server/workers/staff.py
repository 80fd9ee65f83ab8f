"""Who works in a pool, what waits for them, and why there may be nobody."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from typosentinel_server.engines import Engines
from typosentinel_server.errors import DomainError, TooBusy
from typosentinel_server.workers.slices import Answers, Asked
from typosentinel_server.workers.worker import Worker

# A worker that has its next slice already has not to wait for it when it is done with one.
AT_ONCE = 2


class WorkersBusy(TooBusy):
    """As many slices wait for a worker as may."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            "WORKERS_BUSY",
            f"{waiting} slices of batches wait for a worker already",
            "Try again later, send smaller batches, or allow more workers.",
        )


class WorkersGone(TooBusy):
    """There will be no worker for a slice: none can be started, or the server stops."""

    def __init__(self) -> None:
        super().__init__("WORKERS_GONE", "there is no worker to judge this", "Try again later.")


# No shorter text says what a job is than all of its names.
@dataclass(eq=False, repr=False, slots=True)
class Job:
    """A slice that somebody waits for.

    Attributes:
        engines: what it is to be judged with.
        asked: its names.
        batch: the batch whose lines are wanted; None where results are.
        since: when it came, by the monotonic clock.
        done: its answers.
        tries: workers that took it so far.
    """

    engines: Engines
    asked: Sequence[Asked]
    batch: str | None
    since: float
    done: asyncio.Future[Answers]
    tries: int = 0

    def fail(self, error: DomainError) -> None:
        """Says why there will be no answers, where anybody still waits for them."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(eq=False, slots=True)
class Idle:
    """A worker with nothing to do, and since when."""

    worker: Worker
    since: float


@dataclass(slots=True)
class Staff:
    """All workers: those with nothing to do, slices of those that have some, and how many are not ready yet."""

    idle: list[Idle] = field(default_factory=list)
    busy: dict[Worker, int] = field(default_factory=dict)
    starting: int = 0

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.idle) + len(self.busy) + self.starting

    @property
    def workers(self) -> Iterator[Worker]:
        """Those that are ready."""
        return chain((held.worker for held in self.idle), self.busy)

    def engage(self, engines: Engines) -> Worker | None:
        """Gives a slice to a worker with these lists: who was idle last, or who has least; None where none can."""
        for held in reversed(self.idle):
            if held.worker.engines is engines:
                self.idle.remove(held)
                self.busy[held.worker] = 1
                return held.worker
        able = [worker for worker, slices in self.busy.items() if slices < AT_ONCE and worker.engines is engines]
        worker = min(able, key=self.busy.__getitem__, default=None)
        if worker is not None:
            self.busy[worker] += 1
        return worker

    def release(self, worker: Worker, now: float) -> None:
        """Takes a slice back that it has judged."""
        self.busy[worker] -= 1
        if not self.busy[worker]:
            del self.busy[worker]
            self.idle.append(Idle(worker, now))
