"""What is counted about providers. Questions to them are rare and slow, so ready-made counters will do."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from typosentinel_server.providers.gleaned import State
from typosentinel_server.providers.provider import Provider

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# What nothing was sent for, and so took no time.
NOT_SENT: Final = frozenset({"open", "busy"})
RESULTS: Final = (*(state.value for state in State), *sorted(NOT_SENT), "cancelled")


class ProviderCollector(Collector):
    """Counts questions to providers and the evidence that scans had of them.

    Args:
        providers: gives those in use now.
    """

    def __init__(self, providers: Callable[[], Iterable[Provider]]) -> None:
        self._providers = providers
        self._requests = Counter(
            "typosentinel_provider_requests",
            "Questions to a provider by result; none was sent where it is open or busy.",
            ["provider", "result"],
            registry=None,
        )
        self._seconds = Histogram(
            "typosentinel_provider_request_duration_seconds",
            "Time that a provider took for all evidence about one package.",
            ["provider"],
            buckets=BUCKETS,
            registry=None,
        )
        self._evidence = Counter(
            "typosentinel_provider_evidence",
            "Pieces of evidence that scans asked for, from caches too, by what became of them.",
            ["provider", "state"],
            registry=None,
        )
        self._verdicts = Counter(
            "typosentinel_provider_verdicts",
            "Verdicts that evidence was gathered for, without and with it.",
            ["before", "after"],
            registry=None,
        )

    def tally(self, provider: str, result: str, seconds: float) -> None:
        """Counts one question."""
        self._requests.labels(provider, result).inc()
        if result not in NOT_SENT:
            self._seconds.labels(provider).observe(seconds)

    def had(self, provider: str, state: State) -> None:
        """Counts one piece of evidence, or its absence."""
        self._evidence.labels(provider, state.value).inc()

    def decided(self, before: str, after: str) -> None:
        """Counts one verdict without and with evidence."""
        self._verdicts.labels(before, after).inc()

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        in_flight = GaugeMetricFamily(
            "typosentinel_provider_requests_in_flight",
            "Packages that a provider is being asked about now.",
            labels=["provider"],
        )
        for provider in self._providers():
            in_flight.add_metric([provider.role.name], provider.in_flight)
            for result in RESULTS:
                self._requests.labels(provider.role.name, result)
        yield in_flight
        for held in (self._requests, self._seconds, self._evidence, self._verdicts):
            yield from held.collect()
