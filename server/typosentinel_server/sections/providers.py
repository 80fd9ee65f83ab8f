"""The part of the configuration document that names metadata providers. None is built in."""

import re
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from typosentinel_server.addresses import Network, may_connect, parse_network, parse_place
from typosentinel_server.durations import ALLOWED
from typosentinel_server.errors import DomainError, did_you_mean
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem
from typosentinel_server.sections.corpus import Path, Section, seconds

MAX_TIMEOUT: Final = 30.0
MAX_CONCURRENCY: Final = 1000
MAX_PROVIDERS: Final = 50
MAX_BODY: Final = 64 * 2**20
NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
SIZE: Final = re.compile(r"([0-9]{1,6})(Ki|Mi)")
PLACEHOLDER: Final = re.compile(r"\{([a-z]*)\}")


class Shape(StrEnum):
    """The forms of answers that are understood, named after the registries whose form it is."""

    PYPI = "PyPI"
    PYPI_STATS = "PyPIStats"
    NPM = "npm"
    NPM_DOWNLOADS = "npmDownloads"
    CRATES = "crates.io"
    CRATES_OWNERS = "crates.ioOwners"
    RUBYGEMS = "RubyGems"
    RUBYGEMS_VERSIONS = "RubyGemsVersions"
    RUBYGEMS_OWNERS = "RubyGemsOwners"
    NUGET_REGISTRATION = "NuGetRegistration"
    NUGET_SEARCH = "NuGetSearch"
    GO_PROXY = "GoProxy"
    MAVEN_SEARCH = "MavenSearch"


SHAPES_OF: Final[dict[Ecosystem, tuple[Shape, ...]]] = {
    Ecosystem.PYPI: (Shape.PYPI, Shape.PYPI_STATS),
    Ecosystem.NPM: (Shape.NPM, Shape.NPM_DOWNLOADS),
    Ecosystem.CRATES: (Shape.CRATES, Shape.CRATES_OWNERS),
    Ecosystem.RUBYGEMS: (Shape.RUBYGEMS, Shape.RUBYGEMS_VERSIONS, Shape.RUBYGEMS_OWNERS),
    Ecosystem.NUGET: (Shape.NUGET_REGISTRATION, Shape.NUGET_SEARCH),
    Ecosystem.GO: (Shape.GO_PROXY,),
    Ecosystem.MAVEN: (Shape.MAVEN_SEARCH,),
}
VERSION_LIST: Final = "/@v/list"


class When(StrEnum):
    """Which names providers are asked about: those that would be flagged, or all."""

    FLAGGED = "Flagged"
    ALWAYS = "Always"


# What each field takes, in words: (what it is, what is allowed).
ALLOWED_VALUES: Final[dict[str, tuple[str, str]]] = {
    "providers.when": ("occasion", ", ".join(When)),
    "providers.timeout": ("timeout", f"{ALLOWED}, from 10ms to {MAX_TIMEOUT:g}s"),
    "providers.maxConcurrency": ("number of requests", f"whole numbers 1 to {MAX_CONCURRENCY}"),
    "providers.maxBytes": ("size", "a whole number of Ki or Mi, such as 512Ki or 4Mi, from 1Ki to 64Mi"),
}


def _member(kind: type[StrEnum]) -> BeforeValidator:
    # The strict model takes the member alone, and the document holds its text.
    def read(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, str) or value not in set(kind):
            raise ValueError(f"{did_you_mean(str(value), kind)}Allowed: {', '.join(kind)}")
        return kind(value)

    return BeforeValidator(read)


def _ecosystem(value: Any) -> Ecosystem:
    if not isinstance(value, str):
        raise ValueError("an ecosystem is a text")  # noqa: TRY004 - pydantic takes a ValueError
    try:
        return parse_ecosystem(value)
    except DomainError as error:
        raise ValueError(f"{error.message}. {error.suggestion}") from error


def _network(value: Any) -> Network:
    if not isinstance(value, str):
        raise ValueError("a network is a text such as 10.0.0.0/8")  # noqa: TRY004 - pydantic takes a ValueError
    return parse_network(value)


def _size(value: Any) -> int:
    found = SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a size is a whole number of Ki or Mi")
    return int(found[1]) * {"Ki": 2**10, "Mi": 2**20}[found[2]]


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("a provider's name is 1 to 63 letters, digits, '.', '_' and '-'")
    return value


def _url(value: str) -> str:
    if re.sub(PLACEHOLDER, "", value).count("{") or re.sub(PLACEHOLDER, "", value).count("}"):
        raise ValueError("braces in an address stand around {name}, {group} or {artifact}")
    parse_place(PLACEHOLDER.sub("x", value))
    head = "/".join(value.split("/", 3)[:3])
    if "{" in head.partition("?")[0]:
        raise ValueError("a name may stand in the path or the query of an address, never in its host")
    return value


