"""The three custom resources as pydantic models: the source of `crds/` and of our own parsing.

Attribute docstrings become the descriptions that `kubectl explain` shows; `json_schema_extra` carries what only
Kubernetes knows (CEL rules, list types). `hack/gen_crds.py` turns the models into structural schemas.
"""

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import ConfigDict, Field, ValidationError

from typosentinel_operator import names
from typosentinel_operator.cachespec import ENCRYPTION_KEY_REFERENCE, REDIS_URL_REFERENCE, CachePolicySpec
from typosentinel_operator.errors import Permanent
from typosentinel_operator.fields import (
    SHA256_PATTERN,
    URL_PATTERN,
    Conditions,
    ConfigMapReference,
    Duration,
    Ecosystem,
    Model,
    ObservedGeneration,
    PolicyReference,
    Quantity,
    SecretKeyReference,
    between,
    rules,
)
from typosentinel_operator.scalingspec import ScalingPolicySpec
from typosentinel_operator.servingspec import API_KEYS_REFERENCE, Providers, RateLimits, Workers

# Where a spec refers to ConfigMaps.
CORPUS_REFERENCE: Final = "spec.corpus.source.configMapRef"
PRIVATE_NAMES_REFERENCE: Final = "spec.corpus.privateNamesRef"
ALLOW_LIST_REFERENCE: Final = "spec.detection.allowListRef"
# Those of them that hold one document: what the server calls it, and under which key it stands.
DOCUMENTS: Final = {
    PRIVATE_NAMES_REFERENCE: (names.PRIVATE_NAMES, names.PRIVATE_NAMES_KEY),
    ALLOW_LIST_REFERENCE: (names.ALLOW_LIST, names.ALLOW_LIST_KEY),
}
# Where a CachePolicy refers to Secrets.
POLICY_SECRETS: Final = (REDIS_URL_REFERENCE, ENCRYPTION_KEY_REFERENCE)
LogLevel = Literal["Debug", "Info", "Warning", "Error"]


# A structural schema can't name a map's keys, CEL can.
_CPU_AND_MEMORY: Final = rules(
    ("self.all(key, key in ['cpu', 'memory'])", "takes cpu and memory and nothing else"),
    # The pattern of a quantity looks at strings only, and a number needs no quotes.
    ("self.all(key, type(self[key]) == string || int(self[key]) >= 0)", "takes no negative quantity"),
)


def _request_fits(resource: str) -> tuple[str, str]:
    both = f"has(self.requests) && '{resource}' in self.requests && has(self.limits) && '{resource}' in self.limits"
    fits = f"quantity(string(self.requests['{resource}'])).compareTo(quantity(string(self.limits['{resource}']))) <= 0"
    return f"!({both}) || {fits}", f"requests.{resource} must not be greater than limits.{resource}"


class ComputeResources(Model):
    """Compute resources of each scanner pod; a key that is left out keeps its default."""

    model_config = ConfigDict(json_schema_extra=rules(_request_fits("cpu"), _request_fits("memory")))

    requests: Annotated[
        dict[Literal["cpu", "memory"], Quantity], Field(max_length=2, json_schema_extra=_CPU_AND_MEMORY)
    ] = {}
    """What the scheduler reserves for a pod: cpu in cores (100m), memory in bytes (192Mi)."""
    limits: Annotated[
        dict[Literal["cpu", "memory"], Quantity], Field(max_length=2, json_schema_extra=_CPU_AND_MEMORY)
    ] = {}
    """What a pod can use at most: cpu in cores (2), memory in bytes (512Mi)."""


class BuiltinCorpus(Model):
    """The lists that the scanner's image carries."""


class CorpusSource(Model):
    """Where lists of popular names come from: one of these."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "[has(self.builtin), has(self.configMapRef), has(self.url)].filter(given, given).size() == 1",
                "give exactly one of builtin, configMapRef, url",
            ),
            ("!has(self.sha256) || has(self.url)", "sha256 belongs to url"),
        )
    )

    builtin: BuiltinCorpus | None = None
    """The lists that the scanner's image carries."""
    config_map_ref: ConfigMapReference | None = None
    """ConfigMap with lists such as pypi.csv or pypi.csv.xz, and perhaps manifest.json, as its keys."""
    url: Annotated[str, Field(pattern=URL_PATTERN, max_length=2048)] | None = None
    """Address of an archive made by typosentinel corpus build; without credentials in it."""
    sha256: Annotated[str, Field(pattern=SHA256_PATTERN)] | None = None
    """SHA-256 of the archive. Default: what the file beside it says, at the same address with .sha256."""


class CorpusSpec(Model):
    """The lists of popular names that names are compared with."""

    # The server's own bounds: what it would refuse must not get as far as a ConfigMap.
    model_config = ConfigDict(
        json_schema_extra=rules(
            between("refreshInterval", "10s", "168h"),
            between("maxAge", "1s", "87600h"),
        )
    )

    source: CorpusSource | None = None
    """Where the lists come from. Default: the scanner's image."""
    refresh_interval: Duration = "6h"
    """Time between two looks at the source; a changed ConfigMap is noticed sooner."""
    max_age: Duration | None = None
    """Age of a list from which scanners call themselves degraded; they stay ready. Default: none is ever too old."""
    max_loss_percent: Annotated[int, Field(ge=0, le=100, json_schema_extra={"format": "int32"})] = 50
    """A list that lost more of its names than this is refused, and the old one stays; 100: any loss is taken."""
    private_names_ref: ConfigMapReference | None = None
    """ConfigMap with your own registry's names: a document of kind PrivateNames under the key private-names.yaml."""


