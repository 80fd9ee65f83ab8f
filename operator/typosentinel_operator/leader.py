"""Leading by a Lease: wait for it, hold it while the work is done, give it back afterwards.

Requests have deadlines of their own and may fail for as long as the tenure lasts. What is decided stands in
`lease.py`; that no write outlasts the tenure is seen to in `cluster.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog

from typosentinel_operator import lease, names
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError, Conflict, LeadershipLost
from typosentinel_operator.lease import Action, Sight, Tenure, Timing
from typosentinel_operator.rest import NOT_FOUND
from typosentinel_operator.telemetry import Telemetry

log = structlog.get_logger(__name__)

# A renewal that was under way when it was cancelled may come between reading and giving back, once.
RELEASE_ATTEMPTS: Final = 2
# At the end of a process that has so many seconds to end in; what is not given back runs out.
RELEASE_SECONDS: Final = 5.0


@dataclass(slots=True)
class Elector:
    """Holds one Lease for one process.

    Attributes:
        cluster: the API server.
        telemetry: the operator's collectors.
        tenure: until when the process may write; set by nobody else.
        place: namespace and name of the Lease.
        identity: whom the Lease names as its holder.
        timing: duration, deadline and retry.
        clock: monotonic seconds.
        now: the time, with zone.
        attempted: when the Lease was last asked for, in monotonic seconds, or None.
        followed: when it was last seen in the hands of another one, or None.
    """

    cluster: Cluster
    telemetry: Telemetry
    tenure: Tenure
    place: tuple[str, str]
    identity: str
    timing: Timing
    clock: Callable[[], float]
    now: Callable[[], datetime]
    attempted: float | None = field(init=False, default=None)
    followed: float | None = field(init=False, default=None)
    _sight: Sight | None = field(init=False, default=None)
    # Whether what we have seen is what we wrote last, so that it need not be read before it is written again.
    _current: bool = field(init=False, default=False)
    _leading: bool = field(init=False, default=False)
    # Whether the Lease may be ours, which a cancelled request leaves open.
    _tried: bool = field(init=False, default=False)
    _last_holder: str = field(init=False, default="")

    @property
    def leading(self) -> bool:
        """Whether this process leads."""
        return self._leading

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the Lease, hold it while `work` runs, and give it back when that has ended.

        Raises:
            LeadershipLost: in a group; `work` was cancelled.
        """
        try:
            await self._win()
            async with asyncio.TaskGroup() as group:
                holding = group.create_task(self._hold())
                await work()
                holding.cancel()
        finally:
            # Nothing of the work is left that could write.
            await self._release()

    async def _win(self) -> None:
        while True:
            try:
                if await self._attempt():
                    break
            except ClusterError as error:
                self._failed(error)
            await asyncio.sleep(lease.pause(self._sight, self.timing, self.clock()))
        self._leading = True
        self.telemetry.leader.set(1)
        log.info("leading", lease="/".join(self.place), identity=self.identity)

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(min(self.timing.retry, self.tenure.left()))
            # Who wakes up too late, from a machine that stood still for instance, must not even try.
            if self.tenure.left() > 0:
                try:
                    await self._renew()
                except ClusterError as error:
                    self._failed(error)
            if self.tenure.left() <= 0:
                self._lose(f"the Lease could not be renewed for {self.timing.deadline:g} s")

    async def _renew(self) -> None:
        try:
            await self._attempt()
        except ClusterError as error:
            # Changed or deleted by somebody: look at once who has it now.
            if not isinstance(error, Conflict) and error.status != NOT_FOUND:
                raise
            await self._attempt()

    async def _attempt(self) -> bool:
        """Look unless we know, then claim what may be claimed; returns whether the Lease is ours.

        Raises:
            ClusterError: try again.
            LeadershipLost: it was ours.
        """
        self.attempted = self.clock()
        sight = self._sight
        if sight is None or not self._current:
            sight = await self._look()
        action = lease.decide(sight, self.identity, self.timing, self.clock(), leading=self._leading)
        if action is Action.WAIT:
            self.followed = self.clock()
            return False
        if action is Action.GIVE_UP:
            self._lose(f"the Lease is held by {sight.holder or 'nobody'}")
        wanted = lease.claimed(sight, self.place, self.identity, self.timing, self.now(), await self._owners(sight))
        self._current, self._tried = False, True
        sent = self.clock()
        self._see(await self.cluster.claim(wanted, seconds=self._seconds()))
        self._current = True
        self.tenure.until = sent + self.timing.deadline
        return True

    async def _owners(self, sight: Sight) -> list[dict[str, Any]]:
        """Whom a Lease that has to be made belongs to."""
        if sight.lease is not None:
            return []
        return lease.owners(await self.cluster.whoami(seconds=self._seconds()), self.place[0])

    async def _look(self) -> Sight:
        return self._see(await self.cluster.get(names.LEASE, *self.place, seconds=self._seconds()))

    def _see(self, found: dict[str, Any] | None) -> Sight:
        self._sight = lease.see(self._sight, found, self.clock())
        holder = self._sight.holder
        if holder and holder != self._last_holder:
            if self._last_holder:
                self.telemetry.leader_transitions.inc()
            if holder != self.identity:
                log.info("standing by", lease="/".join(self.place), leader=holder)
            self._last_holder = holder
        return self._sight

    def _seconds(self) -> float:
        """Time for one request: two fit into the deadline, and none goes beyond the tenure of a leader."""
        half = self.timing.deadline / 2
        return min(half, self.tenure.left()) if self._leading else half

    def _failed(self, error: ClusterError) -> None:
        self.telemetry.lease_failures.inc()
        left = {"seconds_left": round(self.tenure.left(), 1)} if self._leading else {}
        log.warning("the Lease could not be asked for; will try again", error=str(error), **left)

    def _lose(self, why: str) -> None:
        self.tenure.end()
        self._leading = self._tried = False
        self.telemetry.leader.set(0)
        log.error("leadership lost; the process ends", reason=why, lease="/".join(self.place))
        raise LeadershipLost(f"leadership lost: {why}")

    async def _release(self) -> None:
        if not self._tried:
            return
        self.tenure.end()
        self._leading = False
        self.telemetry.leader.set(0)
        if self.cluster.unsettled(self.timing.duration - self.timing.deadline):
            # It may come after what the next leader writes, unless that one has to wait.
            log.warning("lease not released; it runs out by itself", error="a write was not answered")
            return
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._give_back()
        except (ClusterError, TimeoutError) as error:
            reason = str(error) or f"no answer within {RELEASE_SECONDS:g} s"
            log.warning("lease not released; it runs out by itself", error=reason)

    async def _give_back(self) -> None:
        for _ in range(RELEASE_ATTEMPTS):
            sight = await self._look()
            if sight.lease is None or sight.holder != self.identity:
                return
            try:
                await self.cluster.claim(lease.released(sight.lease, self.now()), seconds=self._seconds())
            except Conflict:
                continue
            log.info("lease released", lease="/".join(self.place))
            return
