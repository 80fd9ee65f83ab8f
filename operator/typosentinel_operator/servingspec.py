"""What a ScanService's spec says of serving: rate limits, workers, providers of metadata.

Bounds are the server's own: what it would refuse must not get as far as a ConfigMap.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from typosentinel_operator.fields import (
    INTERFACE_LENGTH,
    URL_PATTERN,
    Duration,
    Ecosystem,
    Model,
    Networks,
    SecretKeyReference,
    between,
    map_list,
    rules,
)

# Where a ScanService refers to Secrets.
API_KEYS_REFERENCE: Final = "spec.rateLimit.apiKeysSecretRef"
# The server's spelling of both; a contract test holds them against it.
Endpoint = Literal["Scan", "Batch"]
Shape = Literal["PyPI", "npm", "crates.io", "RubyGems", "NuGet", "Go", "Maven"]

_Requests = Annotated[int, Field(ge=1, le=1_000_000_000, json_schema_extra={"format": "int32"})]
_Window = between("window", "1s", "24h")
_NAMED: Final = ("self.url.contains('{name}')", "url must contain {name}, which stands for the package asked for")
_Address = Annotated[str, Field(pattern=URL_PATTERN, max_length=INTERFACE_LENGTH)]


class RateLimit(Model):
    """A limit for each API key or address."""

    model_config = ConfigDict(json_schema_extra=rules(_Window))

    requests: _Requests
    """Requests within any one window; a batch counts as many as it has names."""
    window: Duration = "1m"
    """Length of the window."""
    burst: _Requests | None = None
    """Requests that may come at once. Default: as many as within a window."""


class EndpointRateLimit(Model):
    """A limit of its own for one endpoint."""

    model_config = ConfigDict(json_schema_extra=rules(_Window))

    endpoint: Endpoint
    """Which endpoint. Batch counts names, not requests."""
    requests: _Requests
    """Requests within any one window; a batch counts as many as it has names."""
    window: Duration = "1m"
    """Length of the window."""
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

    model_config = ConfigDict(json_schema_extra=rules(_NAMED))

    ecosystem: Ecosystem
    """Whose names it is asked about, in OSV's spelling."""
    shape: Shape
    """The form of its answers: that of this ecosystem's public registry."""
    url: _Address
    """Address with {name} where the package's name belongs; without credentials in it."""


class Vulnerabilities(Model):
    """A database of known vulnerabilities and malware."""

    url: _Address
    """Address of a query interface of OSV's form; without credentials in it."""


class Providers(Model):
    """Who is asked for metadata of names that look like something else."""

    model_config = ConfigDict(json_schema_extra=rules(between("timeout", "10ms", "30s")))

    registries: Annotated[list[Registry], Field(max_length=14, json_schema_extra=map_list("ecosystem", "shape"))] = []
    """Registries' interfaces."""
    vulnerabilities: Vulnerabilities | None = None
    """A database of known vulnerabilities and malware. Default: none."""
    when: Literal["Flagged", "Always"] = "Flagged"
    """Of which names: those with a finding, or all that are not on a list."""
    timeout: Duration = "2s"
    """Time that all of them together may take; what is not there by then is left out."""
    max_concurrency: Annotated[int, Field(ge=1, le=1024, json_schema_extra={"format": "int32"})] = 32
    """Questions to one provider at the same time, for each pod."""
    allow_private: Networks = []
    """Private networks that a provider's host may be in. Default: none; such addresses are never connected to."""
