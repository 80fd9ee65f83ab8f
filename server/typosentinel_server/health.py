"""The state of a server in words and figures."""

from datetime import UTC, datetime

from typosentinel_server import __version__
from typosentinel_server.keys import Server
from typosentinel_server.schemas import (
    ConfigurationBody,
    CorpusBody,
    CorpusSourceBody,
    HealthResponse,
    ListBody,
    RequestsBody,
)

DEGRADED_ABOVE_ERROR_RATIO = 0.05
GOOD_FOR_SECONDS = 0.05


class Health:
    """Tells how a server is. Balancers ask often, and putting it together takes ten times as long as a scan.

    Args:
        server: its parts.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._made = float("-inf")
        self._news: tuple[object, ...] = ()
        self._status = 200
        self._body = b""

    def look(self) -> tuple[int, bytes]:
        """Status of HTTP and body as JSON, figures at most a twentieth of a second old; 503: nothing can be judged."""
        server = self._server
        now = server.clock.monotonic()
        reloader = server.reloader
        news = (
            server.lifecycle.draining,
            reloader.current,
            reloader.last_error,
            server.keeper.held,
            *server.librarian.news,
        )
        if now - self._made >= GOOD_FOR_SECONDS or news != self._news:
            report = self.report()
            self._body = report.model_dump_json(by_alias=True).encode()
            self._status = 503 if report.status == "unhealthy" else 200
            self._made, self._news = now, news
        return self._status, self._body

    def report(self) -> HealthResponse:
        """The same at this moment, put together anew."""
        server = self._server
        recent = server.ring.summary()
        corpora = server.service.engines.corpora
        lists = server.librarian.state
        wrong = (
            server.reloader.last_error is not None
            or bool(lists.complaints or server.keeper.complaints)
            or recent.error_ratio > DEGRADED_ABOVE_ERROR_RATIO
        )
        status = "degraded" if wrong else "ok"
        if not corpora or not server.lifecycle.alive:
            status = "unhealthy"
        return HealthResponse(
            status=status,
            version=__version__,
            uptime_seconds=round(server.lifecycle.uptime, 3),
            configuration=ConfigurationBody(
                hash=server.reloader.current.digest,
                age_seconds=round(server.reloader.age, 3),
                last_error=server.reloader.last_error,
            ),
            corpus=[
                CorpusBody(
                    ecosystem=corpus.ecosystem,
                    version=corpus.version,
                    names=corpus.size,
                    created_at=_time(corpus.created),
                    age_seconds=round(lists.ages[corpus.ecosystem]),
                    stale=lists.is_stale(corpus.ecosystem),
                )
                for corpus in corpora
            ],
            corpus_source=CorpusSourceBody(
                kind=lists.kind,
                location=lists.location,
                fallback=lists.fallback,
                last_success_at=None
                if lists.last_success is None
                else _time(datetime.fromtimestamp(lists.last_success, UTC)),
                last_error=lists.last_error,
            ),
            lists=[
                ListBody(
                    name=name,
                    file=str(reading.path),
                    hash=reading.digest,
                    entries=0 if reading.content is None else len(reading.content),
                    serving=reading.serving,
                    last_error=reading.error,
                )
                for name, reading in server.keeper.held.readings.items()
            ],
            requests=RequestsBody(
                count=recent.count,
                error_ratio=recent.error_ratio,
                p50_seconds=recent.p50,
                p95_seconds=recent.p95,
                p99_seconds=recent.p99,
            ),
            draining=server.lifecycle.draining,
        )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
