"""The last requests, for a look at error ratio and latency without a metrics system."""

from collections import deque
from dataclasses import dataclass
from math import ceil

SIZE = 1024


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """What the last requests were like; times in seconds, None before the first request."""

    count: int
    error_ratio: float
    p50: float | None
    p95: float | None
    p99: float | None


class RequestRing:
    """Remembers the last 1,024 requests."""

    def __init__(self) -> None:
        self._requests: deque[tuple[float, bool]] = deque(maxlen=SIZE)

    def add(self, seconds: float, *, failed: bool) -> None:
        """Notes a request; `failed` is for what is the server's fault."""
        self._requests.append((seconds, failed))

    def summary(self) -> RequestSummary:
        """Error ratio and percentiles by nearest rank."""
        times = sorted(seconds for seconds, _ in self._requests)
        if not times:
            return RequestSummary(0, 0.0, None, None, None)
        failures = sum(failed for _, failed in self._requests)
        p50, p95, p99 = (times[ceil(q * len(times)) - 1] for q in (0.5, 0.95, 0.99))
        return RequestSummary(len(times), failures / len(times), p50, p95, p99)
