"""Metrics, health and the small ring of requests."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from running import Start, StillClock, ask, samples
from typosentinel_server.requestring import RequestRing

CONTRACT = {
    "typosentinel_scans": {"ecosystem", "verdict", "cached"},
    "typosentinel_scan_duration_seconds": set(),
    "http_server_request_duration_seconds": {"http_request_method", "http_route", "http_response_status_code"},
    "typosentinel_cache_entries": {"tier"},
    "typosentinel_cache_bytes": {"tier"},
    "typosentinel_cache_max_entries": {"tier"},
    "typosentinel_cache_max_bytes": {"tier"},
    "typosentinel_cache_ttl_seconds": {"tier"},
    "typosentinel_cache_requests": {"tier", "result"},
    "typosentinel_cache_evictions": {"tier", "reason"},
    "typosentinel_cache_revalidations": {"result"},
    "typosentinel_cache_makes": {"result"},
    "typosentinel_cache_joined": set(),
    "typosentinel_cache_invalidations": {"kind"},
    "typosentinel_configuration_info": {"hash"},
    "typosentinel_configuration_reloads": {"outcome"},
    "typosentinel_configuration_age_seconds": set(),
    "typosentinel_corpus_names": {"ecosystem"},
    "typosentinel_corpus_age_seconds": {"ecosystem"},
    "typosentinel_corpus_max_age_seconds": set(),
    "typosentinel_corpus_refreshes": {"result"},
    "typosentinel_corpus_last_success_timestamp_seconds": set(),
    "typosentinel_rate_limit_fail_open": set(),
    "typosentinel_rate_limit_shared": set(),
    "typosentinel_rate_limit_leases": set(),
    "typosentinel_rate_limit_exchanges": {"result"},
    "typosentinel_rate_limit_evictions": set(),
    "typosentinel_build_info": {"version"},
    "typosentinel_event_loop_lag_seconds": set(),
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds": set(),
}


async def test_names_labels_and_help_are_as_promised(start: Start) -> None:
    """Others read these; a change here breaks scaling and dashboards."""
    server = await start()
    await ask(server, ecosystem="PyPI", name="reqeusts")
    async with server.http.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        families = {f.name: f for f in text_string_to_metric_families(await response.text())}

    for name, labels in CONTRACT.items():
        assert families[name].documentation
        found = {label for sample in families[name].samples for label in sample.labels} - {"le"}
        assert found == labels, name


async def test_scans_and_cache_are_counted(start: Start) -> None:
    """One scan judged, one from the cache."""
    server = await start()
    for _ in range(2):
        await ask(server, ecosystem="PyPI", name="reqeusts")
    found = await samples(server)

    labels = {"ecosystem": "PyPI", "verdict": "suspicious"}
    for cached in ("false", "true"):
        key = frozenset((labels | {"cached": cached}).items())
        assert found["typosentinel_scans_total", key] == 1
    assert found["typosentinel_scan_duration_seconds_count", frozenset()] == 2
    memory = ("tier", "memory")
    assert found["typosentinel_cache_entries", frozenset({memory})] == 1
    assert found["typosentinel_cache_bytes", frozenset({memory})] > 1000
    assert found["typosentinel_cache_requests_total", frozenset({memory, ("result", "hit")})] == 1
    assert found["typosentinel_corpus_names", frozenset({("ecosystem", "PyPI")})] == 8


async def test_strangers_paths_and_methods_make_no_series(start: Start) -> None:
    """Whatever is asked for, the number of series stays bounded."""
    server = await start()
    for n in range(5):
        await server.http.get(f"/nothing/{n}")
        await server.http.request("PROPFIND", "/live")
    found = await samples(server)

    series = {labels for name, labels in found if name == "http_server_request_duration_seconds_count"}
    assert series == {
        frozenset({("http_request_method", "GET"), ("http_route", "unmatched"), ("http_response_status_code", "404")}),
        frozenset(
            {("http_request_method", "_OTHER"), ("http_route", "unmatched"), ("http_response_status_code", "405")}
        ),
    }


async def test_health_tells_the_state(start: Start) -> None:
    """Version, configuration, lists and the last requests."""
    server = await start()
    await ask(server, ecosystem="PyPI", name="reqeusts")
    async with server.http.get("/health") as response:
        found = await response.json()

    assert (response.status, found["status"], found["draining"]) == (200, "ok", False)
    assert found["configuration"]["hash"] is None
    assert found["configuration"]["ageSeconds"] >= 0
    assert [(c["ecosystem"], c["names"]) for c in found["corpus"]] == [("PyPI", 8), ("npm", 8)]
    assert found["requests"]["count"] == 1
    assert found["requests"]["p99Seconds"] > 0


def test_ring_forgets_after_five_minutes(still: StillClock) -> None:
    """On a quiet server an old failure does not degrade it for ever."""
    ring = RequestRing(still.clock.monotonic)
    ring.add(1.0, failed=True)
    still.seconds += 299
    assert ring.summary().error_ratio == 1.0
    still.seconds += 1

    assert (ring.summary().count, ring.summary().error_ratio) == (0, 0.0)


def test_ring_gives_percentiles_by_nearest_rank(still: StillClock) -> None:
    """Known figures in, known percentiles out; only the last 1,024 count."""
    ring = RequestRing(still.clock.monotonic)
    assert ring.summary().p99 is None
    for _ in range(2000):
        ring.add(9.0, failed=True)
    for n in range(1, 1025):
        ring.add(n / 1024, failed=n % 4 == 0)
    found = ring.summary()

    assert (found.count, found.error_ratio) == (1024, 0.25)
    assert found.p50 == pytest.approx(0.5)
    assert found.p95 == pytest.approx(973 / 1024)
