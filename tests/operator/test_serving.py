"""What the operator makes of a cache in Redis, rate limits, workers and providers."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import factories
from hack import golden_update
from typosentinel_operator import names, specs
from typosentinel_operator.cachespec import ENCRYPTION_KEY_REFERENCE, REDIS_URL_REFERENCE, CachePolicySpec
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired import mounts, serverconfig, workload
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.errors import Permanent
from typosentinel_operator.fields import SecretKeyReference
from typosentinel_operator.gather import secrets
from typosentinel_operator.names import Reason
from typosentinel_operator.observed import SecretView, Unresolved
from typosentinel_operator.servingspec import API_KEYS_REFERENCE, SHAPES
from typosentinel_operator.specs import ScanServiceSpec
from typosentinel_operator.status import verdicts

Manifest = dict[str, Any]
HOT_PATH: Path = next(case for case in golden_update.cases() if case.name == "hot-path")
MOST_BYTES = 64 * 1024
REDIS = {"external": {"urlSecretRef": {"name": "redis", "key": "address"}}}
ENCRYPTION = {"keySecretRef": {"name": "sealing", "key": "k"}}


def document(given: Inputs) -> Manifest:
    """The configuration document, read."""
    found: Manifest = yaml.safe_load(serverconfig.document(given))
    return found


def serving(**spec: Any) -> Inputs:
    """Inputs for a ScanService of this spec."""
    return factories.inputs(spec=ScanServiceSpec.model_validate(spec))


def caching(**spec: Any) -> Inputs:
    """Inputs for a ScanService whose CachePolicy has this spec."""
    return factories.inputs(cache=CachePolicySpec.model_validate(spec))


def pod(given: Inputs) -> Manifest:
    """The pods' spec."""
    found: Manifest = workload.deployment(given)["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"rateLimit": {}},
        {"workers": {}},
        {"workers": {"processes": 3}},
        {"providers": {}},
        {"providers": {"timeout": "1s"}},
        {"rateLimit": {"perEndpoint": []}},
    ],
)
def test_of_what_nobody_said_anything_there_is_no_section(spec: Manifest) -> None:
    """The server's defaults are the server's, and what has no address is asked by nobody."""
    assert set(document(serving(**spec))) == {"apiVersion", "kind", "logLevel"}


@pytest.mark.parametrize("memory", [{}, {"maxBytes": "1Mi"}, {"maxBytes": 1048576}])
def test_a_size_is_a_text(memory: Manifest) -> None:
    """Also where it was written as a number."""
    wanted = {key: str(value) for key, value in memory.items()}
    assert document(caching(memory=memory))["cache"] == {"memory": {"maxEntries": 10_000, "ttl": "5m"} | wanted}


def test_limits_are_a_mapping_by_endpoint() -> None:
    """What the CRD has as a list with a key."""
    limits = document(
        serving(
            rateLimit={
                "perEndpoint": [{"endpoint": "Scan", "requests": 5, "window": "1s", "burst": 2}],
                "trustedProxies": ["192.0.2.0/24", "10.0.0.0/8"],
            }
        )
    )["limits"]
    assert limits == {
        "endpoints": {"Scan": {"requests": 5, "window": "1s", "burst": 2}},
        "trustedProxies": ["10.0.0.0/8", "192.0.2.0/24"],
    }


def test_the_order_in_which_a_user_wrote_changes_nothing() -> None:
    """Lists with keys have none."""
    registries = [{"ecosystem": one, "shape": one, "url": "https://a/{name}"} for one in ("npm", "RubyGems", "PyPI")]
    names_ = [{"ecosystem": one, "name": "x"} for one in ("npm", "Go")]
    orders = [
        (
            serving(
                providers={"registries": registries[::step], "allowPrivate": ["10.0.0.0/8", "192.0.2.0/24"][::step]}
            ),
            caching(preload={"names": names_[::step]}),
        )
        for step in (1, -1)
    ]
    assert [serverconfig.document(one) for one in orders[0]] == [serverconfig.document(one) for one in orders[1]]


def test_server_processes_are_an_argument() -> None:
    """They begin with the container, so a change has to roll the pods; the pool of workers is reloaded."""
    (bare,), (many,), (pool,) = (
        pod(serving(**spec))["containers"]
        for spec in ({}, {"workers": {"processes": 4}}, {"workers": {"pool": {"max": 3}}})
    )
    assert many["args"] == [*bare["args"], "--workers=4"]
    assert pool == bare


def test_secrets_are_mounted_key_by_key() -> None:
    """Only the key that is referred to, optional and read-only, and the document names the file."""
    given = factories.inputs(
        spec=ScanServiceSpec.model_validate({"rateLimit": {"apiKeysSecretRef": {"name": "clients", "key": "hashes"}}}),
        cache=CachePolicySpec.model_validate({"redis": REDIS, "encryption": ENCRYPTION}),
    )
    volumes = {volume["name"]: volume.get("secret") for volume in pod(given)["volumes"]}
    places = {mount["name"]: mount for mount in pod(given)["containers"][0]["volumeMounts"]}

    def source(name: str, key: str, path: str) -> Manifest:
        return {"secretName": name, "optional": True, "items": [{"key": key, "path": path}]}

    assert volumes["redis-url"] == source("redis", "address", "url")
    assert volumes["cache-key"] == source("sealing", "k", "key")
    assert volumes["api-keys"] == source("clients", "hashes", "keys")
    assert all(mount["readOnly"] for mount in places.values())
    text = document(given)
    assert text["cache"]["redis"]["urlFile"] == places["redis-url"]["mountPath"] + "/url"
    assert text["cache"]["encryption"]["keyFile"] == places["cache-key"]["mountPath"] + "/key"
    assert text["limits"]["apiKeys"]["file"] == places["api-keys"]["mountPath"] + "/keys"


