"""What a ScanService's spec says of serving: rate limits, workers, providers of metadata.

Bounds are the server's own: what it would refuse must not get as far as a ConfigMap.
"""

from ipaddress import IPv4Address, ip_network
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from typosentinel_operator.fields import (
    Duration,
    Ecosystem,
    Model,
    Networks,
    SecretKeyReference,
    WholeSeconds,
    between,
    map_list,
    rules,
)

# Where a ScanService refers to Secrets.
API_KEYS_REFERENCE: Final = "spec.rateLimit.apiKeysSecretRef"
# The server's spelling of both; a contract test holds them against it.
Endpoint = Literal["Scan", "Batch"]
Shape = Literal[
    "PyPI",
    "PyPIStats",
    "npm",
    "npmDownloads",
    "crates.io",
    "crates.ioOwners",
    "RubyGems",
    "RubyGemsVersions",
    "RubyGemsOwners",
    "NuGetRegistration",
    "NuGetSearch",
    "GoProxy",
    "MavenSearch",
]
SHAPES: Final[dict[Ecosystem, tuple[Shape, ...]]] = {
    "PyPI": ("PyPI", "PyPIStats"),
    "npm": ("npm", "npmDownloads"),
    "crates.io": ("crates.io", "crates.ioOwners"),
    "RubyGems": ("RubyGems", "RubyGemsVersions", "RubyGemsOwners"),
    "NuGet": ("NuGetRegistration", "NuGetSearch"),
    "Go": ("GoProxy",),
    "Maven": ("MavenSearch",),
}

_Requests = Annotated[int, Field(ge=1, le=1_000_000, json_schema_extra={"format": "int32"})]
_LIMIT: Final = rules(
    between("window", "1s", "24h"),
    ("!has(self.burst) || self.burst <= self.requests", "burst must not be greater than requests"),
)

# A name of labels or four decimal numbers, a port, and a path of what every reader of addresses reads alike.
_LABEL: Final = "[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_PORT: Final = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
INTERFACE_PATTERN: Final = rf"^https?://{_LABEL}(\.{_LABEL})*(:({_PORT}))?/[!$-;=?-Z_a-z{{}}~]*$"
_Address = Annotated[str, Field(pattern=INTERFACE_PATTERN, max_length=1024)]
_BYTE: Final = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOSTED: Final = (
    # A host that ends in a number is a number, whatever the rest looks like.
    (
        "!self.url.matches('^https?://([^/:]*[.])?([0-9]+|0[xX][0-9a-fA-F]*)(:[0-9]+)?/')"
        f" || self.url.matches('^https?://({_BYTE}[.]){{3}}{_BYTE}(:[0-9]+)?/')"
    ),
    "the host in url must be a name or a whole IPv4 address such as 192.0.2.7",
)
_SHORT: Final = ("!self.url.matches('^https?://[^/:]{254}')", "the host in url must have 253 characters at most")
_ONE: Final = "[^{}]*"
_NAMED: Final = (
    f"self.ecosystem == 'Maven' || self.url.matches('^{_ONE}[{{]name[}}]{_ONE}$')",
    "url must contain {name} once, and no other braces",
)
_NAMED_MAVEN: Final = (
    (
        "self.ecosystem != 'Maven' || (self.url.contains('{group}') && self.url.contains('{artifact}')"
        f" && self.url.matches('^({_ONE}[{{][a-z]+[}}]){{2}}{_ONE}$'))"
    ),
    "url must contain {group} and {artifact} once each, and no other braces",
)
_NAMED_GO: Final = (
    "self.ecosystem != 'Go' || self.url.endsWith('{name}/@v/list')",
    "url of a Go proxy must end in {name}/@v/list",
)
_SHAPED: Final = (
    " || ".join(
        f"(self.ecosystem == '{ecosystem}' && self.shape in [{', '.join(map(repr, shapes))}])"
        for ecosystem, shapes in SHAPES.items()
    ),
    "shape must be one of this ecosystem's, see the reference of custom resources",
)


class RateLimit(Model):
    """A limit for each API key or address."""

    model_config = ConfigDict(json_schema_extra=_LIMIT)

    requests: _Requests
    """Requests within any one window; a batch counts as many as it has names."""
    window: WholeSeconds = "1m"
    """Length of the window, in whole seconds."""
    burst: _Requests | None = None
    """Requests that may come at once. Default: as many as within a window."""


class EndpointRateLimit(Model):
    """A limit of its own for one endpoint."""

    model_config = ConfigDict(json_schema_extra=_LIMIT)

    endpoint: Endpoint
    """Which endpoint. Batch counts names, not requests."""
    requests: _Requests
    """Requests within any one window; a batch counts as many as it has names."""
    window: WholeSeconds = "1m"
    """Length of the window, in whole seconds."""
    burst: _Requests | None = None
    """Requests that may come at once. Default: as many as within a window."""


