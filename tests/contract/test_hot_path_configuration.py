"""What the operator writes of Redis, rate limits, workers and providers, and what the server reads of it."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import factories
from hack import gen_crds, golden_update
from typosentinel_operator import fields, names, servingspec
from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.desired import mounts, serverconfig, workload
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.specs import ScanServiceSpec
from typosentinel_server.commands.serve import command
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.settings import Settings, parse_settings

Manifest = dict[str, Any]
HOT_PATH: Path = next(case for case in golden_update.cases() if case.name == "hot-path")
REDIS = {"external": {"urlSecretRef": {"name": "redis", "key": "url"}}}
REGISTRY = {"ecosystem": "npm", "shape": "npm", "url": "https://a/{name}"}


def read(given: Inputs) -> Any:
    """The server's settings from the operator's document."""
    return parse_settings(serverconfig.document(given).encode(), "config.yaml")


def caching(**spec: Any) -> Inputs:
    """Inputs for a ScanService whose CachePolicy has this spec."""
    return factories.inputs(cache=CachePolicySpec.model_validate(spec))


def serving(**spec: Any) -> Inputs:
    """Inputs for a ScanService of this spec."""
    return factories.inputs(spec=ScanServiceSpec.model_validate(spec))


def taken(**sections: Any) -> bool:
    """Whether the server takes a document with these sections."""
    head = {"apiVersion": names.API_VERSION, "kind": names.CONFIG_KIND}
    try:
        parse_settings(yaml.safe_dump(head | sections).encode(), "config.yaml")
    except ConfigurationInvalid:
        return False
    return True


def field(kind: str, *path: str) -> Manifest:
    """The schema of a field of a spec."""
    (entry,) = [entry for entry in gen_crds.KINDS if entry["kind"].name == kind]
    node = gen_crds.structural(entry["spec"])
    for part in path:
        node = node["properties"][part] if part != "[]" else node["items"]
    return node


def test_the_server_takes_everything_that_a_user_can_say() -> None:
    """The golden case with all of it."""
    (config_map,) = [child for child in golden_update.build(HOT_PATH) if child["kind"] == names.CONFIG_MAP.name]
    assert isinstance(parse_settings(config_map["data"][names.CONFIG_KEY].encode(), "config.yaml"), Settings)


# What an object with these fields makes of the document is what the server does without the section.
DEFAULTS: dict[str, tuple[Inputs, Manifest]] = {
    "evidence": (caching(evidence={}), {}),
    "compression": (caching(compression={}), {}),
    "preload": (caching(preload={}), {}),
    "redis": (
        caching(redis=REDIS),
        {"cache": {"redis": {"urlFile": mounts.SECRETS["spec.redis.external.urlSecretRef"].path}}},
    ),
    "workers": (serving(workers={"pool": {}}), {}),
    "providers": (
        serving(providers={"registries": [REGISTRY]}),
        {"providers": {"registries": [REGISTRY]}},
    ),
    "limits": (
        serving(rateLimit={"default": {"requests": 5}}),
        {"limits": {"default": {"requests": 5}}},
    ),
}


@pytest.mark.parametrize("section", DEFAULTS)
def test_the_defaults_of_the_crd_are_the_servers(section: str) -> None:
    """A field that is left out means the same on both sides."""
    given, least = DEFAULTS[section]
    head = {"apiVersion": names.API_VERSION, "kind": names.CONFIG_KIND}
    assert read(given) == parse_settings(yaml.safe_dump(head | least).encode(), "config.yaml")


def test_defaults_in_words_are_the_servers() -> None:
    """Where the CRD has none, its description tells the server's."""
    settings: Any = Settings()
    assert settings.cache.memory.max_bytes == 64 * 2**20
    assert "Default: 64Mi" in field("CachePolicy", "memory", "maxBytes")["description"]
    assert settings.cache.stale_while_revalidate == 60.0
    assert "Default: 1m" in field("CachePolicy", "staleWhileRevalidate")["description"]
    assert settings.cache.compression.min_bytes == 2048
    assert "from 2048 bytes on" in field("CachePolicy", "compression")["description"]


