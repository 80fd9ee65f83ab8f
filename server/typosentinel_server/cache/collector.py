"""The caches' figures for Prometheus, read when somebody asks for them."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from typosentinel_server.cache.caches import Caches

GAUGES = (
    ("entries", "entries", "Entries held, by tier."),
    ("bytes", "bytes", "Bytes held as estimated when they were put in, by tier."),
    ("max_entries", "max_entries", "Entries held at most, by tier; 0: off."),
    ("max_bytes", "max_bytes", "Bytes held at most, by tier; 0: no such bound."),
    ("ttl", "ttl_seconds", "How long an entry stays good, by tier."),
)


class CacheCollector(Collector):
    """Reads caches when the metrics are asked for.

    Args:
        caches: to read.
    """

    def __init__(self, caches: "Caches") -> None:
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """The gauges and counters."""
        yield from self._tiers()
        dear = self._caches.dear
        yield _counter("revalidations", "Stale entries to be made anew, by result.", "result", dear.revalidations)
        yield _counter("makes", "Entries made because no tier had them, by result.", "result", dear.made)
        yield CounterMetricFamily(
            "typosentinel_cache_joined", "Callers who waited for what another one was having made.", dear.joined
        )
        counts = {kind.value: count for kind, count in self._caches.invalidations.items()}
        yield _counter("invalidations", "Invalidations made or heard of, by kind.", "kind", counts)
        yield from self._redis()

    def _tiers(self) -> Iterator[Metric]:
        tiers = self._caches.tiers
        for field, suffix, text in GAUGES:
            gauge = GaugeMetricFamily(f"typosentinel_cache_{suffix}", text, labels=["tier"])
            for tier, statistics in tiers.items():
                value = getattr(statistics, field)
                if value is not None:
                    gauge.add_metric([tier], value)
            yield gauge
        requests = CounterMetricFamily(
            "typosentinel_cache_requests", "Look-ups by tier and result.", labels=["tier", "result"]
        )
        evictions = CounterMetricFamily(
            "typosentinel_cache_evictions", "Entries dropped by tier and reason.", labels=["tier", "reason"]
        )
        for tier, statistics in tiers.items():
            for result, count in statistics.requests.items():
                requests.add_metric([tier, result], count)
            for reason, count in statistics.evictions.items():
                evictions.add_metric([tier, reason], count)
        yield requests
        yield evictions

    def _redis(self) -> Iterator[Metric]:
        side = self._caches.redis
        damaged = dict(side.tier.damaged) if side else {}
        stored = asdict(side.tier.stored) if side else {}
        yield _counter("damaged", "What was found in Redis and is no record of ours, by reason.", "reason", damaged)
        yield _counter("writes", "Writes to Redis by result.", "result", stored)
        connected = GaugeMetricFamily(
            "typosentinel_cache_invalidations_connected", "1 while the server listens for invalidations, else 0."
        )
        if side is not None:
            connected.add_metric([], side.bus.connected)
        yield connected


def _counter(suffix: str, text: str, label: str, counts: dict[str, int]) -> Metric:
    counter = CounterMetricFamily(f"typosentinel_cache_{suffix}", text, labels=[label])
    for value, count in counts.items():
        counter.add_metric([value], count)
    return counter