def _plain_url(value: str) -> str:
    if PLACEHOLDER.search(value):
        raise ValueError("this address is the same for every package")
    return _url(value)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Url = Annotated[str, Field(max_length=2048), AfterValidator(_url)]
PlainUrl = Annotated[str, Field(max_length=2048), AfterValidator(_plain_url)]


def _over_tls(url: str, token_file: str | None) -> None:
    if token_file is not None and not url.startswith("https://"):
        raise ValueError("a token is sent over https:// only")


class RegistryProvider(Section):
    """A source of facts about the packages of one registry.

    Attributes:
        ecosystem: whose packages.
        shape: the form of its answers; the registry's usual one where left out.
        url: the address of a package, with {name} in it; for Maven {group} and {artifact}.
        name: as metrics and answers call it; the shape where left out.
        token_file: a file with a token to send as `Authorization: Bearer`.
    """

    ecosystem: Annotated[Ecosystem, BeforeValidator(_ecosystem)]
    shape: Annotated[Shape, _member(Shape)] | None = None
    url: Url
    name: Annotated[str, AfterValidator(_name)] | None = None
    token_file: Path | None = None

    @property
    def kind(self) -> Shape:
        """The form of its answers."""
        return self.shape or SHAPES_OF[self.ecosystem][0]

    @property
    def known_as(self) -> str:
        """What it is called."""
        return self.name or self.kind.value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind not in SHAPES_OF[self.ecosystem]:
            allowed = ", ".join(SHAPES_OF[self.ecosystem])
            raise ValueError(f"the shape {self.kind} is no form of {self.ecosystem}'s answers; allowed: {allowed}")
        given = sorted(PLACEHOLDER.findall(self.url))
        wanted = ["artifact", "group"] if self.ecosystem is Ecosystem.MAVEN else ["name"]
        if given != wanted:
            raise ValueError(f"the address holds, in braces, {' and '.join(wanted)} once and nothing else")
        if self.kind is Shape.GO_PROXY and not self.url.endswith("{name}" + VERSION_LIST):
            raise ValueError(f"the address of a Go proxy ends in {{name}}{VERSION_LIST}")
        _over_tls(self.url, self.token_file)
        return self


class VulnerabilityProvider(Section):
    """A source of known vulnerabilities and malware that answers as OSV's /v1/query does.

    Attributes:
        url: where the query is posted.
        name: as metrics and answers call it.
        token_file: a file with a token to send as `Authorization: Bearer`.
    """

    url: PlainUrl
    name: Annotated[str, AfterValidator(_name)] = "vulnerabilities"
    token_file: Path | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _over_tls(self.url, self.token_file)
        return self


class ProviderSettings(Section):
    """Who is asked about packages, and how long and how much.

    Attributes:
        when: which names they are asked about.
        registries: sources of facts; of two that know the same, the first counts.
        vulnerabilities: the source of known vulnerabilities and malware.
        timeout: seconds that all evidence for one scan may take.
        max_concurrency: requests to one provider at once; one more is not sent.
        max_bytes: of one answer, unpacked.
        allow_private: networks that may be connected to although they are not public.
    """

    when: Annotated[When, _member(When)] = When.FLAGGED
    registries: Annotated[tuple[RegistryProvider, ...], BeforeValidator(_tuple), Field(max_length=MAX_PROVIDERS)] = ()
    vulnerabilities: VulnerabilityProvider | None = None
    timeout: Annotated[float, BeforeValidator(seconds), Field(ge=0.01, le=MAX_TIMEOUT)] = 2.0
    max_concurrency: Annotated[int, Field(ge=1, le=MAX_CONCURRENCY)] = 32
    max_bytes: Annotated[int, BeforeValidator(_size), Field(ge=1024, le=MAX_BODY)] = 4 * 2**20
    allow_private: Annotated[
        tuple[Annotated[Network, BeforeValidator(_network)], ...],
        BeforeValidator(_tuple),
        Field(max_length=MAX_PROVIDERS),
    ] = ()

    @property
    def configured(self) -> bool:
        """Whether there is anybody to ask."""
        return bool(self.registries) or self.vulnerabilities is not None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = [(f"registries.{n}", one.known_as, one.url) for n, one in enumerate(self.registries)]
        if self.vulnerabilities is not None:
            named.append(("vulnerabilities", self.vulnerabilities.name, self.vulnerabilities.url))
        seen: set[str] = set()
        for field, name, url in named:
            if name in seen:
                raise ValueError(f"{field}: there is a provider {name} already; give this one another name")
            seen.add(name)
            number = parse_place(PLACEHOLDER.sub("x", url)).number
            if number is not None and not may_connect(str(number), self.allow_private):
                raise ValueError(f"{field}.url: {number} is not public; allowPrivate may allow its network")
        return self