def test_no_place_lies_in_another() -> None:
    """A volume can't be mounted inside a read-only one."""
    places = [mount["mountPath"] for mount in pod(golden_inputs())["containers"][0]["volumeMounts"]]
    assert len(places) == len(set(places))
    assert not [(a, b) for a in places for b in places if b.startswith(f"{a}/")]


def golden_inputs() -> Inputs:
    """Inputs with everything that a user can say."""
    service, policy = golden_update.read(HOT_PATH)
    return factories.inputs(
        spec=specs.parse(ScanServiceSpec, service), cache=specs.parse(CachePolicySpec, policy), replicas=3
    )


def test_secrets_are_read_off_a_deployment() -> None:
    """By the field that refers to them; whatever else somebody has put there."""
    made = workload.deployment(golden_inputs())
    assert mounts.mounted_secrets(made) == {
        REDIS_URL_REFERENCE: SecretKeyReference(name="redis", key="address"),
        ENCRYPTION_KEY_REFERENCE: SecretKeyReference(name="cache-encryption", key="key"),
        API_KEYS_REFERENCE: SecretKeyReference(name="api-keys", key="keys.txt"),
    }
    made["spec"]["template"]["spec"]["volumes"] = [
        {"name": "redis-url", "emptyDir": {}},
        {"name": "cache-key", "secret": {"secretName": "whole"}},
    ]
    assert mounts.mounted_secrets(made) == {}
    assert mounts.mounted_secrets(None) == {}


def test_a_secret_that_can_be_used_stays_while_the_wanted_one_cannot() -> None:
    """And the document stays as it is."""
    given = caching(redis=REDIS)
    kept = factories.inputs(
        cache=given.cache, kept_secrets={REDIS_URL_REFERENCE: SecretKeyReference(name="before", key="url")}
    )
    assert mounts.mounted_secrets(workload.deployment(kept))[REDIS_URL_REFERENCE].name == "before"
    assert serverconfig.document(kept) == serverconfig.document(given)


def test_the_longest_document_is_one_that_the_server_reads() -> None:
    """It takes 64 KiB at most; what the CRD admits stays below that."""
    url = "https://a/{name}" + "x" * 1008
    spec = {
        "rateLimit": {"trustedProxies": [f"2001:db8:{n:x}:1111:2222:3333:4444:0/112" for n in range(32)]},
        "providers": {
            "registries": [
                {"ecosystem": one, "shape": shape, "url": url} for one, shapes in SHAPES.items() for shape in shapes
            ],
            "vulnerabilities": {"url": url},
            "allowPrivate": [f"2001:db8:{n:x}:1111:2222:3333:4444:0/112" for n in range(32)],
        },
        "corpus": {"source": {"url": "https://a/" + "x" * 2038}},
    }
    preload = [{"ecosystem": "RubyGems", "name": f"{n:03}" + "'" * 211} for n in range(100)]
    given = factories.inputs(
        spec=ScanServiceSpec.model_validate(spec),
        cache=CachePolicySpec.model_validate({"preload": {"names": preload}, "redis": REDIS}),
    )
    assert len(serverconfig.document(given).encode()) < MOST_BYTES


