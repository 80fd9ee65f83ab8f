"""The server's configuration document: what an operator writes and what the server obeys.

The document is YAML. It is read whole or refused whole, with file, line and field.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from typosentinel_server.document import Document, Place, parse_document
from typosentinel_server.errors import ConfigurationInvalid, did_you_mean, shown
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.sections import cache, corpus, limits, providers, server, workers
from typosentinel_server.sections.cache import CacheSettings, read_ecosystem
from typosentinel_server.sections.corpus import CorpusSettings, Section
from typosentinel_server.sections.limits import LimitSettings
from typosentinel_server.sections.providers import ProviderSettings
from typosentinel_server.sections.server import ServerSettings
from typosentinel_server.sections.workers import WorkerSettings

MAX_EVERY = 1_000_000
API_VERSION: Final = "typosentinel.io/v1alpha1"
KIND: Final = "ServerConfiguration"


class LogLevel(StrEnum):
    """How much the server logs."""

    DEBUG = "Debug"
    INFO = "Info"
    WARNING = "Warning"
    ERROR = "Error"


PATH = ("path", "a file, absolute or as seen from this document's directory")
# What each field takes, in words: (what it is, what is allowed).
ALLOWED_VALUES: dict[str, tuple[str, str]] = {
    "apiVersion": ("version that is read here", API_VERSION),
    "kind": ("kind that is read here", KIND),
    "logLevel": ("log level", ", ".join(LogLevel)),
    "accessLog.every": ("number of requests", f"whole numbers 0 to {MAX_EVERY}"),
    "detection.allowList": PATH,
    "detection.privateNames": PATH,
    "detection.malware": PATH,
    **cache.ALLOWED_VALUES,
    **corpus.ALLOWED_VALUES,
    **workers.ALLOWED_VALUES,
    **server.ALLOWED_VALUES,
    **providers.ALLOWED_VALUES,
    **limits.ALLOWED_VALUES,
}


def _log_level(value: Any) -> Any:
    # The strict model takes the member alone, and the document holds its text.
    return LogLevel(value) if isinstance(value, str) and value in set(LogLevel) else value


def _each_once(value: tuple[Ecosystem, ...]) -> tuple[Ecosystem, ...]:
    if len(set(value)) != len(value):
        raise ValueError("an ecosystem is named twice")
    return value


FilePath = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]


class DetectionSettings(Section):
    """Lists that say more than a name does; paths as seen from the document's directory.

    Attributes:
        allow_list: a document of kind AllowList.
        private_names: a document of kind PrivateNames.
        malware: a CSV file, or a directory of OSV records.
        registry_index: all names of a registry, by ecosystem.
    """

    allow_list: FilePath | None = None
    private_names: FilePath | None = None
    malware: FilePath | None = None
    registry_index: dict[Annotated[Ecosystem, BeforeValidator(read_ecosystem)], FilePath] = Field(default_factory=dict)


class AccessLogSettings(Section):
    """Log lines about requests.

    Attributes:
        every: one of so many requests gets a line, 0: none; those that fail by our fault or take long always do.
    """

    every: Annotated[int, Field(ge=0, le=MAX_EVERY)] = 100


class Settings(Section):
    """Everything that can be configured, with its defaults.

    Attributes:
        ecosystems: the ones to serve; None for all that a list is on board for.
        cache: the verdict cache.
        corpus: where lists of popular names come from.
        detection: what is known besides the lists of popular names.
        workers: the processes that judge large batches.
        server: what a stranger's connection may cost.
        providers: who is asked about packages.
        log_level: the least severe messages that are logged.
        access_log: log lines about requests.
    """

    api_version: Literal["typosentinel.io/v1alpha1"] = API_VERSION
    kind: Literal["ServerConfiguration"] = KIND
    ecosystems: (
        Annotated[
            tuple[Annotated[Ecosystem, BeforeValidator(read_ecosystem)], ...],
            BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v),
            AfterValidator(_each_once),
            Field(min_length=1),
        ]
        | None
    ) = None
    cache: CacheSettings = CacheSettings()
    corpus: CorpusSettings = CorpusSettings()
    detection: DetectionSettings = DetectionSettings()
    workers: WorkerSettings = WorkerSettings()
    server: ServerSettings = ServerSettings()
    providers: ProviderSettings = ProviderSettings()
    limits: LimitSettings = LimitSettings()
    log_level: Annotated[LogLevel, BeforeValidator(_log_level)] = LogLevel.INFO
    access_log: AccessLogSettings = AccessLogSettings()


def parse_settings(content: bytes, where: str, available: tuple[Ecosystem, ...] | None = None) -> Settings:
    """Settings from the bytes of a document.

    Args:
        content: YAML in UTF-8, at most 64 KiB.
        where: the file's name, for messages.
        available: the ecosystems that there are lists for on board; None where nobody knows yet. What another source
            of lists than the built-in one holds is seen when it is read.

    Raises:
        ConfigurationInvalid: with one line `file:line: field: what is wrong` for each mistake.
    """
    document = parse_document(content, where)
    missing = [key for key in ("apiVersion", "kind") if key not in document.content]
    mistakes = [f"{where}:1: {key}: it is missing; allowed: {ALLOWED_VALUES[key][1]}" for key in missing]
    try:
        settings = Settings.model_validate(document.content)
    except ValidationError as error:
        mistakes += [_mistake(document, where, detail) for detail in error.errors(include_url=False)]
        raise _refused(mistakes) from error
    builtin = settings.corpus.source.builtin is not None
    for n, ecosystem in enumerate(settings.ecosystems or ()):
        if builtin and available is not None and ecosystem not in available:
            line = document.line_of(("ecosystems", n))
            mistakes.append(
                f"{where}:{line}: ecosystems.{n}: there is no list of popular names for {ecosystem}; "
                f"allowed: {', '.join(available)}"
            )
    if mistakes:
        raise _refused(mistakes)
    return settings


def _refused(mistakes: list[str]) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        "CONFIGURATION_INVALID", "\n".join(mistakes), "Correct the document; nothing of it was applied."
    )


def _mistake(document: Document, where: str, detail: Any) -> str:
    # pydantic adds the branch of a union to the place; the document knows no such key.
    named = detail["type"] in ("extra_forbidden", "missing")
    place = tuple(
        part
        for n, part in enumerate(detail["loc"], 1)
        if part in document.parts or isinstance(part, int) or (named and n == len(detail["loc"]))
    )
    line = document.line_of(place)
    field = ".".join(str(part) for part in place) or "document"
    given = shown(str(document.value_at(place))) if place in document.lines else ""
    return f"{where}:{line}: {field}: {_explained(detail, place, field, given)}"


def _explained(detail: Any, place: Place, field: str, given: str) -> str:
    if detail["type"] == "extra_forbidden":
        fields = _fields_at(place[:-1])
        return f"there is no such field. {did_you_mean(str(place[-1]), fields)}Allowed: {', '.join(fields)}"
    if detail["type"] == "missing":
        return "it is missing"
    if detail["type"] == "model_type":
        return f"{given} is no mapping; allowed: {', '.join(_fields_at(place))}"
    if detail["type"] in ("too_short", "tuple_type"):
        return f"this is no list of ecosystems; allowed: one or more of {', '.join(Ecosystem)}"
    if field in ALLOWED_VALUES:
        noun, allowed = ALLOWED_VALUES[field]
        return f"{given} is no {noun}; allowed: {allowed}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, also where it may be left out; None for a plain value."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _fields_at(place: Place) -> list[str]:
    model: type[BaseModel] = Settings
    for part in place:
        if isinstance(part, int):
            continue  # an item of a list is the section that the list is made of
        nested = model_of({f.alias: f.annotation for f in model.model_fields.values()}.get(str(part)))
        if nested is None:
            return []
        model = nested
    return [field.alias or name for name, field in model.model_fields.items()]
