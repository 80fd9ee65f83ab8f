"""Keeping the lists that say more than a name fresh while the server runs, each by itself.

A list that cannot be read or is wrong is refused. The last good one stays in use; where there has been none, the server
answers without. Either is counted, logged and told until a right one comes: it never stops a server, nor its start.
"""

import asyncio
from collections.abc import Callable

from typosentinel_server.knowledge import Held, Lists, reread
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.scan.conclusion import Knowledge

SERVING = {"earlier": "the last good one stays in use", "none": "there is none to use instead"}


class Keeper:
    """Follows the files that the configuration names under `detection`.

    Args:
        lists: where they are; they are read before this returns.
        metrics: counts what is taken and refused.
        log: says what happened.

    Attributes:
        held: what is known from the files, and what became of each.
    """

    def __init__(self, lists: Lists, metrics: Metrics, log: Log) -> None:
        self._lists = lists
        self._metrics = metrics
        self._log = log
        self._use: Callable[[Knowledge], None] = _nobody
        self._looking = asyncio.Lock()
        self.held = Held()
        self._take(reread(lists, self.held))

    def serve(self, use: Callable[[Knowledge], None]) -> None:
        """Hands what is known to `use`, now and whenever it changes."""
        self._use = use
        use(self.held.knowledge)

    @property
    def complaints(self) -> tuple[str, ...]:
        """Everything that somebody should see to, in sentences."""
        return tuple(
            f"{name}: {reading.error}; {SERVING[reading.serving]}"
            for name, reading in self.held.readings.items()
            if reading.error is not None
        )

    async def follow(self, lists: Lists) -> None:
        """Reads what a new configuration names; what it names no longer is forgotten."""
        async with self._looking:
            self._lists = lists
            await self._look()

    async def run(self, interval: float) -> None:
        """Looks for a change every `interval` seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            await self.look()

    async def look(self) -> None:
        """Looks once; what has changed is in use, or refused, when this returns."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        held = await asyncio.to_thread(reread, self._lists, self.held)
        if held is not self.held:
            self._take(held)
            self._use(held.knowledge)

    def _take(self, held: Held) -> None:
        before, self.held = self.held.readings, held
        sizes = held.knowledge.sizes
        self._metrics.knowledge(sizes, {name: reading.error is not None for name, reading in held.readings.items()})
        for name, reading in held.readings.items():
            if reading is before.get(name):
                continue
            about = {"list": name, "file": str(reading.path)}
            if reading.error is None:
                self._metrics.knowledge_reads.labels(name, "taken").inc()
                self._log.write.info("list taken", **about, entries=sizes[name])
            else:
                self._metrics.knowledge_reads.labels(name, "refused").inc()
                self._log.write.error(f"list refused, {SERVING[reading.serving]}", **about, reason=reading.error)


def _nobody(_knowledge: Knowledge) -> None:
    return
