"""The use cases. Knows no HTTP: texts in, outcomes out, domain errors raised."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from typosentinel_server.cache import MemoryCache
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Engines
from typosentinel_server.errors import InvalidRequest
from typosentinel_server.metrics import Metrics
from typosentinel_server.scan.conclusion import Knowledge, conclude
from typosentinel_server.scan.context.metadata import Metadata
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.scan.naming import parse_name

CacheKey = tuple[Ecosystem, str, str]
VerdictCache = MemoryCache[CacheKey, ScanResult]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answered question.

    Attributes:
        scan_id: unique to this answer.
        result: the judgement.
        cached: whether it was known from before.
        seconds: how long the answer took.
    """

    scan_id: str
    result: ScanResult
    cached: bool
    seconds: float


class ScanService:
    """Answers questions about names.

    Args:
        engines: what judges; may be swapped as a whole.
        cache: keeps judgements by name alone, under ecosystem, normalised name and the list's version.
        metrics: counts what is answered.
        clock: times it.
        new_id: gives every answer its id.
    """

    def __init__(
        self, engines: Engines, cache: VerdictCache, metrics: Metrics, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self.cache = cache
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id
        self._engines = engines
        self._knowledge = Knowledge()
        self.use(engines)

    @property
    def engines(self) -> Engines:
        """The engines in use."""
        return self._engines

    def use(self, engines: Engines) -> None:
        """Judges with other engines from now on. Cached verdicts stay good: their key names the list."""
        self._engines = engines
        created = {corpus.ecosystem.value: corpus.created.timestamp() for corpus in engines.corpora}
        self._metrics.corpora(
            {corpus.ecosystem.value: corpus.size for corpus in engines.corpora},
            lambda ecosystem: self._clock.wall() - created[ecosystem],
        )

    def consult(self, knowledge: Knowledge) -> None:
        """Concludes with other lists from now on. Cached verdicts stay good: they know nothing of these."""
        self._knowledge = knowledge

    def scan(self, ecosystem: str, name: str, version: str | None = None, metadata: Metadata | None = None) -> Outcome:
        """The judgement of one name, what the name alone says from the cache where it is there.

        Raises:
            EcosystemUnknown: there is no such ecosystem, or it is not served.
            NameRefused: the registry could hold no package of that name.
            InvalidRequest: a first release has not happened yet.
        """
        started = self._clock.monotonic()
        engine = self._engines.engine(ecosystem)
        package = Package(engine.ecosystem, name, version)
        parsed = parse_name(engine.ecosystem, name)
        key = (engine.ecosystem, parsed.identity, engine.basis)
        result = self.cache.get(key)
        cached = result is not None
        if result is None:
            result = engine.judge(package, parsed)
            self.cache.put(key, result)
        today = datetime.fromtimestamp(self._clock.wall(), UTC).date()
        _refuse_future(metadata, today)
        result = conclude(replace(result, package=package), parsed, self._knowledge, metadata, today, engine)
        seconds = self._clock.monotonic() - started
        self._metrics.scan_seconds.observe((), seconds)
        self._metrics.scans.add((engine.ecosystem.value, result.verdict.value, "true" if cached else "false"))
        return Outcome(self._new_id(), result, cached, seconds)


def _refuse_future(metadata: Metadata | None, today: date) -> None:
    if metadata is None:
        return
    for field, facts in (("metadata", metadata.package), ("metadata.target", metadata.target)):
        # Somewhere it is tomorrow already.
        if facts.first_release and facts.first_release > today + timedelta(days=1):
            raise InvalidRequest(
                "INVALID_REQUEST",
                f"{field}.firstRelease: {facts.first_release} has not come yet",
                "Send the day of the first release, in UTC, or leave it out.",
                http_hint=422,
            )
