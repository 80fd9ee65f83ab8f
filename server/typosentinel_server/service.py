"""The use cases. Knows no HTTP: texts in, outcomes out, domain errors raised."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from typosentinel_server.cache import MemoryCache
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Engines
from typosentinel_server.errors import InvalidRequest
from typosentinel_server.metrics import Metrics
from typosentinel_server.scan.conclusion import Knowledge, conclude
from typosentinel_server.scan.context.malware import Reported
from typosentinel_server.scan.context.metadata import Metadata
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.scan.naming import Name, parse_name
from typosentinel_server.verdictjson import Rendered

# Measured: an entry that found nothing, and what findings take up for each byte of their JSON, itself included.
KEPT_BYTES = 700
KEPT_BYTES_FOR_JSON = 3
# A name is the same in all its spellings.
CacheKey = tuple[Ecosystem, str]


@dataclass(slots=True)
class Kept:
    """What the cache holds of a name.

    Attributes:
        basis: what the judgement rests on; with another one it is good for nothing.
        result: the judgement by name alone.
        rendered: the same as JSON.
        concluded: the last answer to which lists had something to add: with what knowledge, on which day, what.
    """

    basis: str
    result: ScanResult
    rendered: Rendered
    concluded: "tuple[Knowledge, date, ScanResult, Rendered] | None" = None

    @property
    def size(self) -> int:
        """Bytes that it takes up in memory, about: the JSON of what was found says how much was found."""
        return KEPT_BYTES + KEPT_BYTES_FOR_JSON * len(self.rendered.evidence)


VerdictCache = MemoryCache[CacheKey, Kept]


@dataclass(slots=True)
class Outcome:
    """One answered question.

    Attributes:
        scan_id: unique to this answer.
        result: the judgement.
        rendered: the same as JSON.
        cached: whether it was known from before.
        seconds: how long the answer took.
    """

    scan_id: str
    result: ScanResult
    rendered: Rendered
    cached: bool
    seconds: float

    def json(self, name: str, version: str | None) -> bytes:
        """The answer as ScanResponse has it; name and version are the caller's, for a judgement may be another's."""
        return self.rendered.bytes(
            scan_id=self.scan_id, name=name, version=version, cached=self.cached, seconds=self.seconds
        )


@dataclass(slots=True)
class Inquiry:
    """A question on its way to an answer.

    Attributes:
        engine: what judges it.
        name: what is asked about.
        started: when it was asked, by the monotonic clock.
        kept: the judgement by name alone, once it is there.
        cached: whether that was known from before, or is another's who asks at the same time.
        error: why there is no judgement.
    """

    engine: Engine
    name: Name
    started: float
    kept: Kept | None
    cached: bool
    error: Exception | None = None


class ScanService:
    """Answers questions about names.

    Args:
        engines: what judges; may be swapped as a whole.
        cache: keeps judgements by name alone.
        metrics: counts what is answered.
        clock: times it.
        ids: gives every answer its id.
    """

    def __init__(
        self, engines: Engines, cache: VerdictCache, metrics: Metrics, clock: Clock, ids: Iterator[str]
    ) -> None:
        self.cache = cache
        self._metrics = metrics
        self._clock = clock
        self._ids = ids
        self._engines = engines
        self._knowledge = Knowledge()
        self._knows = False
        self.use(engines)

    @property
    def engines(self) -> Engines:
        """The engines in use."""
        return self._engines

    @property
    def knowledge(self) -> Knowledge:
        """The lists in use besides those of popular names."""
        return self._knowledge

    def use(self, engines: Engines) -> None:
        """Judges with other engines from now on. Cached verdicts of another basis are good for nothing now."""
        self._engines = engines
        created = {corpus.ecosystem.value: corpus.created.timestamp() for corpus in engines.corpora}
        self._metrics.corpora(
            {corpus.ecosystem.value: corpus.size for corpus in engines.corpora},
            lambda ecosystem: self._clock.wall() - created[ecosystem],
        )

    def consult(self, knowledge: Knowledge) -> None:
        """Concludes with other lists from now on. Cached verdicts stay good: they know nothing of these."""
        self._knowledge = knowledge
        self._knows = bool(knowledge)

    def scan(self, ecosystem: str, name: str, version: str | None = None, metadata: Metadata | None = None) -> Outcome:
        """The judgement of one name, what the name alone says from the cache where it is there.

        Raises:
            EcosystemUnknown: there is no such ecosystem, or it is not served.
            NameRefused: the registry could hold no package of that name.
            InvalidRequest: a first release has not happened yet.
        """
        inquiry = self.inquire(ecosystem, name)
        self.judge((inquiry,))
        return self.outcome(inquiry, version, metadata)

    def inquire(self, ecosystem: str, name: str) -> Inquiry:
        """The question about a name, and what the cache knows of it. Raises EcosystemUnknown, NameRefused."""
        started = self._clock.monotonic()
        engine = self._engines.engine(ecosystem)
        parsed = parse_name(engine.ecosystem, name)
        kept = self.recall(engine, parsed)
        return Inquiry(engine, parsed, started, kept, kept is not None)

    def judge(self, inquiries: Iterable[Inquiry]) -> None:
        """Judges the names that the cache did not know, one right after another, each once. Errors are kept for later.

        Judging a name right after another takes two thirds of the time that it takes after anything else: the
        processor's caches are small.
        """
        asked: dict[CacheKey, list[Inquiry]] = {}
        for inquiry in inquiries:
            if inquiry.kept is None:
                asked.setdefault((inquiry.engine.ecosystem, inquiry.name.identity), []).append(inquiry)
        judged = [(alike, _judged(alike[0])) for alike in asked.values()]
        for alike, result in judged:
            first = alike[0]
            if isinstance(result, ScanResult):
                try:
                    first.kept = self.keep(first.engine, first.name, result)
                except Exception as error:  # noqa: BLE001 - as in judging
                    first.error = error
            else:
                first.error = result
            for other in alike[1:]:
                other.kept, other.error, other.cached = first.kept, first.error, first.kept is not None

    def outcome(self, inquiry: Inquiry, version: str | None = None, metadata: Metadata | None = None) -> Outcome:
        """The answer to a question whose name is judged. Raises what judging it raised, and InvalidRequest."""
        kept = inquiry.kept
        if kept is None:
            raise inquiry.error or AssertionError("nobody has judged it")
        result, rendered = kept.result, kept.rendered
        engine = inquiry.engine
        if metadata is not None or self._knows:
            result, rendered = self._concluded(engine, kept, inquiry.name, version, metadata)
        seconds = self._clock.monotonic() - inquiry.started
        self._metrics.scan_seconds.observe((), seconds)
        self._metrics.scans.add((engine.ecosystem.value, result.verdict.value, "true" if inquiry.cached else "false"))
        return Outcome(next(self._ids), result, rendered, inquiry.cached, seconds)

    def warm(self, ecosystem: str, name: str) -> None:
        """Judges a name before anybody asks, and counts nothing. Raises EcosystemUnknown, NameRefused."""
        engine = self._engines.engine(ecosystem)
        parsed = parse_name(engine.ecosystem, name)
        self.keep(engine, parsed, engine.judge(Package(engine.ecosystem, parsed.raw), parsed))

    def recall(self, engine: Engine, name: Name) -> Kept | None:
        """What the cache holds of a name, where it rests on what the engine does."""
        kept = self.cache.get((engine.ecosystem, name.identity))
        return kept if kept is not None and kept.basis == engine.basis else None

    def keep(self, engine: Engine, name: Name, result: ScanResult) -> Kept:
        """Keeps the judgement by name alone."""
        kept = Kept(engine.basis, result, Rendered.of(result))
        self.cache.put((engine.ecosystem, name.identity), kept, kept.size)
        return kept

    def _concluded(
        self, engine: Engine, kept: Kept, name: Name, version: str | None, metadata: Metadata | None
    ) -> tuple[ScanResult, Rendered]:
        today = datetime.fromtimestamp(self._clock.wall(), UTC).date()
        _refuse_future(metadata, today)
        plain = version is None and metadata is None
        known = kept.concluded
        if plain and known is not None and known[0] is self._knowledge and known[1] == today:
            return known[2], known[3]
        result = replace(kept.result, package=Package(engine.ecosystem, name.raw, version))
        result = conclude(result, name, self._knowledge, metadata, today, engine)
        rendered = Rendered.of(result)
        if plain:
            kept.concluded = (self._knowledge, today, result, rendered)
        return result, rendered

    def reconsidered(self, result: ScanResult, metadata: Metadata | None, reported: Reported | None) -> ScanResult:
        """A judgement concluded anew, with what others know of the package. Counts nothing: the name was judged before.

        Args:
            result: the judgement without it.
            metadata: facts about the package and its target.
            reported: what is known of the package as malware.
        """
        package = result.package
        engine = self._engines.engine(package.ecosystem)
        parsed = parse_name(engine.ecosystem, package.name)
        today = datetime.fromtimestamp(self._clock.wall(), UTC).date()
        judged = engine.judge(package, parsed)
        return conclude(judged, parsed, self._knowledge, metadata, today, engine, reported)


def _judged(inquiry: Inquiry) -> ScanResult | Exception:
    engine, name = inquiry.engine, inquiry.name
    try:
        return engine.judge(Package(engine.ecosystem, name.raw), name)
    except Exception as error:  # noqa: BLE001 - whoever asked is told; the others' answers do not depend on it
        return error


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