BOUNDS = [
    ("cache.evidence.ttl", ("CachePolicy", "evidence"), "ttl"),
    ("cache.redis.ttl", ("CachePolicy", "redis"), "ttl"),
    ("cache.redis.timeout", ("CachePolicy", "redis"), "timeout"),
    ("cache.staleWhileRevalidate", ("CachePolicy",), "staleWhileRevalidate"),
    ("limits.default.window", ("ScanService", "rateLimit", "default"), "window"),
    ("limits.endpoints.Scan.window", ("ScanService", "rateLimit", "perEndpoint", "[]"), "window"),
    ("workers.timeout", ("ScanService", "workers", "pool"), "timeout"),
    ("providers.timeout", ("ScanService", "providers"), "timeout"),
    ("cache.memory.maxBytes", ("CachePolicy", "memory"), "maxBytes"),
    ("cache.evidence.maxBytes", ("CachePolicy", "evidence"), "maxBytes"),
]
NEEDED: dict[str, Manifest] = {
    "cache.redis": {"urlFile": "/etc/typosentinel-redis/url"},
    "limits.default": {"requests": 5},
    "limits.endpoints.Scan": {"requests": 5},
}


def nested(path: str, value: Any) -> Manifest:
    """A document's part with this value at a dotted path, and what must stand beside it."""
    parent, _, last = path.rpartition(".")
    found: Manifest = {**NEEDED.get(parent, {}), last: value}
    for part in reversed(parent.split(".")):
        found = {part: found}
    return found


@pytest.mark.parametrize(("path", "where", "last"), BOUNDS)
def test_what_the_crd_admits_at_its_bounds_the_server_takes(path: str, where: tuple[str, ...], last: str) -> None:
    """The rule names two values; beyond them the server may refuse, at them it must not."""
    rules = [rule["rule"] for rule in field(*where)["x-kubernetes-validations"] if f"self.{last})" in rule["rule"]]
    bounds = [bound for rule in rules for bound in re.findall(r"'([0-9]+[A-Za-z]+)'", rule)]
    assert len(bounds) == 2, rules
    for bound in bounds:
        assert taken(**nested(path, bound)), (path, bound)


NUMBERS = [
    ("cache.evidence.maxEntries", ("CachePolicy", "evidence", "maxEntries")),
    ("cache.redis.maxConnections", ("CachePolicy", "redis", "maxConnections")),
    ("cache.compression.minBytes", ("CachePolicy", "compression", "minBytes")),
    ("cache.preload.popular", ("CachePolicy", "preload", "popular")),
    ("limits.default.requests", ("ScanService", "rateLimit", "default", "requests")),
    ("limits.endpoints.Scan.requests", ("ScanService", "rateLimit", "perEndpoint", "[]", "requests")),
    ("workers.queue", ("ScanService", "workers", "pool", "queue")),
    ("providers.maxConcurrency", ("ScanService", "providers", "maxConcurrency")),
]


@pytest.mark.parametrize(("path", "where"), NUMBERS)
def test_what_the_crd_admits_of_numbers_the_server_takes(path: str, where: tuple[str, ...]) -> None:
    """The least and the greatest."""
    schema = field(*where)
    for number in (schema["minimum"], schema["maximum"]):
        assert taken(**nested(path, number)), (path, number)


@pytest.mark.parametrize("pool", [{"min": 0, "max": 1}, {"min": 64, "max": 64}, {"min": 10}])
def test_both_sides_take_the_same_pools(pool: Manifest) -> None:
    """At the bounds of both fields."""
    assert (field("ScanService", "workers", "pool", "min")["maximum"]) == 64
    wanted = {"min": 2, "max": 10} | pool
    workers = read(serving(workers={"pool": pool})).workers
    assert {"min": workers.min, "max": workers.max} == wanted


@pytest.mark.parametrize("size", ["1Mi", "2048k", 1048576, "3M", "1Gi", "64Gi", "0"])
def test_both_sides_read_a_size_alike(size: str | int) -> None:
    """Every unit that the CRD's pattern has."""
    assert re.search(fields.SIZE_PATTERN, str(size))
    wanted = {"1Mi": 2**20, "2048k": 2_048_000, "3M": 3_000_000, "1Gi": 2**30, "64Gi": 2**36}
    found = read(caching(memory={"maxBytes": size})).cache.memory.max_bytes
    assert found == wanted.get(str(size), int(size) if str(size).isdecimal() else None)


