"""How many connections there are, and what became of the others. Plain numbers; read when someone asks."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from typosentinel_server.edge.pace import End

REFUSALS = ("answered", "dropped")


class ConnectionCounts(Collector):
    """The figures of connections.

    Attributes:
        open: connections that are open.
        opened: connections that ever were.
        refused: for want of a place: told so, or dropped without a word.
        ended: by the server, for being slow or idle.
    """

    def __init__(self) -> None:
        self.open = 0
        self.opened = 0
        self.refused = dict.fromkeys(REFUSALS, 0)
        self.ended = dict.fromkeys(End, 0)

    def collect(self) -> Iterator[Metric]:
        """One gauge and three counters."""
        yield GaugeMetricFamily("typosentinel_connections", "Connections that are open.", self.open)
        yield CounterMetricFamily("typosentinel_connections_opened", "Connections that were accepted.", self.opened)
        refused = CounterMetricFamily(
            "typosentinel_connections_refused",
            "Connections for which there was no place, by what they were told: answered, dropped.",
            labels=["result"],
        )
        for result, count in self.refused.items():
            refused.add_metric([result], count)
        yield refused
        ended = CounterMetricFamily(
            "typosentinel_connections_ended",
            "Connections that the server ended, by reason: slow_head, slow_body, slow_reader, idle.",
            labels=["reason"],
        )
        for reason, count in self.ended.items():
            ended.add_metric([reason.value], count)
        yield ended
