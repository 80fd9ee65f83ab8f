"""A keyed work queue: a key waits at most once, is worked on at most once at a time, and comes back after failures.

The semantics are those of client-go's rate-limiting queue: adding a key that is being worked on makes it run
once more afterwards, so no trigger is lost and no two workers see the same object.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import structlog

from typosentinel_operator.errors import Transient
from typosentinel_operator.telemetry import Telemetry

Key = TypeVar("Key", bound=Hashable)
log = structlog.get_logger(__name__)

BACKOFF_FIRST = 0.2
BACKOFF_LIMIT = 60.0
# How long at most an event about a failing key is put off.
EVENT_WAITS_SECONDS = 3.0
# One turn in so many is for keys that nobody waits for: else they might never have one.
TURNS = 5
# Twenty doublings reach any limit; more would only make large numbers.
BACKOFF_DOUBLINGS = 20


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 0.2, 0.4, 0.8 … at most 60."""
    return float(min(BACKOFF_LIMIT, BACKOFF_FIRST * 2 ** min(failures - 1, BACKOFF_DOUBLINGS)))


class WorkQueue(Generic[Key]):
    """Keys in, one call of `process` per key at a time out.

    Args:
        process: reconciles one key; returns seconds until it wants to run again, or None.
        telemetry: collectors for depth, latency, adds and retries.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        process: Callable[[Key], Awaitable[float | None]],
        telemetry: Telemetry,
        clock: Callable[[], float],
    ) -> None:
        self._process = process
        self._telemetry = telemetry
        self._clock = clock
        # A key that waits stands in one of them.
        self._urgent: OrderedDict[Key, None] = OrderedDict()
        self._ready: OrderedDict[Key, None] = OrderedDict()
        self._turns = 0
        self._since: dict[Key, float] = {}
        self._active: dict[Key, float] = {}
        self._again: dict[Key, bool] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._due: dict[Key, float] = {}
        # Keys with a timer that somebody waits for.
        self._hurried: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._not_before: dict[Key, float] = {}
        self._last_end = clock()
        self._wake = asyncio.Semaphore(0)
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, key: Key, delay: float = 0.0, *, urgent: bool = False) -> None:
        """Let a key run after `delay` seconds; of several requests for a key the earliest counts.

        Args:
            key: to be worked on.
            delay: in seconds.
            urgent: somebody waits for it. Such keys go first, but for one turn in five.
        """
        if self._closed:
            return
        delay = max(delay, self._not_before.get(key, 0.0) - self._clock())
        if delay > 0:
            self._add_later(key, delay, urgent=urgent)
            return
        urgent = urgent or key in self._hurried
        self._cancel_timer(key)
        self._telemetry.queue_adds.inc()
        if key in self._active:
            self._again[key] = urgent or self._again.get(key, False)
        elif key not in self._since:
            self._enqueue(key, urgent=urgent)
        elif urgent and key in self._ready:
            del self._ready[key]
            self._urgent[key] = None

    def oldest(self) -> float:
        """Age in seconds of the key that waits or runs the longest; 0 when idle."""
        starts = [*self._since.values(), *self._active.values()]
        return self._clock() - min(starts) if starts else 0.0

    def is_pressed(self) -> bool:
        """Whether a key waits that is urgent."""
        return bool(self._urgent)

    def stuck_for(self) -> float:
        """Seconds since anything was finished while something was being worked on; 0 when nothing is."""
        if not self._active:
            return 0.0
        return self._clock() - max(self._last_end, min(self._active.values()))

    async def run(self, workers: int) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work())
        finally:
            for timer in self._timers.values():
                timer.cancel()

    async def finish(self, seconds: float) -> None:
        """Begin with no key any more, and wait for those that are being worked on, but not for longer than that."""
        self._closed = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("the process does not wait for work any longer", keys=[str(key) for key in self._active])

    def _add_later(self, key: Key, delay: float, *, urgent: bool) -> None:
        if key in self._since:
            return
        if urgent:
            self._hurried.add(key)
        due = self._clock() + delay
        if self._due.get(key, due + 1) <= due:
            return
        if key in self._timers:
            self._timers[key].cancel()
        self._due[key] = due
        self._timers[key] = asyncio.get_running_loop().call_later(delay, self._ring, key)

    def _ring(self, key: Key) -> None:
        # Its time has come and it may have to wait once more: the timer that has rung must not stand for a new one.
        del self._due[key], self._timers[key]
        self.add(key)

    def _cancel_timer(self, key: Key) -> None:
        self._due.pop(key, None)
        self._hurried.discard(key)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _enqueue(self, key: Key, *, urgent: bool) -> None:
        self._since[key] = self._clock()
        (self._urgent if urgent else self._ready)[key] = None
        self._telemetry.queue_depth.set(len(self._since))
        self._wake.release()

    def _take(self) -> tuple[Key, bool]:
        """The next key, and whether it is urgent; of those that wait there is one at least."""
        self._turns += 1
        first, second = self._urgent, self._ready
        if self._turns % TURNS == 0:
            first, second = second, first
        line = first or second
        return line.popitem(last=False)[0], line is self._urgent

    async def _work(self) -> None:
        while True:
            await self._wake.acquire()
            if self._closed:
                continue
            key, urgent = self._take()
            now = self._clock()
            self._telemetry.queue_latency.observe(now - self._since.pop(key))
            self._telemetry.queue_depth.set(len(self._since))
            self._active[key] = now
            self._idle.clear()
            delay: float | None = None
            try:
                delay = await self._attempt(key)
            finally:
                del self._active[key]
                if not self._active:
                    self._idle.set()
                self._last_end = self._clock()
            if key in self._again:
                self.add(key, urgent=self._again.pop(key))
            elif delay is not None:
                # Who waits for it still does after a failure.
                self.add(key, delay, urgent=urgent and key in self._failures)

    async def _attempt(self, key: Key) -> float | None:
        try:
            delay = await self._process(key)
        except Transient as error:
            wait = self._failed(key, error.retry_after or 0.0)
            log.warning("will try again", key=str(key), error=str(error), failures=self._failures[key])
            return wait
        except Exception:
            wait = self._failed(key)
            log.exception("reconcile crashed; will try again", key=str(key))
            return wait
        self._failures.pop(key, None)
        self._not_before.pop(key, None)
        return delay

    def _failed(self, key: Key, retry_after: float = 0.0) -> float:
        """Count a failure; returns seconds until the next attempt: our own backoff, or longer if a server says so."""
        self._failures[key] = self._failures.get(key, 0) + 1
        self._telemetry.queue_retries.inc()
        wait = max(backoff(self._failures[key]), retry_after)
        # An event in between may bring good news, so it need not wait for all of our own backoff; but it waits.
        self._not_before[key] = self._clock() + max(min(wait, EVENT_WAITS_SECONDS), retry_after)
        return wait
