import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from typosentinel_server.processes.exposition import Families, Shown, cumulative, heard, merged, told

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def process(scans: int, lag: float, entries: int, ecosystem: str = "PyPI") -> Families:
    """What one process tells, as it comes over the channel."""
    registry = CollectorRegistry()
    counter = Counter("typosentinel_scans", "Names.", ["ecosystem"], registry=registry)
    counter.labels(ecosystem).inc(scans)
    spread = Histogram("typosentinel_seconds", "Time.", buckets=(1.0, 2.0), registry=registry)
    for n in range(scans):
        spread.observe(n)
    Gauge("typosentinel_event_loop_lag_seconds", "Lag.", registry=registry).set(lag)
    Gauge("typosentinel_cache_entries", "Entries.", registry=registry).set(entries)
    Gauge("typosentinel_cache_ttl_seconds", "Time.", registry=registry).set(300)
    Gauge("typosentinel_none", "Nothing.", registry=registry).set(float("nan"))
    return heard(orjson.loads(orjson.dumps(told(registry))))


def shown(families: Families) -> Samples:
    """What Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(Shown(families))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_counters_and_histograms_are_summed() -> None:
    """By label; of gauges what each has a share of, and else the highest."""
    found = shown(merged([process(3, 0.5, 10), process(2, 0.25, 20), process(4, 0.0, 0, "npm")]))
    assert found["typosentinel_scans_total", frozenset({("ecosystem", "PyPI")})] == 5
    assert found["typosentinel_scans_total", frozenset({("ecosystem", "npm")})] == 4
    assert found["typosentinel_seconds_count", frozenset()] == 9
    assert found["typosentinel_seconds_sum", frozenset()] == 3 + 1 + 6
    assert found["typosentinel_seconds_bucket", frozenset({("le", "1.0")})] == 6
    assert found["typosentinel_seconds_bucket", frozenset({("le", "+Inf")})] == 9
    assert found["typosentinel_event_loop_lag_seconds", frozenset()] == 0.5
    assert found["typosentinel_cache_entries", frozenset()] == 30
    assert found["typosentinel_cache_ttl_seconds", frozenset()] == 300
    assert not any(name.endswith("_created") for name, _ in found)


def test_a_process_that_has_ended_leaves_its_counters_alone() -> None:
    """So that sums never go back, and no gauge shows what is no more."""
    left = cumulative(process(3, 0.5, 10))
    found = shown(merged([left, process(0, 0.25, 20)]))
    assert found["typosentinel_scans_total", frozenset({("ecosystem", "PyPI")})] == 3
    assert found["typosentinel_seconds_count", frozenset()] == 3
    assert found["typosentinel_event_loop_lag_seconds", frozenset()] == 0.25
    assert found["typosentinel_cache_entries", frozenset()] == 20
    again = shown(merged([merged([left, cumulative(process(2, 0, 0))]), process(0, 0, 0)]))
    assert again["typosentinel_scans_total", frozenset({("ecosystem", "PyPI")})] == 5
