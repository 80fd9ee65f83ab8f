"""What the API server itself says of our objects, before any operator sees them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import factories
from hack import golden_update
from kube import Kubectl, Manifest
from plane import ROOT
from typosentinel_operator import names

CUSTOM = ("scanservice", "cachepolicy", "scalingpolicy")


def metric(name: str = "cpu", **changes: Any) -> Manifest:
    """A scaling metric as a user writes it."""
    return {"name": name, "type": "Resource", "resource": {"name": "cpu", "averageUtilization": 50}, **changes}


REDIS = {"external": {"urlSecretRef": {"name": "redis", "key": "url"}}}


def registry(**changes: Any) -> Manifest:
    """A registry's interface as a user writes it."""
    return {"ecosystem": "npm", "shape": "npm", "url": "https://a/{name}", **changes}


# sentence → (object, parts of the refusal)
REFUSED: dict[str, tuple[Manifest, tuple[str, ...]]] = {
    "replicas and a scaling policy": (
        factories.scan_service(replicas=2, scalingPolicyRef={"name": "x"}),
        ("spec", "replicas and scalingPolicyRef exclude each other"),
    ),
    "negative replicas": (factories.scan_service(replicas=-1), ("spec.replicas",)),
    "too many replicas": (factories.scan_service(replicas=1001), ("spec.replicas",)),
    "replicas in words": (factories.scan_service(replicas="three"), ("spec.replicas",)),
    "an image with a blank": (factories.scan_service(image="a b"), ("spec.image",)),
    "an empty image": (factories.scan_service(image=""), ("spec.image",)),
    "an unknown ecosystem": (factories.scan_service(ecosystems=["CPAN"]), ("spec.ecosystems[0]", "PyPI")),
    "an ecosystem named twice": (factories.scan_service(ecosystems=["npm", "npm"]), ("spec.ecosystems[1]",)),
    "no ecosystem": (factories.scan_service(ecosystems=[]), ("spec.ecosystems",)),
    "two sources of lists": (
        factories.scan_service(corpus={"source": {"builtin": {}, "url": "https://a/b"}}),
        ("spec.corpus.source", "exactly one of builtin, configMapRef, url"),
    ),
    "no source of lists": (factories.scan_service(corpus={"source": {}}), ("exactly one of builtin, configMapRef",)),
    "a hash without an address": (
        factories.scan_service(corpus={"source": {"builtin": {}, "sha256": "a" * 64}}),
        ("sha256 belongs to url",),
    ),
    "an address with credentials": (
        factories.scan_service(corpus={"source": {"url": "https://a:b@c/d"}}),
        ("spec.corpus.source.url",),
    ),
    "lists looked at without a pause": (
        factories.scan_service(corpus={"refreshInterval": "1s"}),
        ("spec.corpus", "refreshInterval must be between 10s and 168h"),
    ),
    "lists that are old at once": (factories.scan_service(corpus={"maxAge": "0s"}), ("maxAge must be between",)),
    "an unknown log level": (factories.scan_service(logLevel="Loud"), ("spec.logLevel", "Debug")),
    "a policy without a name": (factories.scan_service(cachePolicyRef={}), ("spec.cachePolicyRef.name",)),
    "a policy in another namespace": (
        factories.scan_service(scalingPolicyRef={"name": "other/one"}),
        ("spec.scalingPolicyRef.name",),
    ),
    "a misspelt field": (factories.scan_service(replica=2), ("unknown field", "spec.replica")),
    "a GPU": (
        factories.scan_service(resources={"limits": {"gpu": 1}}),
        ("spec.resources.limits", "cpu and memory and nothing else"),
    ),
    "a quantity that is none": (
        factories.scan_service(resources={"requests": {"memory": "1 GB"}}),
        ("spec.resources.requests.memory",),
    ),
    "a negative quantity": (
        factories.scan_service(resources={"requests": {"cpu": "-1"}}),
        ("spec.resources.requests.cpu",),
    ),
    "a negative quantity without quotes": (
        factories.scan_service(resources={"requests": {"cpu": -1}}),
        ("spec.resources.requests", "takes no negative quantity"),
    ),
    "a request above its limit": (
        factories.scan_service(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}),
        ("spec.resources", "requests.cpu must not be greater than limits.cpu"),
    ),
    "a request above its limit in another unit": (
        factories.scan_service(resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "1000Mi"}}),
        ("spec.resources", "requests.memory must not be greater than limits.memory"),
    ),
    "a request above its limit as numbers": (
        factories.scan_service(resources={"requests": {"cpu": 2}, "limits": {"cpu": 1}}),
        ("spec.resources", "requests.cpu must not be greater than limits.cpu"),
    ),
    "a unit that Kubernetes does not know": (
        factories.scan_service(resources={"requests": {"memory": "1K"}}),
        ("spec.resources.requests.memory",),
    ),
    "a quantity that the API server would round": (
        factories.scan_service(resources={"requests": {"cpu": "100u"}}),
        ("spec.resources.requests.cpu",),
    ),
    "a quantity finer than a thousandth": (
        factories.scan_service(resources={"limits": {"cpu": "0.0001"}}),
        ("spec.resources.limits.cpu",),
    ),
    "a name that makes the Service's too long": (
        factories.scan_service("n" * (names.MAX_NAME + 1)),
        ("metadata.name must be at most 55",),
    ),
    "a name that begins with a digit": (factories.scan_service("1st"), ("metadata.name", "beginning with a letter")),
    "a name with a dot": (factories.scan_service("a.b"), ("metadata.name",)),
    "negative entries": (factories.cache_policy(memory={"maxEntries": -1}), ("spec.memory.maxEntries",)),
    "too many entries": (factories.cache_policy(memory={"maxEntries": 10_000_001}), ("spec.memory.maxEntries",)),
    "a lifetime in words": (factories.cache_policy(memory={"ttl": "soon"}), ("spec.memory.ttl",)),
    "a lifetime without unit": (factories.cache_policy(memory={"ttl": "300"}), ("spec.memory.ttl",)),
    "a lifetime too short for the server": (factories.cache_policy(memory={"ttl": "10ms"}), ("spec.memory", "ttl")),
    "a lifetime too long for the server": (factories.cache_policy(memory={"ttl": "169h"}), ("spec.memory", "ttl")),
    "a cache of no size": (factories.cache_policy(memory={"maxBytes": 0}), ("spec.memory", "between 1Mi and 64Gi")),
    "a size in words": (factories.cache_policy(memory={"maxBytes": "much"}), ("spec.memory.maxBytes",)),
    "a size in thousandths": (factories.cache_policy(memory={"maxBytes": "64000000m"}), ("spec.memory.maxBytes",)),
    "a Redis without an address": (factories.cache_policy(redis={}), ("spec.redis.external",)),
    "a Redis that may take for ever": (
        factories.cache_policy(redis=REDIS | {"timeout": "1h"}),
        ("spec.redis", "timeout must be between"),
    ),
    "a password where a reference belongs": (
        factories.cache_policy(redis={"external": {"url": "redis://:secret@a"}}),
        ("spec.redis.external",),
    ),
    "a Secret in another namespace": (
        factories.cache_policy(redis={"external": {"urlSecretRef": {"name": "other/redis", "key": "url"}}}),
        ("spec.redis.external.urlSecretRef.name",),
    ),
    "a Secret's key that is a path": (
        factories.cache_policy(redis={"external": {"urlSecretRef": {"name": "redis", "key": "../token"}}}),
        ("spec.redis.external.urlSecretRef.key",),
    ),
    "encryption of nothing": (
        factories.cache_policy(encryption={"keySecretRef": {"name": "sealing", "key": "key"}}),
        ("spec", "encryption is of what is stored in Redis"),
    ),
    "a name that is preloaded twice": (
        factories.cache_policy(preload={"names": [{"ecosystem": "Go", "name": "a"}] * 2}),
        ("spec.preload.names[1]",),
    ),
    "a limit of nothing": (factories.scan_service(rateLimit={"default": {"requests": 0}}), ("rateLimit.default",)),
    "a limit without a number": (factories.scan_service(rateLimit={"default": {}}), ("rateLimit.default.requests",)),
    "a window without end": (
        factories.scan_service(rateLimit={"default": {"requests": 1, "window": "25h"}}),
        ("rateLimit.default", "window must be between 1s and 24h"),
    ),
    "two limits of one endpoint": (
        factories.scan_service(rateLimit={"perEndpoint": [{"endpoint": "Scan", "requests": 1}] * 2}),
        ("spec.rateLimit.perEndpoint[1]",),
    ),
    "an unknown endpoint": (
        factories.scan_service(rateLimit={"perEndpoint": [{"endpoint": "Health", "requests": 1}]}),
        ("endpoint", "Scan"),
    ),
    "a proxy without prefix": (
        factories.scan_service(rateLimit={"trustedProxies": ["10.0.0.1"]}),
        ("spec.rateLimit.trustedProxies[0]", "CIDR notation"),
    ),
    "a network with bits behind its prefix": (
        factories.scan_service(rateLimit={"trustedProxies": ["10.0.0.1/8"]}),
        ("spec.rateLimit.trustedProxies[0]", "CIDR notation"),
    ),
    "no process": (factories.scan_service(workers={"processes": 0}), ("spec.workers.processes",)),
    "more workers at least than at most": (
        factories.scan_service(workers={"pool": {"min": 11}}),
        ("spec.workers.pool", "min must not be greater than max"),
    ),
    "a registry that is asked after nobody": (
        factories.scan_service(providers={"registries": [registry(url="https://a/b")]}),
        ("spec.providers.registries[0]", "must contain {name}"),
    ),
    "a name in a host": (
        factories.scan_service(providers={"registries": [registry(url="https://{name}.a/")]}),
        ("spec.providers.registries[0].url",),
    ),
    "a name twice": (
        factories.scan_service(providers={"registries": [registry(url="https://a/{name}/{name}")]}),
        ("spec.providers.registries[0]", "must contain {name} once"),
    ),
    "another registry's form": (
        factories.scan_service(providers={"registries": [registry(shape="PyPI")]}),
        ("spec.providers.registries[0]", "shape must be one of this ecosystem's"),
    ),
    "a Go proxy asked for something else": (
        factories.scan_service(
            providers={"registries": [registry(ecosystem="Go", shape="GoProxy", url="https://a/{name}/@latest")]}
        ),
        ("must end in {name}/@v/list",),
    ),
    "Maven without a group": (
        factories.scan_service(
            providers={"registries": [registry(ecosystem="Maven", shape="MavenSearch", url="https://a/{artifact}")]}
        ),
        ("must contain {group} and {artifact}",),
    ),
    "a host in one number": (
        factories.scan_service(providers={"registries": [registry(url="http://2130706433/{name}")]}),
        ("spec.providers.registries[0]", "must be a name or a whole IPv4 address"),
    ),
    "a database that is asked by path": (
        factories.scan_service(providers={"vulnerabilities": {"url": "https://a/{name}"}}),
        ("spec.providers.vulnerabilities", "no braces"),
    ),
    "a burst beyond the limit": (
        factories.scan_service(rateLimit={"default": {"requests": 5, "burst": 6}}),
        ("rateLimit.default", "burst must not be greater than requests"),
    ),
    "a window of a fraction": (
        factories.scan_service(rateLimit={"default": {"requests": 5, "window": "1500ms"}}),
        ("rateLimit.default.window",),
    ),
    "a registry in a file": (
        factories.scan_service(providers={"registries": [registry(url="file:///etc/{name}")]}),
        ("spec.providers.registries[0].url",),
    ),
    "a registry with credentials": (
        factories.scan_service(providers={"registries": [registry(url="https://a:b@c/{name}")]}),
        ("spec.providers.registries[0].url",),
    ),
    "one registry twice": (
        factories.scan_service(providers={"registries": [registry(), registry(url="https://b/{name}")]}),
        ("spec.providers.registries[1]",),
    ),
    "providers that may take minutes": (
        factories.scan_service(providers={"timeout": "2m"}),
        ("spec.providers", "timeout must be between 10ms and 30s"),
    ),
    "min above max": (
        factories.scaling_policy(minReplicas=5, maxReplicas=2),
        ("spec", "minReplicas must not be greater than maxReplicas"),
    ),
    "min above the default max": (
        factories.scaling_policy(minReplicas=11),
        ("spec", "minReplicas must not be greater than maxReplicas"),
    ),
    "no pods at all": (factories.scaling_policy(minReplicas=0), ("spec.minReplicas",)),
    "empty metrics": (factories.scaling_policy(metrics=[]), ("spec.metrics",)),
    "two metrics of one name": (factories.scaling_policy(metrics=[metric(), metric()]), ("spec.metrics[1]",)),
    "an unknown metric type": (factories.scaling_policy(metrics=[metric(type="Guess")]), ("spec.metrics[0].type",)),
    "a metric without its resource": (
        factories.scaling_policy(metrics=[{"name": "cpu", "type": "Resource"}]),
        ("spec.metrics[0].resource",),
    ),
    "a utilization of nothing": (
        factories.scaling_policy(metrics=[metric(resource={"name": "cpu", "averageUtilization": 0})]),
        ("spec.metrics[0].resource.averageUtilization",),
    ),
    "an endless window": (
        factories.scaling_policy(behavior={"scaleDown": {"stabilizationWindowSeconds": 3601}}),
        ("spec.behavior.scaleDown.stabilizationWindowSeconds",),
    ),
    "no rules of scaling": (
        factories.scaling_policy(behavior={"scaleUp": {"policies": []}}),
        ("spec.behavior.scaleUp.policies",),
    ),
}

