"""One provider behind its guards: a deadline, a bulkhead, a breaker. It gives evidence or says why there is none."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from typosentinel_server.breaker import Breaker, BreakerPolicy
from typosentinel_server.clock import Clock
from typosentinel_server.providers.asking import Subject
from typosentinel_server.providers.conversations import Conversation
from typosentinel_server.providers.gleaned import Blame, Failure, Gleaned, State
from typosentinel_server.providers.peer import Bounds, Peer
from typosentinel_server.scan.model import Ecosystem

PROVIDER_BREAKER: Final = BreakerPolicy(failures=5, cooldown=5.0, max_cooldown=60.0)
PREFIX: Final = "provider-"

# Told the provider's name, what a question came to, and the seconds that it took.
Tally = Callable[[str, str, float], None]


@dataclass(frozen=True, slots=True)
class Role:
    """What makes one provider another than the next.

    Attributes:
        name: as metrics and answers call it.
        key: under which caches keep what it says; another address is another key.
        ecosystem: whose packages it knows; None for all.
        conversation: what is said to it.
    """

    name: str
    key: str
    ecosystem: Ecosystem | None
    conversation: Conversation


class Provider:
    """Asks one provider about packages.

    Args:
        role: which one it is.
        peer: the HTTP to it.
        bounds: how long and how much.
        clock: both clocks.
        tally: counts.
    """

    def __init__(
        self,
        role: Role,
        peer: Peer,
        bounds: Bounds,
        clock: Clock,
        tally: Tally,
    ) -> None:
        self.role = role
        self.breaker = Breaker(PREFIX + role.name, PROVIDER_BREAKER, clock.monotonic)
        self.in_flight = 0
        self._peer = peer
        self._bounds = bounds
        self._clock = clock
        self._tally = tally
        self._idle = asyncio.Event()
        self._idle.set()
        self._retired = False

    async def glean(self, asked: Subject) -> Gleaned:
        """What it says of a package.

        Raises:
            Failure: nothing, and why.
        """
        started = self._clock.monotonic()
        try:
            self._admit(started)
        except Failure as failure:
            self._tally(self.role.name, failure.result, 0.0)
            raise
        self.in_flight += 1
        self._idle.clear()
        result = "cancelled"
        try:
            found = await self._guarded(asked)
            result = State.USED.value
        except Failure as failure:
            result = failure.result
            raise
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self._idle.set()
            self._tally(self.role.name, result, self._clock.monotonic() - started)
        today = datetime.fromtimestamp(self._clock.wall(), UTC).date()
        return found.plausible(today)

    async def retire(self) -> None:
        """Closes its connections once what is under way has its answer or its deadline."""
        try:
            async with asyncio.timeout(self._bounds.timeout):
                await self._idle.wait()
        except TimeoutError:
            pass
        self._retired = True
        await self._peer.close()

    def _admit(self, now: float) -> None:
        if self._retired:
            raise Failure(State.UNAVAILABLE, "it is no longer configured", result="open")
        if self.in_flight >= self._bounds.max_concurrency:
            raise Failure(State.UNAVAILABLE, "it is asked as much at once as is allowed", result="busy")
        if now < self._peer.hold_until:
            raise Failure(State.UNAVAILABLE, "it asked to be left alone for a while", result="open")
        if not self.breaker.admit():
            raise Failure(State.UNAVAILABLE, "its breaker is open", result="open")

    async def _guarded(self, asked: Subject) -> Gleaned:
        # Whatever way a call ends, the breaker is told once.
        blame = Blame.UNKNOWN
        try:
            async with asyncio.timeout(self._bounds.timeout):
                found = await self.role.conversation(self._peer.ask, asked)
            blame = Blame.NONE
        except Failure as failure:
            blame = failure.blame
            raise
        except TimeoutError as error:
            blame = Blame.GUILTY
            raise Failure(State.TIMEOUT, f"no complete answer within {self._bounds.timeout:g} s") from error
        finally:
            {Blame.NONE: self.breaker.worked, Blame.GUILTY: self.breaker.failed, Blame.UNKNOWN: self.breaker.gave_up}[
                blame
            ]()
        return found
