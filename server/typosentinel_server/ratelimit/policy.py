"""What a limit is, and what is said of a request that was held against one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

# Up to here a budget is handed out request by request: a slice of it would be a large part of it.
EXACT_REQUESTS: Final = 20


class Endpoint(StrEnum):
    """A class of routes with a budget of its own where the configuration gives it one."""

    DEFAULT = "Default"
    SCAN = "Scan"
    BATCH = "Batch"


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit.

    Attributes:
        requests: allowed in any window of that length, wherever it begins.
        window: its length in seconds, a whole number.
        burst: allowed at once; what was used of it comes back at the pace of `requests` per `window`.
    """

    requests: int
    window: int
    burst: int

    @property
    def ceiling(self) -> int:
        """The largest cost that can ever be allowed."""
        return min(self.requests, self.burst)

    @property
    def pace(self) -> float:
        """Requests per second in the long run."""
        return self.requests / self.window

    @property
    def lease(self) -> float:
        """Seconds that a slice of the shared budget is good for. A replica that dies takes it along for as long."""
        return min(10.0, max(0.25, self.window / 10))

    @property
    def pause(self) -> float:
        """Seconds between two questions for more where there was not enough: a small part of the window."""
        return max(0.002, self.window / 400)

    @property
    def exact(self) -> bool:
        """Whether every request is put to the shared budget by itself."""
        return self.requests <= EXACT_REQUESTS


class Decision(NamedTuple):
    """What became of one request.

    A named tuple, for one is made per request and a frozen dataclass takes three times as long to make.

    Attributes:
        allowed: whether it may go on.
        limit: requests per window; 0 where there is no limit.
        remaining: requests left, as far as this replica knows.
        window: seconds.
        reset: seconds until all of the quota is there again if nothing more is asked; until the next try where refused.
        retry_after: seconds until another try makes sense; None where allowed, and where the cost exceeds the limit.
        policy: name of the limit.
    """

    allowed: bool
    limit: int
    remaining: int
    window: int
    reset: int
    retry_after: int | None
    policy: str


# For what no limit is configured; no headers are sent for it.
FREE: Final = Decision(allowed=True, limit=0, remaining=0, window=0, reset=0, retry_after=None, policy="")
