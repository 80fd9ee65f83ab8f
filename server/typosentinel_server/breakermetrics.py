"""The states of all breakers, read when someone asks for the metrics."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from typosentinel_server.breaker import Breaker, State


class BreakerCollector(Collector):
    """Shows breakers from wherever they are; several places may register theirs.

    Args:
        sources: each gives the breakers that it has now.
    """

    def __init__(self, *sources: Callable[[], Iterable[Breaker]]) -> None:
        self._sources = list(sources)

    def watch(self, source: Callable[[], Iterable[Breaker]]) -> None:
        """Shows these, too."""
        self._sources.append(source)

    def collect(self) -> Iterator[Metric]:
        """One sample for each breaker and state, 1 for the state that it is in."""
        family = GaugeMetricFamily(
            "typosentinel_circuit_breaker_state",
            "1 for the state that the breaker before a dependency is in, else 0.",
            labels=["name", "state"],
        )
        for breaker in (breaker for source in self._sources for breaker in source()):
            for state in State:
                family.add_metric([breaker.name, state.value], float(breaker.state is state))
        yield family
