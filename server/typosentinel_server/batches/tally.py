"""What is counted about batches."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from typosentinel_server.tallies import Tally

OUTCOMES = ("complete", "incomplete", "client_gone", "refused")


class BatchTally:
    """Counters of batches.

    Args:
        registry: where they are shown.
        scans: the counter of names judged, by ecosystem, verdict and whether it was known from before.

    Attributes:
        running: batches that are being answered.
        errors: items without a judgement.
        outcomes: batches by how they ended.
    """

    def __init__(self, registry: CollectorRegistry, scans: Tally) -> None:
        self.running = 0
        self.errors = 0
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self._scans = scans
        registry.register(self)

    def judged(self, ecosystem: str, verdict: str, count: int, *, cached: bool) -> None:
        """Notes judgements."""
        self._scans.add((ecosystem, verdict, "true" if cached else "false"), count)

    def describe(self) -> Iterator[Metric]:
        """The metrics, of which there is always one."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """The metrics of batches."""
        yield GaugeMetricFamily("typosentinel_batches_running", "Batches that are being answered.", self.running)
        yield CounterMetricFamily(
            "typosentinel_batch_item_errors", "Items of batches without a judgement.", self.errors
        )
        batches = CounterMetricFamily(
            "typosentinel_batches",
            "Batches by how they ended: complete, incomplete, client_gone, refused.",
            labels=["outcome"],
        )
        for outcome, count in self.outcomes.items():
            batches.add_metric([outcome], count)
        yield batches