class RateLimits(Model):
    """Rate limits, shared by all pods where the CachePolicy has a Redis; else each pod has the whole limit."""

    default: RateLimit | None = None
    """What holds for endpoints without a limit of their own. Default: no limit."""
    per_endpoint: Annotated[list[EndpointRateLimit], Field(max_length=2, json_schema_extra=map_list("endpoint"))] = []
    """Limits of single endpoints."""
    trusted_proxies: Networks = []
    """Networks of proxies whose X-Forwarded-For is believed. Default: none; the peer's address counts."""
    api_keys_secret_ref: SecretKeyReference | None = None
    """Key of a Secret with the hashes of known API keys. Default: only addresses are told apart."""


class WorkerPool(Model):
    """Processes that take large batches off the one that answers."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            # The default of an empty object is checked before its own fields have their defaults.
            ("!has(self.min) || !has(self.max) || self.min <= self.max", "min must not be greater than max"),
            between("timeout", "1s", "1h"),
        )
    )

    min: Annotated[int, Field(ge=0, le=64, json_schema_extra={"format": "int32"})] = 2
    """Processes that are kept once there was a large batch."""
    max: Annotated[int, Field(ge=1, le=64, json_schema_extra={"format": "int32"})] = 10
    """Processes at most; each takes memory of the pod's limit."""
    queue: Annotated[int, Field(ge=1, le=100_000, json_schema_extra={"format": "int32"})] = 1000
    """Parts of batches that wait at most; beyond that batches are refused with 503."""
    timeout: Duration = "300s"
    """Time that one batch may take."""


class Workers(Model):
    """Processes in each pod."""

    processes: Annotated[int, Field(ge=1, le=64, json_schema_extra={"format": "int32"})] | None = None
    """Server processes in each pod, on one port; a change rolls the pods. Default: 1."""
    pool: WorkerPool | None = None
    """Processes for large batches. Default: the scanner's own settings."""


class Registry(Model):
    """A registry's interface for metadata."""

    model_config = ConfigDict(json_schema_extra=rules(_HOSTED, _SHORT, _NAMED, _NAMED_MAVEN, _NAMED_GO, _SHAPED))

    ecosystem: Ecosystem
    """Whose names it is asked about, in OSV's spelling."""
    shape: Shape
    """The form of its answers, named after the registry whose form it is."""
    url: _Address
    """Address with {name}, for Maven {group} and {artifact}, where they belong; without credentials in it."""


class Vulnerabilities(Model):
    """A database of known vulnerabilities and malware."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _HOSTED, _SHORT, ("!self.url.matches('[{}]')", "url is the same for every package: no braces")
        )
    )

    url: _Address
    """Address of a query interface of OSV's form; without credentials in it."""


class Providers(Model):
    """Who is asked for metadata of names that look like something else."""

    model_config = ConfigDict(json_schema_extra=rules(between("timeout", "10ms", "30s")))

    registries: Annotated[list[Registry], Field(max_length=13, json_schema_extra=map_list("ecosystem", "shape"))] = []
    """Registries' interfaces."""
    vulnerabilities: Vulnerabilities | None = None
    """A database of known vulnerabilities and malware. Default: none."""
    when: Literal["Flagged", "Always"] = "Flagged"
    """Of which names: those with a finding, or all that are not on a list."""
    timeout: Duration = "2s"
    """Time that all of them together may take; what is not there by then is left out."""
    max_concurrency: Annotated[int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"})] = 32
    """Questions to one provider at the same time, for each pod."""
    allow_private: Networks = []
    """Private networks that a provider's host may be in; also those of hosts given as numbers. Default: none."""

    @model_validator(mode="after")
    def _numbers_are_allowed(self) -> Self:
        """CEL could say this, too, but its estimate of what that costs is beyond the API server's budget."""
        named = {f"registries.{n}.url": one.url for n, one in enumerate(self.registries)}
        if self.vulnerabilities is not None:
            named["vulnerabilities.url"] = self.vulnerabilities.url
        networks = [ip_network(network) for network in self.allow_private]
        for field, url in named.items():
            number = _number(url)
            if number is not None and not any(number in network for network in networks):
                raise ValueError(f"{field}: {number} lies in no network of allowPrivate")
        return self


def _number(url: str) -> IPv4Address | None:
    """The host where it is a number."""
    try:
        return IPv4Address(url.partition("://")[2].partition("/")[0].partition(":")[0])
    except ValueError:
        return None
