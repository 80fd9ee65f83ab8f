"""The state of a server as a page. Pure: a report in, HTML out."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from typosentinel_server.schemas import HealthResponse
from typosentinel_server.statusschemas import (
    LimitsResponse,
    StatusResponse,
    TierBody,
    WorkersResponse,
)

REFRESH_SECONDS: Final = 15
MINUTE, HOUR, DAY = 60, 3600, 86400
# Beyond so many of a unit the next one is easier to read.
ENOUGH: Final = 2

Rows = Iterable[Sequence[str]]


class Html(str):
    """Text that is HTML already; every other text is escaped where it gets into the page."""

    __slots__ = ()


def status_page(report: StatusResponse, name: str) -> str:
    """The page.

    Args:
        report: what it shows.
        name: of the server.
    """
    health = report.health
    parts = [
        _facts(health, name),
        _table("Lists of popular names", ("Ecosystem", "Names", "Age", "Version"), _lists(health)),
        _table("Other lists", ("List", "Entries", "Serving", "What is wrong"), _other(health)),
        _table("Requests", ("Last five minutes", "Errors", "p50", "p95", "p99"), [_requests(health)]),
    ]
    if report.cache is not None:
        columns = ("Tier", "Entries", "At most", "Kept for", "Hits", "Misses", "Hit ratio")
        parts.append(_table("Cache", columns, map(_tier, report.cache)))
    if report.workers is not None:
        pool = ("Busy", "Idle", "Starting", "At least", "At most", "Queued")
        parts.append(_table("Workers", pool, [_workers(report.workers)]))
    if report.breakers is not None:
        rows = [
            (b.name, _badge(b.state), str(b.failures), _seconds(b.retry_after_seconds) if b.retry_after_seconds else "")
            for b in report.breakers
        ]
        parts.append(_table("Circuit breakers", ("Of", "State", "Failures", "Next try in"), rows))
    if report.limits is not None:
        parts.append(_table("Limits", ("Limit", "Callers counted", "Refused most"), _limits(report.limits)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
        f"<title>{escape(health.status)} · Typosentinel</title>"
        '<link rel="icon" href="docs/assets/icon.svg"><link rel="stylesheet" href="docs/assets/page.css"></head>'
        '<body><header class="bar"><h1>Typosentinel</h1><nav><a href="docs">API</a> '
        '<a href="status" aria-current="page">Status</a></nav></header>'
        f"<main>{''.join(parts)}"
        f'<p class="quiet">Looked at again every {REFRESH_SECONDS} seconds. '
        "With <code>Accept: application/json</code> the same as JSON.</p></main></body></html>\n"
    )


def _facts(health: HealthResponse, name: str) -> str:
    wrong = [health.configuration.last_error, health.corpus_source.last_error]
    complaints = "".join(f'<p class="complaint">{escape(text)}</p>' for text in wrong if text)
    facts = (
        ("Server", name),
        ("Version", health.version),
        ("Up for", _seconds(health.uptime_seconds)),
        ("Configuration", _code((health.configuration.hash or "defaults")[:19])),
        ("In effect for", _seconds(health.configuration.age_seconds)),
        ("Lists from", health.corpus_source.location or health.corpus_source.kind),
    )
    rows = "".join(f"<div><dt>{title}</dt><dd>{_safe(value)}</dd></div>" for title, value in facts)
    draining = _badge("draining") if health.draining else ""
    return f'<section><h2>{_badge(health.status)} {draining}</h2>{complaints}<dl class="facts">{rows}</dl></section>'


def _lists(health: HealthResponse) -> Iterator[Sequence[str]]:
    for corpus in health.corpus:
        age = _seconds(corpus.age_seconds)
        shown = Html(f"{age} {_badge('stale')}") if corpus.stale else age
        yield corpus.ecosystem.value, f"{corpus.names:,}", shown, _code(corpus.version)


def _other(health: HealthResponse) -> Iterator[Sequence[str]]:
    for one in health.lists:
        yield one.name, f"{one.entries:,}", _badge(one.serving), one.last_error or ""


def _requests(health: HealthResponse) -> Sequence[str]:
    asked = health.requests
    times = (asked.p50_seconds, asked.p95_seconds, asked.p99_seconds)
    return (
        f"{asked.count:,}",
        f"{asked.error_ratio:.2%}",
        *("" if time is None else f"{time * 1000:.2f} ms" for time in times),
    )


def _tier(tier: TierBody) -> Sequence[str]:
    return (
        tier.name,
        _count(tier.entries),
        _count(tier.max_entries),
        _seconds(tier.ttl_seconds),
        _count(tier.requests.get("hit", 0)),
        _count(tier.requests.get("miss", 0)),
        "" if tier.hit_ratio is None else f"{tier.hit_ratio:.1%}",
    )


def _workers(pool: WorkersResponse) -> Sequence[str]:
    queued = f"{pool.queued:,} of {pool.queue_limit:,}"
    return *map(str, (pool.busy, pool.idle, pool.starting, pool.min, pool.max)), queued


def _limits(limits: LimitsResponse) -> Iterator[Sequence[str]]:
    for name, count in sorted(limits.principals.items()):
        worst = [f"{one.principal} ({one.refused:,})" for one in limits.top if one.limit == name]
        yield name, _count(count), ", ".join(worst)
    if limits.complaint is not None:
        yield "", "", limits.complaint


def _table(title: str, head: Sequence[str], rows: Rows) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{_safe(cell)}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    return (
        f'<section><h2>{title}</h2><div class="wide" role="region" tabindex="0" aria-label="{title}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _safe(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)


def _badge(state: str) -> Html:
    return Html(f'<span class="badge {escape(state)}">{escape(state)}</span>')


def _code(text: str) -> Html:
    return Html(f"<code>{escape(text)}</code>")


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _seconds(seconds: float) -> str:
    for unit, name in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= ENOUGH * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
