"""The pool of workers: grows on demand, shrinks when idle, replaces what dies, never queues without bound."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence

from typosentinel_server.clock import Clock
from typosentinel_server.engines import Engines
from typosentinel_server.errors import InvalidRequest
from typosentinel_server.logs import Log
from typosentinel_server.sections.workers import MOST_WORKERS, WorkerSettings
from typosentinel_server.workers.pipe import NotReached, WorkerDied
from typosentinel_server.workers.slices import Answers, Asked
from typosentinel_server.workers.staff import Idle, Job, Staff, WorkersBusy, WorkersGone
from typosentinel_server.workers.tally import PoolStatus, PoolTally
from typosentinel_server.workers.worker import Worker

TRIES = 2
# A slice takes milliseconds; who is silent for so long is stuck.
STUCK_SECONDS = 30.0
# A queue that lasts longer than this wants one more worker.
GROW_SECONDS = 0.1
IDLE_SECONDS = 60.0
LOOK_SECONDS = 0.05
# Beyond so many deaths or failed starts in such a time nothing is started, until they are further ago.
MOST_DEATHS, DEATHS_SECONDS = 10, 60.0


class Pool:
    """Workers and the slices that wait for them. All of it happens in the event loop's thread.

    Args:
        settings: how many, and how long the queue may be.
        clock: tells how long things wait.
        log: told of deaths.
        tally: counts what happens.
    """

    def __init__(self, settings: WorkerSettings, clock: Clock, log: Log, tally: PoolTally) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._tally = tally
        self._staff = Staff()
        self._waiting: deque[Job] = deque()
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS)
        # Those who start; slices in work and workers on their way out are never cancelled, but come to an end.
        self._starts: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        # Whose lists workers started ahead of demand have; None until somebody wanted one.
        self._wanted: Engines | None = None
        self._closed = False
        tally.watch(self.status)

    @property
    def settings(self) -> WorkerSettings:
        """Those in effect."""
        return self._settings

    def configure(self, settings: WorkerSettings) -> None:
        """Takes other settings; what is above the new maximum ends after its slice."""
        self._settings = settings
        self._shrink()

    def scale(self, least: int, most: int) -> PoolStatus:
        """Keeps between so many workers from now on, until the configuration says otherwise.

        Raises:
            InvalidRequest: that is no range from 0 to 64.
        """
        if not 0 <= least <= most <= MOST_WORKERS:
            raise InvalidRequest(
                "INVALID_REQUEST",
                f"{least} to {most} workers is no range",
                f"Give min and max with 0 <= min <= max <= {MOST_WORKERS}.",
                http_hint=422,
            )
        self.configure(self._settings.model_copy(update={"min": least, "max": most}))
        self._dispatch()
        return self.status()

    def status(self) -> PoolStatus:
        """What there is now."""
        staff, settings = self._staff, self._settings
        return PoolStatus(
            least=settings.min,
            most=settings.max,
            idle=len(staff.idle),
            busy=len(staff.busy),
            starting=staff.starting,
            waiting=len(self._waiting),
            queue=settings.queue,
            pids=tuple(sorted(worker.pid for worker in staff.workers)),
        )

    def ready(self, engines: Engines) -> bool:
        """Whether a worker has these lists by now. Starts the first ones where there is none: ask again later.

        Raises:
            TooBusy: workers died so often that none is started for a while.
        """
        if self._settings.max == 0 or self._closed:
            return False
        if self._broken() and not self._staff.size:
            raise WorkersGone
        self._wanted = engines
        if not self._staff.size:
            self._start(engines)
        self._dispatch()
        return any(worker.engines is engines for worker in self._staff.workers)

    async def judge(self, engines: Engines, asked: Sequence[Asked], batch: str | None) -> Answers:
        """The judgements of one slice, in the order asked.

        Args:
            engines: those of the whole batch, whatever lists are in use by now.
            asked: the names.
            batch: the batch whose lines the answers are to be; None where results are wanted, to conclude from.

        Raises:
            TooBusy: as many slices wait as may, or no worker can be started.
            WorkerDied: two workers died at this slice.
        """
        if len(self._waiting) >= self._settings.queue:
            self._tally.refused += 1
            raise WorkersBusy(len(self._waiting))
        if self._closed or (self._broken() and not self._staff.size):
            raise WorkersGone
        loop = asyncio.get_running_loop()
        job = Job(engines, asked, batch, self._clock.monotonic(), loop.create_future())
        self._waiting.append(job)
        self._dispatch()
        try:
            return await job.done
        finally:
            if job in self._waiting:
                self._waiting.remove(job)

    async def run(self) -> None:
        """Looks for ever at whether there are too few workers or too many."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._shrink()
            self._dispatch()

    async def close(self) -> None:
        """Ends all workers; slices that wait or run are refused."""
        self._closed = True
        for job in self._waiting:
            job.fail(WorkersGone())
        for task in self._starts:
            task.cancel()
        idle, self._staff.idle = self._staff.idle, []
        for held in idle:
            self._do(held.worker.stop())
        for worker in tuple(self._staff.busy):
            self._end(worker, None)
        while tasks := self._starts | self._tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    def _dispatch(self) -> None:
        self._bury()
        while self._waiting:
            job = self._waiting[0]
            if job.done.done():
                self._waiting.popleft()
                continue
            worker = self._staff.engage(job.engines)
            if worker is None:
                break
            self._waiting.popleft()
            self._do(self._work(worker, job))
        self._grow()

    def _grow(self) -> None:
        if self._closed:
            return
        staff, settings = self._staff, self._settings
        if self._broken():
            if not staff.size:
                for job in self._waiting:
                    job.fail(WorkersGone())
            return
        oldest = self._waiting[0] if self._waiting else None
        if self._wanted is not None:
            for _ in range(settings.min - staff.size):
                self._start(self._wanted)
        if oldest is None or settings.max == 0 or staff.starting:
            return
        alone = staff.size == 0
        if staff.size < settings.max and (alone or self._clock.monotonic() - oldest.since >= GROW_SECONDS):
            self._start(oldest.engines)
        elif staff.idle and all(held.worker.engines is not oldest.engines for held in staff.idle):
            # They have other lists than what waits: one makes room.
            self._do(staff.idle.pop(0).worker.stop())
            self._start(oldest.engines)

    def _start(self, engines: Engines) -> None:
        self._staff.starting += 1
        self._do(self._started(engines), self._starts)

    async def _started(self, engines: Engines) -> None:
        try:
            worker = await Worker.start(engines)
        except (WorkerDied, OSError) as error:
            self._staff.starting -= 1
            self._note_death(f"it did not start: {error}")
            self._dispatch()
            return
        except BaseException:
            self._staff.starting -= 1
            raise
        self._staff.starting -= 1
        self._tally.started += 1
        self._staff.idle.append(Idle(worker, self._clock.monotonic()))
        self._dispatch()
        self._shrink()

    async def _work(self, worker: Worker, job: Job) -> None:
        started = self._clock.monotonic()
        try:
            found = await worker.judge(job.asked, job.batch, STUCK_SECONDS)
        except (WorkerDied, NotReached) as error:
            self._end(worker, str(error))
            # Only who had the worker's attention may be to blame.
            job.tries += isinstance(error, WorkerDied)
            if self._closed:
                job.fail(WorkersGone())
            elif isinstance(error, WorkerDied) and job.tries >= TRIES:
                job.fail(error)
            else:
                self._waiting.appendleft(job)
            self._dispatch()
            return
        except BaseException:
            self._end(worker, None)
            job.fail(WorkersGone())
            raise
        now = self._clock.monotonic()
        # Without the time that it waited behind the slice before it.
        self._tally.observe(now - max(started, worker.answered), len(job.asked))
        worker.answered = now
        if not job.done.done():
            job.done.set_result(found)
        if worker in self._staff.busy:
            self._staff.release(worker, now)
        self._dispatch()
        self._shrink()

    def _end(self, worker: Worker, died: str | None) -> None:
        # Each of its slices comes here; its death is one.
        if self._staff.busy.pop(worker, None) is None:
            return
        if died is not None:
            self._note_death(died)
        self._do(worker.stop())

    def _bury(self) -> None:
        # Who has ended while idle would else cost a slice one of its tries.
        for held in tuple(self._staff.idle):
            if held.worker.ended:
                self._staff.idle.remove(held)
                self._note_death("it ended while it had nothing to do")
                self._do(held.worker.stop())

    def _shrink(self) -> None:
        staff, now = self._staff, self._clock.monotonic()
        for held in tuple(staff.idle):
            stale = self._wanted is not None and held.worker.engines is not self._wanted
            rested = now - held.since
            above = staff.size > self._settings.max
            if above or (rested >= IDLE_SECONDS and staff.size > self._settings.min) or (stale and rested >= 1.0):
                staff.idle.remove(held)
                self._do(held.worker.stop())

    def _note_death(self, why: str) -> None:
        self._tally.deaths += 1
        self._deaths.append(self._clock.monotonic())
        self._log.write.error("a worker ended", reason=why)

    def _broken(self) -> bool:
        full = len(self._deaths) == MOST_DEATHS
        return full and self._clock.monotonic() - self._deaths[0] < DEATHS_SECONDS

    def _do(self, work: Coroutine[None, None, None], among: set[asyncio.Task[None]] | None = None) -> None:
        tasks = self._tasks if among is None else among
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