def test_both_sides_know_the_same_endpoints() -> None:
    """In the same spelling."""
    for endpoint in get_args(servingspec.Endpoint):
        assert taken(limits={"endpoints": {endpoint: {"requests": 1}}})
    assert not taken(limits={"endpoints": {"Health": {"requests": 1}}})


@pytest.mark.parametrize("network", ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "fd00::/8", "0.0.0.0/0"])
def test_the_server_takes_networks_as_the_crd_has_them(network: str) -> None:
    """Of both families, without bits behind the prefix."""
    assert read(serving(rateLimit={"trustedProxies": [network]}))
    assert read(serving(providers={"registries": [REGISTRY], "allowPrivate": [network]}))


def url_of(ecosystem: str) -> str:
    """An address of the form that this ecosystem wants."""
    forms = {"Maven": "https://a/?g={group}&a={artifact}", "Go": "https://a/{name}/@v/list"}
    return forms.get(ecosystem, "https://a/{name}")


@pytest.mark.parametrize(
    ("ecosystem", "shape"), [(one, shape) for one, shapes in servingspec.SHAPES.items() for shape in shapes]
)
def test_the_server_knows_every_shape(ecosystem: str, shape: str) -> None:
    """Of every ecosystem."""
    assert shape in get_args(servingspec.Shape)
    registry = {"ecosystem": ecosystem, "shape": shape, "url": url_of(ecosystem)}
    (known,) = read(serving(providers={"registries": [registry]})).providers.registries
    assert (known.ecosystem, known.shape) == (ecosystem, shape)


def test_every_shape_can_be_given_at_once() -> None:
    """No two are taken for the same provider."""
    registries = [
        {"ecosystem": one, "shape": shape, "url": url_of(one)}
        for one, shapes in servingspec.SHAPES.items()
        for shape in shapes
    ]
    given = {"registries": registries, "vulnerabilities": {"url": "https://a/v1/query"}, "when": "Always"}
    assert len(read(serving(providers=given)).providers.registries) == len(get_args(servingspec.Shape))


URLS = [
    "https://a/{name}",
    "http://a.b-c.example:65535/x/{name}/json?fields=a,b&c=d%20e",
    "https://A9/{name}!$'()*+,;:@/~_-.",
    f"https://{'a' * 63}.b/{{name}}",
    "https://a/" + "x" * 1007 + "{name}",
]


@pytest.mark.parametrize("url", URLS)
def test_the_server_takes_addresses_as_the_crd_has_them(url: str) -> None:
    """Whatever its pattern admits."""
    assert re.search(servingspec.INTERFACE_PATTERN, url)
    assert read(serving(providers={"registries": [REGISTRY | {"url": url}]}))


@pytest.mark.parametrize(
    "url",
    [
        "https://{name}/",
        "https://user:secret@a/{name}",
        "https://[::1]/{name}",
        "https://a/{name}#b",
        "https://a/<{name}>",
        "https://a/\\{name}",
        "https://a./{name}",
        "https://a..b/{name}",
        "ftp://a/{name}",
        "https://a:0/{name}",
    ],
)
def test_the_crd_takes_no_address_that_the_server_refuses(url: str) -> None:
    """It would keep the whole document from taking effect."""
    assert not re.search(servingspec.INTERFACE_PATTERN, url)
    assert not taken(providers={"registries": [REGISTRY | {"url": url}]})


def test_a_private_number_that_is_allowed_is_taken() -> None:
    """In both roles."""
    given = {
        "registries": [REGISTRY | {"url": "http://10.1.2.3:8080/{name}"}],
        "vulnerabilities": {"url": "http://10.1.2.4/v1/query"},
        "allowPrivate": ["10.0.0.0/8"],
    }
    assert read(serving(providers=given))


@pytest.mark.parametrize("name", ["@acme/left", "github.com/a/b", "org.example:thing", "'\"#&*!|", "x" * 214])
def test_the_server_takes_preloaded_names_as_the_crd_has_them(name: str) -> None:
    """Whatever its pattern admits; what is no name of the ecosystem is the server's to say."""
    assert read(caching(preload={"names": [{"ecosystem": "npm", "name": name}]}))


def test_the_servers_command_knows_the_arguments_of_pods() -> None:
    """Those that came with processes among them."""
    (container,) = workload.deployment(serving(workers={"processes": 2}))["spec"]["template"]["spec"]["containers"]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {argument.partition("=")[0] for argument in container["args"][1:]} <= options
