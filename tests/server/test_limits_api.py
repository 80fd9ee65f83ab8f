"""Limits as clients of one server see them."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from running import Running, Start, samples
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.limiting import endpoint_of
from typosentinel_server.ratelimit.policy import Endpoint
from typosentinel_server.settings import Settings, parse_settings

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
BODY = {"ecosystem": "PyPI", "name": "requests"}
KEY = "a-key-of-some-length"
FIELDS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Window", "RateLimit-Policy", "RateLimit")


def document(folder: Path, text: str) -> Path:
    """A configuration document."""
    path = folder / "config.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


async def until(holds: Callable[[], bool]) -> None:
    """Returns when something holds; the test's own limit ends it where it never does."""
    while not holds():  # noqa: ASYNC110 - what a server says of itself is looked at, nobody is told
        await asyncio.sleep(0.01)


async def statuses(server: Running, times: int, **headers: str) -> list[int]:
    """The statuses of so many scans, one after another."""
    found = []
    for _ in range(times):
        async with server.http.post("/api/v1/scan", json=BODY, headers=headers) as response:
            found.append(response.status)
    return found


async def test_without_limits_nothing_is_said_of_them(start: Start) -> None:
    """No header, no metric that counts."""
    server = await start()
    async with server.http.post("/api/v1/scan", json=BODY) as response:
        assert response.status == 200
        assert not [name for name in response.headers if "ratelimit" in name.lower()]


async def test_both_families_of_headers(start: Start, tmp_path: Path) -> None:
    """On answers, on errors of other kinds, and on refusals."""
    server = await start(document(tmp_path, "limits: {endpoints: {Scan: {requests: 3, window: 30s}}}\n"))
    seen, codes, waits = [], list[str | None](), list[str | None]()
    for body in (BODY, {"ecosystem": "PyPI"}, BODY, BODY):
        async with server.http.post("/api/v1/scan", json=body) as response:
            seen.append((response.status, *(response.headers[name] for name in FIELDS)))
            codes.append((await response.json()).get("error", {}).get("code"))
            waits.append(response.headers.get("Retry-After"))
    policy = '"scan";q=3;w=30'
    assert seen == [
        (200, "3", "2", "30", policy, '"scan";r=2;t=30'),
        (422, "3", "1", "30", policy, '"scan";r=1;t=30'),
        (200, "3", "0", "30", policy, '"scan";r=0;t=30'),
        (429, "3", "0", "30", policy, '"scan";r=0;t=30'),
    ]
    assert codes == [None, "INVALID_REQUEST", None, "RATE_LIMITED"]
    assert waits == [None, None, None, "30"]


async def test_what_has_no_limit(start: Start, tmp_path: Path) -> None:
    """Health, readiness and metrics answer whoever is limited."""
    server = await start(document(tmp_path, "limits: {default: {requests: 1, window: 1h}}\n"))
    assert await statuses(server, 2) == [200, 429]
    for path in ("/health", "/ready", "/live", "/metrics"):
        for _ in range(3):
            async with server.http.get(path) as response:
                assert response.status == 200
                assert "RateLimit" not in response.headers
    async with server.http.get("/api/v1/methods") as response:
        assert response.status == 429


def test_classes_of_routes() -> None:
    """Only what clients come for is limited."""
    found = {
        "/api/v1/scan": Endpoint.SCAN,
        "/api/v1/batch": Endpoint.BATCH,
        "/api/v1/methods/{name}": Endpoint.DEFAULT,
        "/api/health": None,
        "/api/docs": None,
        "/api/admin/stats": None,
        "/openapi.json": None,
        "/health": None,
        "unmatched": None,
    }
    assert {route: endpoint_of(route) for route in found} == found


async def test_limits_change_while_the_server_runs(start: Start, tmp_path: Path) -> None:
    """Counts stay; a document that is refused changes nothing."""
    path = document(tmp_path, "limits: {default: {requests: 2, window: 1h}}\n")
    server = await start(path)
    assert await statuses(server, 3) == [200, 200, 429]
    document(tmp_path, "limits: {default: {requests: 0, window: 1h}}\n")
    await until(lambda: server.parts.reloader.last_error is not None)
    assert await statuses(server, 1) == [429]
    document(tmp_path, "limits: {default: {requests: 3, window: 1h}}\n")
    await until(lambda: server.parts.reloader.last_error is None)
    assert await statuses(server, 2) == [200, 429]
    document(tmp_path, "logLevel: Error\n")
    await until(lambda: not server.parts.limits.active)
    assert await statuses(server, 3) == [200] * 3


