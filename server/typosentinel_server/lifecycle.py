"""Is the server alive, ready, on its way out?"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from typosentinel_server.clock import Clock
from typosentinel_server.metrics import Metrics

BEAT_SECONDS = 0.25
STALLED_AFTER_SECONDS = 10.0
FIRST_WORD_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take; all in seconds.

    Attributes:
        drain: how long a drain waits for balancers to look elsewhere.
        reload: between two looks at the configuration, and at the lists that it names under `detection`.
        corpus: between two looks at a directory of lists.
        shutdown: what running requests get to finish in at the end.
    """

    drain: float = 4.0
    reload: float = 0.5
    corpus: float = 2.0
    shutdown: float = 10.0


class Lifecycle:
    """The heartbeat of the event loop and the way to a shutdown that loses no request.

    Args:
        clock: tells ages.
        metrics: shows the loop's lag.
        timing: how long things take.
    """

    def __init__(self, clock: Clock, metrics: Metrics, timing: Timing) -> None:
        self._clock = clock
        self._metrics = metrics
        self.timing = timing
        self._started = clock.monotonic()
        self._last_beat = self._started
        self._draining = False
        self._in_flight = 0
        self._idle = asyncio.Event()

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started

    @property
    def draining(self) -> bool:
        """Whether the server is on its way out; it never comes back from there."""
        return self._draining

    @property
    def heartbeat_age(self) -> float:
        """Seconds since the event loop last made progress."""
        return self._clock.monotonic() - self._last_beat

    @property
    def alive(self) -> bool:
        """Whether the event loop makes progress."""
        return self.heartbeat_age < STALLED_AFTER_SECONDS

    async def beat(self) -> None:
        """Beats for ever, noting how late each beat was."""
        while True:
            before = self._clock.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._last_beat = self._clock.monotonic()
            self._metrics.loop_lag.set(max(0.0, self._last_beat - before - BEAT_SECONDS))

    async def drain(self) -> None:
        """Says no to readiness at once and returns when balancers have had the time to notice.

        Requests are still answered meanwhile; their responses ask for the connection to be closed.
        """
        self._draining = True
        await asyncio.sleep(self.timing.drain)

    def begin(self) -> None:
        """A request is being answered; `finish` waits for its `end`."""
        self._in_flight += 1

    def end(self) -> None:
        """It is answered."""
        self._in_flight -= 1
        if not self._in_flight and self._draining:
            self._idle.set()

    async def finish(self) -> None:
        """Returns when no request is being answered any more, and after `timing.shutdown` seconds at the latest."""
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self.timing.shutdown):
                # The first pause lets a connection that was just accepted say what it wants.
                await asyncio.sleep(FIRST_WORD_SECONDS)
                while self._in_flight:
                    self._idle.clear()
                    await self._idle.wait()
