"""Circuit breakers: a dependency that fails is left alone for a while, then tried with one call.

The machine is the table TRANSITIONS; all else is counting. The pattern is Nygard's (Release It!, 2007).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """What a breaker does with calls: lets them through, refuses them, or lets one through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Event(StrEnum):
    """What moves a breaker."""

    WORKED = "worked"
    FAILED_TOO_OFTEN = "failed too often"
    COOLED = "cooled"
    RESET = "reset"


TRANSITIONS: Final = MappingProxyType(
    {
        (State.CLOSED, Event.FAILED_TOO_OFTEN): State.OPEN,
        (State.OPEN, Event.COOLED): State.HALF_OPEN,
        (State.HALF_OPEN, Event.WORKED): State.CLOSED,
        (State.HALF_OPEN, Event.FAILED_TOO_OFTEN): State.OPEN,
        (State.OPEN, Event.RESET): State.CLOSED,
        (State.HALF_OPEN, Event.RESET): State.CLOSED,
    }
)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens and for how long.

    Attributes:
        failures: so many in a row open it; in half-open one does.
        cooldown: seconds that it stays open at first.
        max_cooldown: seconds that it stays open at most; each failed trial doubles the time up to this.
        settling: seconds that it has to stay closed to start at `cooldown` again; one that opens before then stays open
            for twice as long as the last time, so that a dependency that comes and goes does not make it flap.
    """

    failures: int = 5
    cooldown: float = 60.0
    max_cooldown: float = 60.0
    settling: float = 0.0


class Breaker:
    """Guards one dependency. For one thread.

    Whoever is admitted says exactly once how it went: `worked`, `failed`, or `gave_up` where nobody knows.

    Args:
        name: of the dependency, as metrics and people know it.
        policy: when it opens and for how long.
        monotonic: the clock, in seconds.
        on_change: is told every new state.
    """

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy,
        monotonic: Callable[[], float],
        on_change: Callable[[State], None] = lambda _state: None,
    ) -> None:
        self.name = name
        self.policy = policy
        self._monotonic = monotonic
        self._on_change = on_change
        self._state = State.CLOSED
        self._failures = 0
        self._cooldown = policy.cooldown
        self._opened = 0.0
        self._closed = -math.inf
        self._trying = False

    @property
    def state(self) -> State:
        """Its state; one that has cooled counts as open until a call comes."""
        return self._state

    @property
    def failures(self) -> int:
        """Failures in a row up to now."""
        return self._failures

    @property
    def retry_after(self) -> float:
        """Seconds until a call has a chance; 0 where one has now."""
        if self._state is not State.OPEN:
            return 0.0
        return max(0.0, self._opened + self._cooldown - self._monotonic())

    def admit(self) -> bool:
        """Whether a call may go out now."""
        if self._state is State.CLOSED:
            return True
        if self._state is State.OPEN and self.retry_after == 0.0:
            self._move(Event.COOLED)
        if self._state is State.HALF_OPEN and not self._trying:
            self._trying = True
            return True
        return False

    def worked(self) -> None:
        """An admitted call went well."""
        self._trying = False
        self._failures = 0
        if self._state is State.HALF_OPEN:
            self._closed = self._monotonic()
            self._move(Event.WORKED)

    def failed(self) -> None:
        """An admitted call failed, and the dependency is to blame."""
        self._trying = False
        self._failures += 1
        opens = self._state is State.CLOSED and self._failures >= self.policy.failures
        if self._state is State.HALF_OPEN or (opens and self._monotonic() - self._closed < self.policy.settling):
            self._cooldown = min(self._cooldown * 2, self.policy.max_cooldown)
        elif opens:
            self._cooldown = self.policy.cooldown
        if self._state is State.HALF_OPEN or opens:
            self._move(Event.FAILED_TOO_OFTEN)

    def gave_up(self) -> None:
        """An admitted call was cancelled by its caller: that says nothing about the dependency."""
        self._trying = False

    def reset(self) -> None:
        """Closes it by hand."""
        self._trying = False
        self._failures = 0
        self._cooldown = self.policy.cooldown
        self._closed = -math.inf
        self._move(Event.RESET)

    def _move(self, event: Event) -> None:
        new = TRANSITIONS.get((self._state, event))
        if new is None:
            return
        self._state = new
        if new is State.OPEN:
            self._opened = self._monotonic()
        self._on_change(new)
