"""The metrics of several processes as those of one server. Pure.

Counters and histograms are summed. A process that has ended leaves what was last seen of its counters, for a sum that
went down would look like a restart of all. Of gauges some are summed, and of the others the highest is shown: the
oldest list, the slowest loop.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

# Gauges of which every process has its own share.
SUMMED = (
    "typosentinel_batches_running",
    "typosentinel_cache_",
    "typosentinel_workers",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_max_fds",
)
# Among those, what is the same in every process.
NOT_SUMMED = ("typosentinel_cache_ttl_seconds",)
CUMULATIVE = frozenset({"counter", "histogram", "summary"})
LOWEST = frozenset({"process_start_time_seconds"})

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]


@dataclass(slots=True)
class Family:
    """One metric of one process, or of all.

    Attributes:
        kind: counter, gauge, histogram.
        says: what it is.
        values: of its series.
    """

    kind: str
    says: str
    values: dict[Series, float] = field(default_factory=dict)


Families = dict[str, Family]


def told(registry: CollectorRegistry) -> list[Any]:
    """The metrics of this process, as JSON can carry them."""
    return [
        [
            family.name,
            family.type,
            family.documentation,
            [
                [sample.name, sorted(sample.labels.items()), sample.value]
                for sample in family.samples
                # When a series began is of no use in a sum of several.
                if not sample.name.endswith("_created")
            ],
        ]
        for family in registry.collect()
    ]


def heard(content: Sequence[Any]) -> Families:
    """The metrics again."""
    found: Families = {}
    for name, kind, says, samples in content:
        family = found.setdefault(name, Family(kind, says))
        for sample, labels, value in samples:
            # JSON knows no numbers that are none.
            if value is not None:
                family.values[sample, tuple((key, held) for key, held in labels)] = value
    return found


def cumulative(families: Families) -> Families:
    """What stays of a process that has ended."""
    return {name: family for name, family in families.items() if family.kind in CUMULATIVE}


def merged(processes: Iterable[Families]) -> Families:
    """The metrics of all processes as those of one."""
    found: Families = {}
    for families in processes:
        for name, family in families.items():
            into = found.setdefault(name, Family(family.kind, family.says))
            combine = _combine(name, family.kind)
            for series, value in family.values.items():
                held = into.values.get(series)
                into.values[series] = value if held is None else combine(held, value)
    return found


class Shown(Collector):
    """Families as a collector, to be written out by the library.

    Args:
        families: what to show.
    """

    def __init__(self, families: Mapping[str, Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of it."""
        for name, family in self._families.items():
            metric = Metric(name, family.says, family.kind)
            for (sample, labels), value in family.values.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric


def _combine(name: str, kind: str) -> Any:
    if name in LOWEST:
        return min
    summed = name.startswith(SUMMED) and name not in NOT_SUMMED
    return _sum if kind in CUMULATIVE or summed else max


def _sum(one: float, other: float) -> float:
    return one + other
