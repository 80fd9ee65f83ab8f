"""The limiter's figures, read when somebody asks for the metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from typosentinel_server.ratelimit.limiter import Limiter

PREFIX = "typosentinel_rate_limit_"


class LimitCollector(Collector):
    """Reads a limiter.

    Args:
        limiter: the one to read.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    def collect(self) -> Iterator[Metric]:
        """The limiter's counters and gauges."""
        limiter, statistics = self._limiter, self._limiter.statistics
        requests = CounterMetricFamily(
            f"{PREFIX}requests",
            "Requests held against a limit by result: allowed, limited.",
            labels=["endpoint", "result"],
        )
        principals = GaugeMetricFamily(f"{PREFIX}principals", "Callers known under a limit.", labels=["endpoint"])
        for name, (allowed, limited, known) in limiter.figures().items():
            requests.add_metric([name, "allowed"], allowed)
            requests.add_metric([name, "limited"], limited)
            principals.add_metric([name], known)
        yield requests
        yield principals
        yield CounterMetricFamily(
            f"{PREFIX}fail_open",
            "Requests decided by this replica's own count because the shared one could not be asked.",
            statistics.fail_open,
        )
        yield GaugeMetricFamily(f"{PREFIX}shared", "1 while limits hold over all replicas, else 0.", limiter.shared)
        yield CounterMetricFamily(
            f"{PREFIX}leases", "Slices of shared limits fetched or given back.", statistics.leases
        )
        exchanges = CounterMetricFamily(
            f"{PREFIX}exchanges", "Round trips to Redis for that by result: ok, failed.", labels=["result"]
        )
        exchanges.add_metric(["ok"], statistics.exchanges)
        exchanges.add_metric(["failed"], statistics.absences)
        yield exchanges
        yield CounterMetricFamily(
            f"{PREFIX}evictions", "Callers forgotten because there were too many.", statistics.evictions
        )