class DetectionSpec(Model):
    """What is known besides the lists of popular names."""

    allow_list_ref: ConfigMapReference | None = None
    """ConfigMap with names that somebody vouches for: a document of kind AllowList under the key allow-list.yaml."""


class ScanServiceSpec(Model):
    """What the fleet of scanners should look like."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!(has(self.replicas) && has(self.scalingPolicyRef))",
                "replicas and scalingPolicyRef exclude each other: the policy decides about the number of replicas",
            )
        )
    )

    image: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^\S+$")] | None = None
    """Image of the scanner, full name with tag or digest. Default: the one that the operator was released with."""
    resources: ComputeResources = ComputeResources()
    """Compute resources of each scanner pod."""
    ecosystems: (
        Annotated[
            list[Ecosystem],
            Field(min_length=1, max_length=7, json_schema_extra={"x-kubernetes-list-type": "set"}),
        ]
        | None
    ) = None
    """Ecosystems to serve, in OSV's spelling. Default: all of them."""
    corpus: CorpusSpec | None = None
    """The lists of popular names. Default: those that the scanner's image carries."""
    detection: DetectionSpec | None = None
    """What is known besides the lists of popular names. Default: nothing."""
    replicas: Annotated[int, Field(ge=0, le=1000, json_schema_extra={"format": "int32"})] | None = None
    """Number of scanner pods. Excludes scalingPolicyRef; 1 where neither is given."""
    rate_limit: RateLimits | None = None
    """How many requests an API key or an address may send. Default: any number."""
    workers: Workers | None = None
    """Processes in each pod. Default: one that answers, and the scanner's own settings for large batches."""
    providers: Providers | None = None
    """Who is asked for metadata of names that look like something else. Default: nobody."""
    cache_policy_ref: PolicyReference | None = None
    """CachePolicy in the same namespace. Default: the scanner's own cache settings."""
    scaling_policy_ref: PolicyReference | None = None
    """ScalingPolicy in the same namespace. Default: a fixed number of replicas."""
    log_level: LogLevel = "Info"
    """Least severe level that the scanner logs; changes take effect without a restart."""


def config_maps(spec: ScanServiceSpec) -> dict[str, str]:
    """The ConfigMaps that a spec refers to: names by the path of the field."""
    corpus, detection = spec.corpus, spec.detection
    source = corpus.source if corpus else None
    references = {
        CORPUS_REFERENCE: source.config_map_ref if source else None,
        PRIVATE_NAMES_REFERENCE: corpus.private_names_ref if corpus else None,
        ALLOW_LIST_REFERENCE: detection.allow_list_ref if detection else None,
    }
    return {field: reference.name for field, reference in references.items() if reference}


def secrets(spec: ScanServiceSpec, cache: CachePolicySpec | None) -> dict[str, SecretKeyReference]:
    """The Secrets that a spec and its CachePolicy refer to, by the path of the field in the object that has it."""
    redis, encryption = (cache.redis, cache.encryption) if cache else (None, None)
    references = {
        REDIS_URL_REFERENCE: redis.external.url_secret_ref if redis else None,
        ENCRYPTION_KEY_REFERENCE: encryption.key_secret_ref if encryption else None,
        API_KEYS_REFERENCE: spec.rate_limit.api_keys_secret_ref if spec.rate_limit else None,
    }
    return {field: reference for field, reference in references.items() if reference}


class ScanServiceStatus(Model):
    """What the operator last saw of the fleet."""

    observed_generation: ObservedGeneration = -1
    """Generation of the spec that this status speaks of; -1 until the operator has looked at the object."""
    replicas: Annotated[int, Field(json_schema_extra={"format": "int32"})] | None = None
    """Number of scanner pods that exist."""
    ready_replicas: Annotated[int, Field(json_schema_extra={"format": "int32"})] | None = None
    """Number of scanner pods that answer."""
    selector: str | None = None
    """Label selector of the scanner pods, for the scale subresource."""
    endpoint: str | None = None
    """Address inside the cluster at which scans are answered."""
    configuration_hash: str | None = None
    """SHA-256 of the configuration document that the pods should run with."""
    conditions: Conditions = []
    """Ready, Reconciling and Stalled say whether the spec is realised; the other conditions say how it goes."""


class PolicyStatus(Model):
    """What the operator last saw of the policy."""

    observed_generation: ObservedGeneration = -1
    """Generation of the spec that this status speaks of; -1 until the operator has looked at the object."""
    users: Annotated[int, Field(json_schema_extra={"format": "int32"})] | None = None
    """Number of ScanServices that refer to this policy."""
    conditions: Conditions = []
    """Ready says whether the policy can be used."""


SPECS: Final[dict[str, type[Model]]] = {
    names.SCAN_SERVICE.name: ScanServiceSpec,
    names.CACHE_POLICY.name: CachePolicySpec,
    names.SCALING_POLICY.name: ScalingPolicySpec,
}

Spec = TypeVar("Spec", bound=Model)


def parse(model: type[Spec], manifest: dict[str, Any]) -> Spec:
    """Read the spec of a custom resource.

    The API server has checked it against the CRD; what fails here was written under another version of it.

    Raises:
        Permanent: reason InvalidSpec; the message names each field and what it takes.
    """
    try:
        return model.model_validate(manifest.get("spec") or {})
    except ValidationError as error:
        problems = "; ".join(
            f"spec.{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}" for detail in error.errors()
        )
        raise Permanent(names.Reason.INVALID_SPEC, f"{manifest['kind']} can't be read: {problems}") from None
