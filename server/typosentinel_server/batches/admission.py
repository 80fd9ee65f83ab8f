"""Many questions at once, and not too many of those."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from typosentinel_server.batches.judge import Judge
from typosentinel_server.batches.run import Batch
from typosentinel_server.batches.tally import BatchTally
from typosentinel_server.batches.wire import Mode
from typosentinel_server.clock import Clock
from typosentinel_server.errors import TooBusy
from typosentinel_server.service import ScanService
from typosentinel_server.workers.pool import Pool

MOST_BATCHES = 64


class Batches:
    """Takes batches in, a bounded number at once.

    Args:
        service: whose lists and cache they share.
        pool: the workers for large ones.
        tally: counts them.
        clock: times them.
        ids: gives every batch its id.
    """

    def __init__(self, service: ScanService, pool: Pool, tally: BatchTally, clock: Clock, ids: Iterator[str]) -> None:
        self.pool = pool
        self.tally = tally
        self._service = service
        self._clock = clock
        self._ids = ids
        self._turn = asyncio.Lock()

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Around one batch. Raises TooBusy where there are too many."""
        tally = self.tally
        if tally.running >= MOST_BATCHES:
            tally.outcomes["refused"] += 1
            raise TooBusy(
                "TOO_MANY_BATCHES",
                f"{MOST_BATCHES} batches are being answered already",
                "Try again later.",
            )
        tally.running += 1
        try:
            yield
        finally:
            tally.running -= 1

    def open(self, mode: Mode, expected: int | None) -> Batch:
        """A new batch; `expected` is how many items it has, None where nobody knows yet."""
        today = datetime.fromtimestamp(self._clock.wall(), UTC).date()
        judge = Judge(next(self._ids), self._service, self.pool, self._turn, self._clock, today)
        return Batch(judge, mode, expected, self._clock, self.tally)
