"""Status, statistics and metrics in their several forms, the page of the document, and the other names of routes."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from adminparts import Limits, Pool, Shelf
from running import Running, Start, StillClock, ask
from typosentinel_server.accept import preferred
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.breaker import Breaker, BreakerPolicy
from typosentinel_server.published.pages import ASSETS
from typosentinel_server.published.statuspage import status_page
from typosentinel_server.statusviews import status_report

OFFERS = ("text/html", "application/json")
ASSET_FOLDER = files("typosentinel_server.published").joinpath("assets")


class Page(HTMLParser):
    """What a page is made of: elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keeps text."""
        self.text += data


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/html;q=0.5, application/json;q=0.6", "application/json"),
        ("text/*;q=0.5, application/*", "application/json"),
        ("application/json;q=0, */*", "text/html"),
        ("application/json;q=zero", "text/html"),
        ("application/json;q=٣", "text/html"),
        ("image/png", "text/html"),
        (",;=,;q,;q=", "text/html"),
        ("application/json;q=1e9, text/html", "text/html"),
        ("a/b," * 10_000 + "application/json", "text/html"),
    ],
)
def test_the_best_form_is_chosen(accept: str, wanted: str) -> None:
    """By quality, the first of equals; nonsense chooses nothing."""
    assert preferred(accept, OFFERS) == wanted


async def test_status_is_a_page_or_json(start: Start) -> None:
    """By what is accepted; what stands in between is told so."""
    server = await start()
    async with server.http.get("/status") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "Accept" in answer.headers["Vary"].split(", ")
        page = Page(await answer.text())
    for text in ("pod-1", "ok", "PyPI", "memory", "10,000", "5 min"):
        assert text in page.text
    async with server.http.get("/status", headers={"Accept": "application/json"}) as answer:
        body = await answer.json()
    assert body["health"]["status"] == "ok"
    assert body["cache"][0]["name"] == "memory"
    assert set(body) == {"health", "cache", "workers", "breakers", "limits"}


async def test_the_page_shows_every_part_and_escapes_what_it_shows(start: Start, still: StillClock) -> None:
    """Names and errors come from elsewhere."""
    parts = (await start()).parts
    breaker = Breaker("<b>redis", BreakerPolicy(failures=1), still.clock.monotonic)
    breaker.failed()
    ports = Ports(cache=Shelf(), workers=Pool(), limits=Limits(), breakers=lambda: [breaker])
    parts.reloader.last_error = "config.yaml:1: <script>alert(1)</script>"
    text = status_page(status_report(replace(parts, ports=ports)), "<pod>")
    page = Page(text)
    assert {tag for tag, _ in page.elements} & {"script", "b", "pod"} == set()
    for said in (
        "<pod>",
        "<b>redis",
        "<script>alert(1)</script>",
        "60 s",
        "0 of 1,000",
        "shelf",
        "10.0.0.0/24 (1)",
        "no keys",
        "degraded",
    ):
        assert said in page.text


async def test_stats_count_scans(start: Start) -> None:
    """By ecosystem, verdict and whether they came from the cache."""
    server = await start()
    for _ in range(3):
        await ask(server, ecosystem="PyPI", name="reqeusts")
    async with server.http.get("/stats") as answer:
        body = await answer.json()
    assert {(s["ecosystem"], s["verdict"], s["cached"]): s["count"] for s in body["scans"]} == {
        ("PyPI", "suspicious", False): 1,
        ("PyPI", "suspicious", True): 2,
    }
    assert body["requests"]["count"] == 3
    assert body["cache"][0]["hitRatio"] == pytest.approx(2 / 3)


async def samples_of(server: Running, path: str, accept: str) -> dict[str, Any]:
    """The metrics as JSON, by name."""
    async with server.http.get(path, headers={"Accept": accept}) as answer:
        assert answer.content_type == "application/json"
        return {metric["name"]: metric for metric in (await answer.json())["metrics"]}


async def test_metrics_are_text_or_json(start: Start) -> None:
    """The same figures; a scraper gets text, whatever it sends along."""
    server = await start()
    await ask(server, ecosystem="PyPI", name="reqeusts")
    found = await samples_of(server, "/metrics", "application/json")
    (scans,) = [s for s in found["typosentinel_scans"]["samples"] if s["name"] == "typosentinel_scans_total"]
    assert (scans["labels"]["verdict"], scans["value"]) == ("suspicious", 1)
    assert found["typosentinel_scan_duration_seconds"]["type"] == "histogram"
    scraper = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.2"
    for path, accept in (("/metrics", scraper), ("/metrics", ""), ("/metrics/prometheus", "application/json")):
        async with server.http.get(path, headers={"Accept": accept}) as answer:
            assert answer.content_type == "text/plain"
            assert "typosentinel_scans_total{" in await answer.text()


async def test_probes_have_a_second_name(start: Start) -> None:
    """And are no requests to the API under it either."""
    server = await start()
    for path in ("/health", "/ready"):
        async with server.http.get(path) as first, server.http.get(f"/api{path}") as second:
            assert first.status == second.status == 200
            assert set(await first.json()) == set(await second.json())
    assert server.parts.ring.summary().count == 0


async def test_the_page_of_the_document_takes_nothing_from_elsewhere(start: Start) -> None:
    """And runs nothing but its own files: the policy says so, and the page keeps to it."""
    server = await start()
    for prefix in ("", "/api"):
        async with server.http.get(f"{prefix}/docs") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            policy = answer.headers["Content-Security-Policy"]
            page = Page(await answer.text())
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for tag, attributes in page.elements:
            assert tag != "style"
            assert not {name for name in attributes if name == "style" or name.startswith("on")}
            for name in ("src", "href"):
                target = attributes.get(name) or ""
                assert not re.match(r"\w+:|//", target)
                if "assets/" in target:
                    async with server.http.get(f"{prefix}/{target}") as answer:
                        assert answer.status == 200
                        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_no_other_file_is_an_asset(start: Start) -> None:
    """Neither the page itself nor anything beside it."""
    server = await start()
    for name in ("docs.html", "../views.py", "..%2Fviews.py", "%2e%2e%2fviews.py", "x", "docs.js%00"):
        async with server.http.get(f"/docs/assets/{name}") as answer:
            assert answer.status == 404


def test_assets_name_no_address() -> None:
    """A page that works without a network names none."""
    for name in (*ASSETS, "docs.html"):
        text = ASSET_FOLDER.joinpath(name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), name


async def test_a_wrong_configuration_is_on_the_page(start: Start) -> None:
    """With its reason."""
    server = await start()
    server.parts.reloader.last_error = "config.yaml:3: cache: wrong"
    async with server.http.get("/status") as answer:
        assert "config.yaml:3: cache: wrong" in Page(await answer.text()).text
    async with server.http.get("/status", headers={"Accept": "application/json"}) as answer:
        assert json.loads(await answer.text())["health"]["status"] == "degraded"
