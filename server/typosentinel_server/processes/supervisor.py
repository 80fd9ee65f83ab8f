"""Several server processes on one port: started together, replaced when they die, stopped together."""

import asyncio
import signal
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from typosentinel_server.clock import Clock
from typosentinel_server.errors import DomainError
from typosentinel_server.logs import Log
from typosentinel_server.processes.exposition import Families, Family, Shown, merged
from typosentinel_server.processes.member import Member

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
# So many deaths in one place in such a time are no accident.
MOST_DEATHS, DEATHS_SECONDS = 5, 60.0
TELL_SECONDS = 1.0
DIED = 70


class ProcessesDied(DomainError):
    """Server processes die faster than it makes sense to replace them."""

    http_hint = 500


@dataclass(slots=True)
class _Seat:
    number: int
    member: Member | None = None
    restarts: int = 0
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_DEATHS))


@dataclass(slots=True)
class Supervisor:
    """Looks after the processes.

    Args:
        program: what to start, with all its arguments but the channel's.
        size: how many.
        clock: times deaths.
        log: told of them.
    """

    program: Sequence[str]
    size: int
    clock: Clock
    log: Log
    _seats: list[_Seat] = field(default_factory=list)
    _left: Families = field(default_factory=dict)
    _ended: asyncio.Queue[_Seat] = field(default_factory=asyncio.Queue)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _gathering: asyncio.Task[str] | None = None

    async def run(self) -> int:
        """Serves until told to stop; the exit code, which is a process' own where one did not come up at first.

        Raises:
            ProcessesDied: they die too often.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._pass_on, number)
        self._seats = [_Seat(number) for number in range(self.size)]
        try:
            code = await self._come_up()
            if code is None:
                code = await self._keep_up()
        finally:
            await self._stop(signal.SIGTERM)
        self.log.write.info("all processes have stopped", code=code)
        return code

    async def _come_up(self) -> int | None:
        # The first one compiles what is not on the shelf; the others find it there.
        for some in (self._seats[:1], self._seats[1:]):
            started = await asyncio.gather(*(self._start(seat) for seat in some))
            for member in started:
                if not await member.until("built"):
                    return await self._code_of(member)
        for word, answer in (("bind", "bound"), ("listen", "listening")):
            members = [seat.member for seat in self._seats if seat.member is not None]
            for member in members:
                member.send(word)
            for member in members:
                if not await member.until(answer):
                    return await self._code_of(member)
        self.log.write.info("all processes are up", processes=[seat.member.pid for seat in self._seats if seat.member])
        return None

    async def _code_of(self, member: Member) -> int:
        code = await member.ended
        return 0 if self._stopping.is_set() else code if code > 0 else DIED

    async def _keep_up(self) -> int:
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while True:
                ended = asyncio.create_task(self._ended.get())
                await asyncio.wait((stopping, ended), return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    ended.cancel()
                    return 0
                self._note_death(ended.result())
        finally:
            stopping.cancel()

    def _note_death(self, seat: _Seat) -> None:
        member = seat.member
        if member is None or not member.ended.done():
            return
        seat.member = None
        self._left = merged((self._left, member.left()))
        now = self.clock.monotonic()
        recent = sum(now - at < DEATHS_SECONDS for at in seat.deaths)
        seat.deaths.append(now)
        self.log.write.error("a process ended", process=member.pid, code=member.ended.result())
        if recent + 1 >= MOST_DEATHS:
            raise ProcessesDied(
                "PROCESSES_DIED",
                f"{MOST_DEATHS} processes ended within {DEATHS_SECONDS:g} s, each in the place of the one before",
                "Look at the log for why they did.",
            )
        seat.restarts += 1
        self._do(self._replace(seat, min(FIRST_PAUSE_SECONDS * 2**recent, LONGEST_PAUSE_SECONDS)))

    async def _replace(self, seat: _Seat, pause: float) -> None:
        await asyncio.sleep(pause)
        member = await self._start(seat)
        # The others listen already.
        member.send("bind")
        member.send("listen")

    async def _start(self, seat: _Seat) -> Member:
        member = seat.member = await Member.start(self.program, self._gather)
        member.ended.add_done_callback(lambda _: self._ended.put_nowait(seat))
        if self._stopping.is_set():
            member.signal(signal.SIGTERM)
        return member

    def _pass_on(self, number: signal.Signals) -> None:
        if number is not signal.SIGHUP:
            self._stopping.set()
        for seat in self._seats:
            if seat.member is not None:
                seat.member.signal(number)

    async def _stop(self, number: signal.Signals) -> None:
        asked = self._stopping.is_set()
        self._stopping.set()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        members = [seat.member for seat in self._seats if seat.member is not None]
        if not asked:
            for member in members:
                member.signal(number)
        await asyncio.gather(*(member.ended for member in members), return_exceptions=True)

    def _gather(self, asking: Member) -> None:
        self._do(self._answer(asking))

    async def _answer(self, asking: Member) -> None:
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._gathered())
        asking.send("gathered", await asyncio.shield(self._gathering))

    async def _gathered(self) -> str:
        members = [seat.member for seat in self._seats if seat.member is not None and seat.member.listening]
        answered = await asyncio.gather(*(member.tell(TELL_SECONDS) for member in members))
        families = merged([self._left, *(member.seen for member in members)])
        families |= self._own(len(members), answered.count(False))
        registry = CollectorRegistry()
        registry.register(Shown(families))
        return generate_latest(registry).decode()

    def _own(self, serving: int, silent: int) -> Families:
        says = "Server processes by state: serving, away (starting or waiting to), silent (told no metrics in time)."
        states = {"serving": serving - silent, "away": self.size - serving, "silent": silent}
        restarts = sum(seat.restarts for seat in self._seats)
        return {
            "typosentinel_processes": Family(
                "gauge",
                says,
                {("typosentinel_processes", (("state", state),)): count for state, count in states.items()},
            ),
            "typosentinel_process_restarts": Family(
                "counter",
                "Server processes that ended and were replaced.",
                {("typosentinel_process_restarts_total", ()): restarts},
            ),
        }

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
