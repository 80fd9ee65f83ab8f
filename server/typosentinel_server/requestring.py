"""The last requests, for a look at error ratio and latency without a metrics system."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

SIZE = 1024
HORIZON_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """What the last requests were like; times in seconds, None before the first request."""

    count: int
    error_ratio: float
    p50: float | None
    p95: float | None
    p99: float | None


class RequestRing:
    """Remembers the last 1,024 requests, for five minutes: on a quiet server an old failure is no news.

    Args:
        monotonic: the clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._requests: deque[tuple[float, float, bool]] = deque(maxlen=SIZE)

    def add(self, seconds: float, *, failed: bool) -> None:
        """Notes a request; `failed` is for what is the server's fault."""
        self._requests.append((self._monotonic(), seconds, failed))

    def summary(self) -> RequestSummary:
        """Error ratio and percentiles by nearest rank."""
        oldest = self._monotonic() - HORIZON_SECONDS
        recent = [(seconds, failed) for at, seconds, failed in self._requests if at > oldest]
        if not recent:
            return RequestSummary(0, 0.0, None, None, None)
        times = sorted(seconds for seconds, _ in recent)
        failures = sum(failed for _, failed in recent)
        p50, p95, p99 = (times[ceil(q * len(times)) - 1] for q in (0.5, 0.95, 0.99))
        return RequestSummary(len(times), failures / len(times), p50, p95, p99)
