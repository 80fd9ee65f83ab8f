"""Counters and histograms for the hot path: plain numbers of one thread, read when somebody asks for the metrics.

prometheus_client's own take a lock and look labels up anew each time: some three microseconds, at every request.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]


class Tally(Collector):
    """A counter.

    Args:
        name: without `_total`.
        says: what is counted.
        labels: their names.
        registry: where it is shown.
    """

    def __init__(self, name: str, says: str, labels: Labels, registry: CollectorRegistry) -> None:
        self._name = name
        self._says = says
        self._labels = labels
        self.counts: dict[Labels, int] = {}
        registry.register(self)

    def add(self, labels: Labels, count: int = 1) -> None:
        """Counts under the values of the labels, in their order."""
        counts = self.counts
        counts[labels] = counts.get(labels, 0) + count

    def describe(self) -> Iterator[Metric]:
        """The metric without its samples."""
        yield CounterMetricFamily(self._name, self._says, labels=self._labels)

    def collect(self) -> Iterator[Metric]:
        """The metric with its samples."""
        family = CounterMetricFamily(self._name, self._says, labels=self._labels)
        for labels, count in self.counts.items():
            family.add_metric(labels, count)
        yield family


class Spread(Collector):
    """A histogram.

    Args:
        name: with its unit.
        says: what is measured.
        labels: their names.
        bounds: upper bounds of the buckets, ascending, without infinity.
        registry: where it is shown.
    """

    def __init__(
        self, name: str, says: str, labels: Labels, bounds: tuple[float, ...], registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._says = says
        self._labels = labels
        self._bounds = bounds
        self._shown = [*map(floatToGoString, bounds), "+Inf"]
        # Counts by bucket, and the sum, which is a list so that both can be counted up in place.
        self._series: dict[Labels, tuple[list[int], list[float]]] = {}
        if not labels:
            self._start(())
        registry.register(self)

    def observe(self, labels: Labels, value: float) -> None:
        """Notes a value under the values of the labels, in their order."""
        counts, total = self._series.get(labels) or self._start(labels)
        counts[bisect_left(self._bounds, value)] += 1
        total[0] += value

    def describe(self) -> Iterator[Metric]:
        """The metric without its samples."""
        yield HistogramMetricFamily(self._name, self._says, labels=self._labels)

    def collect(self) -> Iterator[Metric]:
        """The metric with its samples."""
        family = HistogramMetricFamily(self._name, self._says, labels=self._labels)
        for labels, (counts, total) in self._series.items():
            family.add_metric(labels, list(zip(self._shown, accumulate(counts), strict=True)), total[0])
        yield family

    def _start(self, labels: Labels) -> tuple[list[int], list[float]]:
        made = self._series[labels] = ([0] * (len(self._bounds) + 1), [0.0])
        return made
