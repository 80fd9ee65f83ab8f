"""What the pool of workers counts, and how it is shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from typosentinel_server.tallies import Spread

SLICE_BUCKETS = (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5, 1.0, 10.0)


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """The pool at one moment.

    Attributes:
        least: workers that are kept.
        most: workers at most.
        idle: workers with nothing to do.
        busy: workers with a slice.
        starting: processes that are not ready yet.
        waiting: slices without a worker.
        queue: how many may be.
        pids: their processes.
    """

    least: int
    most: int
    idle: int
    busy: int
    starting: int
    waiting: int
    queue: int
    pids: tuple[int, ...]


class PoolTally:
    """Counters of the pool; the rest is read off it when somebody asks for the metrics.

    Args:
        registry: where they are shown.

    Attributes:
        started: workers that became ready.
        deaths: workers that ended by themselves, were stuck, or did not start.
        refused: slices for which there was no room.
        names: judged by workers.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.started = 0
        self.deaths = 0
        self.refused = 0
        self.names = 0
        self._status: Callable[[], PoolStatus] | None = None
        self._seconds = Spread(
            "typosentinel_workers_slice_duration_seconds",
            "Time that a worker takes for one slice of a batch.",
            (),
            SLICE_BUCKETS,
            registry,
        )
        registry.register(self)

    def watch(self, status: Callable[[], PoolStatus]) -> None:
        """Shows a pool."""
        self._status = status

    def observe(self, seconds: float, names: int) -> None:
        """Notes a slice that was judged."""
        self._seconds.observe((), seconds)
        self.names += names

    def describe(self) -> Iterator[Metric]:
        """The metrics without a pool."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The metrics of the pool."""
        if self._status is None:
            return
        status = self._status()
        workers = GaugeMetricFamily(
            "typosentinel_workers", "Processes that judge large batches, by state.", labels=["state"]
        )
        for state, count in (("idle", status.idle), ("busy", status.busy), ("starting", status.starting)):
            workers.add_metric([state], count)
        yield workers
        limits = (
            ("typosentinel_workers_min", "Processes that are kept once the first large batch has come.", status.least),
            ("typosentinel_workers_max", "Processes that judge large batches, at most.", status.most),
            ("typosentinel_workers_queue_slices", "Slices of batches that wait for a worker.", status.waiting),
            ("typosentinel_workers_queue_max_slices", "Slices of batches that may wait.", status.queue),
        )
        for name, says, value in limits:
            yield GaugeMetricFamily(name, says, value)
        counts = (
            ("typosentinel_workers_started", "Workers that became ready.", self.started),
            ("typosentinel_workers_deaths", "Workers that ended by themselves, hung, or did not start.", self.deaths),
            ("typosentinel_workers_refused_slices", "Slices refused because too many waited.", self.refused),
            ("typosentinel_workers_names", "Names judged by workers.", self.names),
        )
        for name, says, value in counts:
            yield CounterMetricFamily(name, says, value)