async def test_keys_have_budgets_of_their_own(start: Start, tmp_path: Path) -> None:
    """They are read again when the file changes; a wrong file leaves the last good keys in use."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    keys = tmp_path / "keys.yaml"
    good = (
        "apiVersion: typosentinel.io/v1alpha1\nkind: ApiKeys\n"
        f"keys: {{ci: {{sha256: {digest}, limits: {{default: {{requests: 2, window: 1h}}}}}}}}\n"
    )
    server = await start(
        document(tmp_path, "limits: {default: {requests: 1, window: 1h}, apiKeys: {file: keys.yaml}}\n")
    )
    limits = server.parts.limits
    assert limits.complaint is not None
    keys.write_text(good, encoding="utf-8")
    await until(lambda: limits.complaint is None)
    bearer = {"Authorization": f"Bearer {KEY}"}
    assert await statuses(server, 3, **bearer) == [200, 200, 429]
    assert await statuses(server, 2) == [200, 429]
    keys.write_text(good.replace("requests: 2", "requests: none"), encoding="utf-8")
    await until(lambda: limits.complaint is not None)
    assert "keys.ci.limits.default.requests" in limits.complaint
    assert await statuses(server, 1, **bearer) == [429]
    report = limits.report()
    assert report.top[0].principal == "key:ci"
    assert report.top[0].refused == 2
    assert report.principals == {"Default": 2}


async def test_only_trusted_proxies_name_a_client(start: Start, tmp_path: Path) -> None:
    """Elsewhere the header would make every request another client's."""
    text = "limits: {{default: {{requests: 2, window: 1h}}, trustedProxies: [{}]}}\n"
    server = await start(document(tmp_path, text.format("10.0.0.0/8")))
    made_up = [(await statuses(server, 1, **{"X-Forwarded-For": f"192.0.2.{n}"}))[0] for n in range(3)]
    assert made_up == [200, 200, 429]
    server = await start(document(tmp_path, text.format("127.0.0.0/8")))
    real = [(await statuses(server, 1, **{"X-Forwarded-For": f"192.0.2.{n}"}))[0] for n in range(3)]
    assert real == [200, 200, 200]


async def test_metrics_of_limits(start: Start, tmp_path: Path) -> None:
    """Allowed, limited and known callers."""
    server = await start(document(tmp_path, "limits: {default: {requests: 2, window: 1h}}\n"))
    await statuses(server, 5)
    found = await samples(server)
    requests = "typosentinel_rate_limit_requests_total"
    assert found[requests, frozenset({("endpoint", "Default"), ("result", "allowed")})] == 2
    assert found[requests, frozenset({("endpoint", "Default"), ("result", "limited")})] == 3
    assert found["typosentinel_rate_limit_principals", frozenset({("endpoint", "Default")})] == 1
    assert found["typosentinel_rate_limit_fail_open_total", frozenset()] == 0
    assert found["typosentinel_rate_limit_shared", frozenset()] == 0


WRONG = {
    "default: {window: 1m}": "limits.default.requests",
    "default: {requests: 0}": 'limits.default.requests: "0" is no number of requests; allowed: whole numbers 1 to',
    "default: {requests: 5, burst: 6}": "limits.default: burst is more than requests",
    "default: {requests: 5, window: 1500ms}": 'limits.default.window: "1500ms" is no window; allowed:',
    "default: {requests: 5, window: 48h}": 'limits.default.window: "48h" is no window',
    "endpoints: {Scans: {requests: 5}}": "limits.endpoints.Scans: there is no such field. Did you mean Scan?",
    "endpoints: {Scan: {requests: true}}": "limits.endpoints.Scan.requests",
    "trustedProxies: [10.0.0.1/8]": "limits.trustedProxies: '10.0.0.1/8' is no network",
    "trustedProxies: 10.0.0.0/8": "limits.trustedProxies: this is a list",
    "maxPrincipals: 1": 'limits.maxPrincipals: "1" is no number of callers',
    "apiKeys: keys.yaml": 'limits.apiKeys: "keys.yaml" is no mapping; allowed: file',
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_limits(text: str) -> None:
    """Refused with line and field."""
    with pytest.raises(ConfigurationInvalid) as caught:
        parse_settings((HEAD + "limits:\n  " + text + "\n").encode(), "c.yaml")
    assert f"c.yaml:4: {WRONG[text]}" in caught.value.message


def test_all_of_the_limits() -> None:
    """Every field."""
    text = (
        "limits: {default: {requests: 600, window: 1m, burst: 100}, endpoints: {Scan: {requests: 5}, "
        "Batch: {requests: 6, window: 24h}}, apiKeys: {file: keys.yaml}, trustedProxies: [10.0.0.0/8, 'fd00::/8'], "
        "maxPrincipals: 500}\n"
    )
    limits = parse_settings((HEAD + text).encode(), "c.yaml").limits
    assert limits.default is not None
    assert (limits.default.requests, limits.default.window, limits.default.burst) == (600, 60, 100)
    assert limits.endpoints.batch is not None
    assert limits.endpoints.batch.window == 86_400
    assert limits != Settings().limits