ACCEPTED: dict[str, Manifest] = {
    "the longest name": factories.scan_service("n" * names.MAX_NAME),
    "no replicas": factories.scan_service(replicas=0),
    "resources as numbers": factories.scan_service(resources={"requests": {"cpu": 1}, "limits": {"cpu": 1}}),
    "only a limit": factories.scan_service(resources={"limits": {"memory": "64Mi"}}),
    "quantities of every form": factories.scan_service(
        resources={"requests": {"cpu": "0.125", "memory": "100M"}, "limits": {"cpu": "250m", "memory": "1.5Gi"}}
    ),
    "a switched-off cache": factories.cache_policy(memory={"maxEntries": 0}),
    "the shortest lifetime": factories.cache_policy(memory={"ttl": "1000ms"}),
    "the longest lifetime": factories.cache_policy(memory={"ttl": "168h"}),
    "a size as a number": factories.cache_policy(memory={"maxBytes": 1048576}),
    "a Redis of defaults": factories.cache_policy(redis=REDIS),
    "networks of both families": factories.scan_service(
        rateLimit={"trustedProxies": ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"]}
    ),
    "two shapes of one registry": factories.scan_service(
        providers={"registries": [registry(), registry(shape="npmDownloads")]}
    ),
    "min and max alike": factories.scaling_policy(minReplicas=10),
    "a policy of defaults": {**factories.scaling_policy(), "spec": {}},
}


def in_namespace(manifest: Manifest, namespace: str) -> Manifest:
    """The object in this namespace."""
    return {**manifest, "metadata": manifest["metadata"] | {"namespace": namespace}}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused_with_a_sentence_that_names_the_field(sentence: str, kubectl: Kubectl) -> None:
    """By the API server itself, without a webhook."""
    manifest, parts = REFUSED[sentence]
    # The raw path leaves kubectl's own checks out.
    (kind,) = [kind for kind in names.CUSTOM_KINDS if kind.name == manifest["kind"]]
    path = f"/apis/{kind.api_version}/namespaces/default/{kind.plural}?dryRun=All&fieldValidation=Strict"
    answer = kubectl.attempt("create", "--raw", path, "-f", "-", stdin=json.dumps(in_namespace(manifest, "default")))
    assert answer.code == 1, "it was accepted"
    for part in parts:
        assert part in answer.err


@pytest.mark.parametrize("sentence", ACCEPTED)
def test_accepted(sentence: str, kubectl: Kubectl) -> None:
    """What stands on the right side of a bound."""
    kubectl.apply(in_namespace(ACCEPTED[sentence], "default"), arguments=["--dry-run=server"])


def test_the_api_server_takes_the_published_examples(kubectl: Kubectl, namespace: str) -> None:
    """What a team would copy into its repository; applied again it is the same, and a number of pods stays."""
    files = sorted((ROOT / "docs" / "examples" / "scanners").glob("*.yaml"))
    manifests = [in_namespace(one, namespace) for path in files for one in yaml.safe_load_all(path.read_text())]
    assert {one["kind"] for one in manifests} == {kind.name for kind in names.CUSTOM_KINDS}
    kubectl.apply(*manifests, arguments=["--field-manager=gitops"])
    kubectl.run("scale", "scanservice/nightly", "--replicas=5", f"--namespace={namespace}")
    before = [one["metadata"]["generation"] for one in kubectl.list_json(",".join(CUSTOM), namespace)]
    kubectl.apply(*manifests, arguments=["--field-manager=gitops"])
    after = [one["metadata"]["generation"] for one in kubectl.list_json(",".join(CUSTOM), namespace)]
    assert before == after
    assert kubectl.require("scanservice", "nightly", namespace)["spec"]["replicas"] == 5


@pytest.mark.usefixtures("no_operator")
def test_a_fresh_object_has_been_seen_by_nobody(kubectl: Kubectl, namespace: str) -> None:
    """Flux and kubectl wait take it for unfinished before the operator is even awake."""
    makers = (factories.scan_service, factories.cache_policy, factories.scaling_policy)
    kubectl.apply(*(make(namespace=namespace) for make in makers))
    for found in kubectl.list_json(",".join(CUSTOM), namespace):
        assert found["status"] == {"observedGeneration": -1}


def test_defaults_write_no_noise_into_what_users_wrote(kubectl: Kubectl, namespace: str) -> None:
    """A GitOps tool compares; what it finds is what was written, and defaults that mean something."""
    manifest = factories.scan_service(namespace=namespace)
    kubectl.apply(manifest | {"spec": {}})
    assert kubectl.require("scanservice", "front", namespace)["spec"] == {"logLevel": "Info"}


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("scanservice", ["ScanService is a fleet of package-name scanners"]),
        ("scanservice.spec", ["What the fleet of scanners should look like", "Number of scanner pods"]),
        ("scanservice.spec.resources.requests", ["What the scheduler reserves", "cpu in cores (100m)"]),
        ("scanservice.status.conditions", ["Ready, Reconciling and Stalled", "metav1.Condition"]),
        ("cachepolicy.spec.memory.ttl", ["How long a verdict is kept", "1h30m"]),
        ("scalingpolicy.spec.behavior.scaleUp", ["Rules for adding pods", "Seconds of past recommendations"]),
    ],
)
def test_kubectl_explain_reads_well(path: str, parts: list[str], kubectl: Kubectl) -> None:
    """A user's first question is asked here."""
    text = " ".join(kubectl.run("explain", path).split())
    for part in parts:
        assert part.lower() in text.lower()


