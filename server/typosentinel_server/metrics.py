"""What the server counts, under names that others rely on. Units are in the names."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from typosentinel_server.bundles.errors import DAMAGED_RESULT, RESULTS
from typosentinel_server.edge.counts import ConnectionCounts
from typosentinel_server.tallies import Spread, Tally

SCAN_BUCKETS = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 0.1, 1.0)
# The boundaries that OpenTelemetry's semantic conventions give for HTTP, and two below them.
HTTP_BUCKETS = (5e-4, 1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 7.5e-2, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Metrics:
    """The collectors of one server, on a registry of their own.

    Args:
        version: the server's version, for `typosentinel_build_info`.
    """

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.connections = ConnectionCounts()
        self.registry.register(self.connections)
        self.scans = Tally(
            "typosentinel_scans",
            "Names judged, by ecosystem, verdict and whether the verdict came from the cache.",
            ("ecosystem", "verdict", "cached"),
            self.registry,
        )
        self.scan_seconds = Spread(
            "typosentinel_scan_duration_seconds",
            "Time to judge one name, cache included, HTTP left out.",
            (),
            SCAN_BUCKETS,
            self.registry,
        )
        self.http_seconds = Spread(
            "http_server_request_duration_seconds",
            "Time to answer an HTTP request.",
            ("http_request_method", "http_route", "http_response_status_code"),
            HTTP_BUCKETS,
            self.registry,
        )
        self.configuration_info = Gauge(
            "typosentinel_configuration_info",
            'Always 1; the label is the hash of the configuration in effect, "none" for the defaults.',
            ["hash"],
            registry=self.registry,
        )
        self.configuration_reloads = Counter(
            "typosentinel_configuration_reloads",
            "New documents seen while running, by outcome: applied or refused.",
            ["outcome"],
            registry=self.registry,
        )
        self.configuration_age = Gauge(
            "typosentinel_configuration_age_seconds",
            "Time since the configuration in effect took effect.",
            registry=self.registry,
        )
        self.corpus_names = Gauge(
            "typosentinel_corpus_names",
            "Popular names that an ecosystem's names are compared with.",
            ["ecosystem"],
            registry=self.registry,
        )
        self.corpus_age = Gauge(
            "typosentinel_corpus_age_seconds",
            "Time since an ecosystem's list of popular names was drawn up.",
            ["ecosystem"],
            registry=self.registry,
        )
        self.corpus_max_age = Gauge(
            "typosentinel_corpus_max_age_seconds",
            "Age from which a list of popular names counts as old, as configured; 0: none is ever too old.",
            registry=self.registry,
        )
        self.corpus_refreshes = Counter(
            "typosentinel_corpus_refreshes",
            "Looks at the source of lists by result: updated, unchanged, or why what is there was refused.",
            ["result"],
            registry=self.registry,
        )
        self.corpus_success = Gauge(
            "typosentinel_corpus_last_success_timestamp_seconds",
            "When the source of lists last gave some or said that nothing is new, since 1970; 0: never.",
            registry=self.registry,
        )
        self.knowledge_entries = Gauge(
            "typosentinel_knowledge_entries",
            "Entries of the lists that the configuration names under detection.",
            ["list"],
            registry=self.registry,
        )
        self.knowledge_refused = Gauge(
            "typosentinel_knowledge_refused",
            "1 while a list named under detection is refused, and an earlier one or none serves; else 0.",
            ["list"],
            registry=self.registry,
        )
        self.knowledge_reads = Counter(
            "typosentinel_knowledge_reads",
            "New files of the lists named under detection, the first ones included, by result: taken or refused.",
            ["list", "result"],
            registry=self.registry,
        )
        self.loop_lag = Gauge(
            "typosentinel_event_loop_lag_seconds",
            "How late the last heartbeat of the event loop was.",
            registry=self.registry,
        )
        build = Gauge(
            "typosentinel_build_info",
            "Always 1; the label is the server's version.",
            ["version"],
            registry=self.registry,
        )
        build.labels(version).set(1)
        for outcome in ("applied", "refused"):
            self.configuration_reloads.labels(outcome)
        for result in ("updated", "unchanged", DAMAGED_RESULT, *RESULTS.values()):
            self.corpus_refreshes.labels(result)

    def configuration(self, digest: str | None, age: Callable[[], float]) -> None:
        """Notes the configuration in effect: its hash and a clock for its age in seconds."""
        self.configuration_info.clear()
        self.configuration_info.labels(digest or "none").set(1)
        self.configuration_age.set_function(age)

    def corpora(self, sizes: dict[str, int], age_of: Callable[[str], float]) -> None:
        """Notes the lists in use: names by ecosystem, and a clock for the age in seconds of each."""
        self.corpus_names.clear()
        self.corpus_age.clear()
        for ecosystem, size in sizes.items():
            self.corpus_names.labels(ecosystem).set(size)
            self.corpus_age.labels(ecosystem).set_function(_age(age_of, ecosystem))

    def knowledge(self, sizes: Mapping[str, int], refused: Mapping[str, bool]) -> None:
        """Notes the lists besides those of popular names: entries by list, and of each named whether it is refused."""
        self.knowledge_entries.clear()
        for kind, size in sizes.items():
            self.knowledge_entries.labels(kind).set(size)
        self.knowledge_refused.clear()
        for kind, is_refused in refused.items():
            self.knowledge_refused.labels(kind).set(is_refused)
            for result in ("taken", "refused"):
                self.knowledge_reads.labels(kind, result)


def _age(age_of: Callable[[str], float], ecosystem: str) -> Callable[[], float]:
    return lambda: age_of(ecosystem)
