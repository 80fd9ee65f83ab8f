"""The wire: what requests and responses look like as JSON."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from pydantic.alias_generators import to_camel

from typosentinel_server.providers.gleaned import State
from typosentinel_server.scan.methods import METHODS
from typosentinel_server.scan.model import Ecosystem, Verdict
from typosentinel_server.wiremetadata import MetadataBody
from typosentinel_server.wirenumbers import WHOLE

# Which names there are is said here and checked where the methods are, so that the refusal can name them all.
MethodName = Annotated[str, Field(json_schema_extra={"enum": [method.name for method in METHODS]})]
Score = Annotated[float, Field(ge=0, le=1)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True, frozen=True)


class ScanRequest(_Wire):
    """A question about one package; names longer than any registry's are refused by the registry's rule."""

    ecosystem: Annotated[str, Field(max_length=100)]
    name: str
    version: Annotated[str, Field(max_length=256)] | None = None
    metadata: MetadataBody | None = None


class ContributionBody(_Wire):
    """One reason and the log-odds that it adds to the finding's score."""

    reason: str
    weight: FiniteFloat


class FindingBody(_Wire):
    """One technique that leads from a popular name to the one asked about."""

    technique: str
    target: str
    target_rank: int | None
    message: str
    score: Score
    contributions: Annotated[list[ContributionBody], Field(min_length=1)]
    cleared: bool = False
    # Only where it is another registry than the name's.
    target_ecosystem: Ecosystem | None = Field(default=None, exclude_if=lambda held: held is None)


class AllowanceBody(_Wire):
    """An entry of the allow-list that applies to the name; what has expired clears nothing."""

    entry: str
    reason: str
    expires: Annotated[date, Field(strict=False)] | None
    target: str | None
    expired: bool


class EvidenceBody(_Wire):
    """What became of asking one provider about one package; the age is null where there is no evidence."""

    provider: str
    package: str
    state: State
    age_seconds: float | None
    stale: bool
    vulnerabilities: list[str]


class ScanResponse(_Wire):
    """The judgement of one package."""

    id: str
    ecosystem: Ecosystem
    name: str
    normalized_name: str
    version: str | None
    verdict: Verdict
    score: Score
    known: bool
    rank: int | None
    targets: list[str]
    findings: list[FindingBody]
    allowances: list[AllowanceBody] = []
    cached: bool
    duration_ms: float
    corpus_version: str
    # Only where providers are configured; empty where none was asked about this name.
    evidence: list[EvidenceBody] | None = Field(default=None, exclude_if=lambda held: held is None)


class LabelledRow(_Wire):
    """One name of which is known what it is: label 1 is an attack, 0 an honest name."""

    ecosystem: Annotated[str, Field(max_length=100)]
    name: str
    target: str = ""
    label: Annotated[Literal[0, 1], WHOLE]
    category: Annotated[str, Field(max_length=100)] = ""


class BenchmarkRequest(_Wire):
    """Labelled names to judge, and the methods whose findings count; all where none are named."""

    rows: Annotated[list[LabelledRow], Field(min_length=1, max_length=10_000)]
    methods: Annotated[list[MethodName], Field(min_length=1, max_length=100)] | None = None


class ErrorBody(_Wire):
    """What went wrong and what to do about it."""

    code: str
    message: str
    suggestion: str
    timestamp: str
    request_id: str


class ErrorResponse(_Wire):
    """Every answer that is no success."""

    error: ErrorBody


class ProblemDetails(_Wire):
    """The same as RFC 9457 has it, for whoever accepts application/problem+json."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    suggestion: str
    timestamp: str
    request_id: str


class ConfigurationBody(_Wire):
    """The configuration in effect; the hash is null for the defaults."""

    hash: str | None
    age_seconds: float
    last_error: str | None


class CorpusBody(_Wire):
    """One list of popular names in use."""

    ecosystem: Ecosystem
    version: str
    names: int
    created_at: str
    age_seconds: float
    stale: bool


class CorpusSourceBody(_Wire):
    """Where the lists come from; times are null where there was none."""

    kind: str
    location: str
    fallback: bool
    last_success_at: str | None
    last_error: str | None


class ListBody(_Wire):
    """One of the lists that the configuration names under `detection`, and whether it is the file's that serves."""

    name: str
    file: str
    hash: str | None
    entries: int
    serving: Literal["current", "earlier", "none"]
    last_error: str | None


class ReadyResponse(_Wire):
    """New requests are welcome; what is not as it should be stands beside it."""

    status: str
    degraded: list[str]


class LiveResponse(_Wire):
    """The event loop makes progress."""

    status: Literal["live"]


class RequestsBody(_Wire):
    """The last requests to the API within five minutes, probes left out; times in seconds, null without any."""

    count: int
    error_ratio: float
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None


class HealthResponse(_Wire):
    """The state of one server."""

    status: str
    version: str
    uptime_seconds: float
    configuration: ConfigurationBody
    corpus: list[CorpusBody]
    corpus_source: CorpusSourceBody
    lists: list[ListBody]
    requests: RequestsBody
    draining: bool