def test_kubectl_get_finds_all_kinds_by_one_word(kubectl: Kubectl, namespace: str) -> None:
    """With useful columns, by category and by short names."""
    makers = (factories.scan_service, factories.cache_policy, factories.scaling_policy)
    kubectl.apply(*(make(namespace=namespace) for make in makers))
    text = kubectl.run("get", "typosentinel", "-A")
    for columns in (
        "NAMESPACE NAME READY REPLICAS AVAILABLE ENDPOINT AGE",
        "NAMESPACE NAME READY USERS ENTRIES TTL AGE",
        "NAMESPACE NAME READY USERS MIN MAX AGE",
    ):
        assert re.search(r"\s+".join(columns.split()), text)
    for short in ("scan", "cache", "scaling"):
        assert kubectl.run("get", short, "-n", namespace, "-o=name").count("/") == 1


@pytest.mark.parametrize("case", golden_update.cases(), ids=lambda case: case.name)
def test_the_api_server_takes_what_is_written_and_what_is_made_of_it(case: Path, kubectl: Kubectl) -> None:
    """Golden files are checked twice: against our output, and by the consumer."""
    if kubectl.get_json("namespace", "team-a") is None:
        kubectl.run("create", "namespace", "team-a")
    children = [yaml.safe_load(path.read_text()) for path in sorted((case / "out").iterdir())]
    assert len(children) >= 5
    kubectl.apply(*golden_update.read(case), *children, arguments=["--dry-run=server"])


def test_the_definitions_of_the_chart_are_those_of_the_folder(kubectl: Kubectl, chart: list[Manifest]) -> None:
    """Installed over one another they change nothing but the chart's annotation."""
    for manifest in chart:
        if manifest["kind"] == "CustomResourceDefinition":
            found = kubectl.require("crd", manifest["metadata"]["name"])
            (wanted,) = manifest["spec"]["versions"]
            assert wanted["schema"] == found["spec"]["versions"][0]["schema"]