HOSTILE = ("'", '"', "#", "{{name}}", "{name}: {}", "- a", "!!python/object", "&a *a", "|", "${HOME}", "%0a", "\\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_users_becomes_another_field(text: str) -> None:
    """Whatever means something in YAML."""
    url = "https://a/{name}?" + re.sub(r"[\"#\\&|]| (?=.)", "+", text)
    name = text.replace(" ", "_")
    given = factories.inputs(
        spec=ScanServiceSpec.model_validate(
            {"providers": {"registries": [{"ecosystem": "npm", "shape": "npm", "url": url}]}}
        ),
        cache=CachePolicySpec.model_validate({"preload": {"names": [{"ecosystem": "Go", "name": name}]}}),
    )
    read = document(given)
    assert read["providers"]["registries"] == [{"ecosystem": "npm", "shape": "npm", "url": url}]
    assert read["cache"]["preload"]["names"] == [{"ecosystem": "Go", "name": name}]
    assert set(read) == {"apiVersion", "kind", "logLevel", "cache", "providers"}


@pytest.mark.parametrize(
    "name", ["other/redis", "../redis", "%2e%2e%2fredis", "other%2fredis", "", "a b", "UPPER", "a\n"]
)
def test_a_reference_leads_into_no_other_namespace(name: str) -> None:
    """Neither as a path nor escaped."""
    with pytest.raises(ValueError, match="name"):
        CachePolicySpec.model_validate({"redis": {"external": {"urlSecretRef": {"name": name, "key": "url"}}}})


@pytest.mark.parametrize("key", ["../token", "a/b", "", "a b", "a\n", "%2e%2e"])
def test_a_key_is_no_path(key: str) -> None:
    """The kubelet would refuse it, and the pod would never start."""
    with pytest.raises(ValueError, match="key"):
        ScanServiceSpec.model_validate({"rateLimit": {"apiKeysSecretRef": {"name": "keys", "key": key}}})


@pytest.mark.parametrize("field", ["registries.0.url", "vulnerabilities.url"])
@pytest.mark.parametrize(
    ("host", "allowed", "refused"),
    [
        ("10.0.0.1", [], True),
        ("169.254.169.254", ["10.0.0.0/8", "fd00::/8"], True),
        ("10.0.0.1:8080", ["10.0.0.0/8"], False),
        ("host.example", [], False),
    ],
)
def test_a_number_has_to_be_allowed(field: str, host: str, allowed: list[str], *, refused: bool) -> None:
    """The server would refuse its whole document otherwise, and pods that start then would not come up."""
    given: Manifest = {"allowPrivate": allowed}
    if field.startswith("vulnerabilities"):
        given["vulnerabilities"] = {"url": f"http://{host}/v1/query"}
    else:
        given["registries"] = [{"ecosystem": "npm", "shape": "npm", "url": f"http://{host}/{{name}}"}]
    manifest = factories.scan_service(providers=given)
    if refused:
        with pytest.raises(Permanent, match=rf"spec\.providers: .*{field}: {host} lies in no network of allowPrivate"):
            specs.parse(ScanServiceSpec, manifest)
    else:
        assert specs.parse(ScanServiceSpec, manifest).providers is not None


class Names(Cluster):
    """Knows which names are taken, or does not."""

    def __init__(self, answer: bool | None) -> None:  # noqa: FBT001 - the one thing that it knows
        self.answer = answer
        self.asked: list[tuple[str, str, str]] = []

    async def taken(self, kind: names.Kind, namespace: str, name: str) -> bool | None:
        """The one answer."""
        self.asked.append((kind.name, namespace, name))
        return self.answer


@pytest.mark.parametrize(("answer", "missing"), [(True, False), (False, True), (None, False)])
async def test_a_secret_that_is_not_there_is_told_with_field_and_object(
    answer: bool | None,  # noqa: FBT001 - a case
    missing: bool,  # noqa: FBT001 - a case
) -> None:
    """What can't be known is nobody's fault."""
    spec = ScanServiceSpec.model_validate(
        {"cachePolicyRef": {"name": "shared"}, "rateLimit": {"apiKeysSecretRef": {"name": "clients", "key": "hashes"}}}
    )
    cluster = Names(answer)
    views = await secrets(cluster, "team-a", spec, CachePolicySpec.model_validate({"redis": REDIS}))
    assert cluster.asked == [("Secret", "team-a", "redis"), ("Secret", "team-a", "clients")]
    words = [one.trouble.message if one.trouble else "" for one in views]
    assert [bool(word) for word in words] == [missing, missing]
    if missing:
        assert 'Secret "redis" of spec.redis.external.urlSecretRef in CachePolicy "shared"' in words[0]
        assert 'namespace "team-a": create it with the key address' in words[0]
        assert 'Secret "clients" of spec.rateLimit.apiKeysSecretRef does not exist' in words[1]


@pytest.mark.parametrize(("trouble", "wanted"), [(True, ("False", Reason.SECRET_NOT_FOUND)), (False, ("True", None))])
def test_a_missing_secret_is_a_condition(trouble: bool, wanted: tuple[str, str | None]) -> None:  # noqa: FBT001 - a case
    """As a missing ConfigMap is one; what runs stays available."""
    gone = Unresolved(Reason.SECRET_NOT_FOUND, 'Secret "redis" does not exist') if trouble else None
    view = SecretView(REDIS_URL_REFERENCE, SecretKeyReference(name="redis", key="url"), gone)
    found = {verdict.type: verdict for verdict in verdicts(factories.observed(secrets=(view,)))}
    references = found[names.Condition.REFERENCES_RESOLVED]
    assert references.status == wanted[0]
    assert references.reason == (wanted[1] or Reason.REFERENCES_RESOLVED)
    assert found[names.Condition.READY].status == wanted[0]
    assert found[names.Condition.AVAILABLE].status == "True"


def test_the_administrative_port_is_not_in_the_service() -> None:
    """Who may not forward ports to pods has no business there."""
    given = factories.inputs()
    (container,) = pod(given)["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert environment["TYPOSENTINEL_ADMIN_TOKEN_FILE"] == mounts.ADMIN.path
    assert environment["TYPOSENTINEL_ADMIN_PORT"] == str(names.ADMIN_PORT)
    assert names.ADMIN_PORT in [port["containerPort"] for port in container["ports"]]
    assert names.ADMIN_PORT not in [port["port"] for port in workload.service(given)["spec"]["ports"]]
