"""The three custom resources as models."""

from typing import Any

import pytest

import factories
from typosentinel_operator import specs
from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.errors import Permanent
from typosentinel_operator.fields import Model
from typosentinel_operator.names import Reason
from typosentinel_operator.scalingspec import ScalingPolicySpec
from typosentinel_operator.specs import ScanServiceSpec

MAKERS = {
    ScanServiceSpec: factories.scan_service,
    CachePolicySpec: factories.cache_policy,
    ScalingPolicySpec: factories.scaling_policy,
}


def test_defaults_of_a_scan_service() -> None:
    """A default is a promise: who changes one changes this test and the changelog."""
    wanted: dict[str, Any] = {
        "image": None,
        "resources": {"requests": {}, "limits": {}},
        "ecosystems": None,
        "corpus": None,
        "detection": None,
        "replicas": None,
        "rateLimit": None,
        "workers": None,
        "providers": None,
        "cachePolicyRef": None,
        "scalingPolicyRef": None,
        "logLevel": "Info",
    }
    assert wanted == ScanServiceSpec().model_dump(by_alias=True)


def test_defaults_of_a_corpus() -> None:
    """The scanner's own lists, looked at four times a day; half of the names may go."""
    wanted = {"source": None, "refreshInterval": "6h", "maxAge": None, "maxLossPercent": 50, "privateNamesRef": None}
    assert wanted == specs.CorpusSpec().model_dump(by_alias=True)


@pytest.mark.parametrize(
    ("corpus", "wanted"),
    [
        (None, {}),
        ({}, {}),
        ({"source": {"builtin": {}}}, {}),
        ({"source": {"url": "https://a/b.tar"}}, {}),
        ({"source": {"configMapRef": {"name": "of-ours.v1"}}}, {"spec.corpus.source.configMapRef": "of-ours.v1"}),
        ({"privateNamesRef": {"name": "own"}}, {"spec.corpus.privateNamesRef": "own"}),
    ],
)
def test_config_maps_referred_to_are_named_by_their_field(corpus: Any, wanted: dict[str, str]) -> None:
    """So that a message can say which reference leads nowhere."""
    assert wanted == specs.config_maps(ScanServiceSpec.model_validate({"corpus": corpus}))


def test_defaults_of_a_cache_policy() -> None:
    """Ten thousand verdicts for five minutes; what else there is to say is the scanner's own, and there is no Redis."""
    wanted = {
        "memory": {"maxEntries": 10_000, "maxBytes": None, "ttl": "5m"},
        "redis": None,
        "evidence": None,
        "staleWhileRevalidate": None,
        "compression": None,
        "encryption": None,
        "preload": None,
    }
    assert wanted == CachePolicySpec().model_dump(by_alias=True)


def test_defaults_of_a_scaling_policy() -> None:
    """One to ten pods at 70 % of the requested CPU, with Kubernetes' own behavior."""
    cpu = {"name": "cpu", "type": "Resource", "resource": {"name": "cpu", "averageUtilization": 70}}
    wanted = {"minReplicas": 1, "maxReplicas": 10, "metrics": [cpu], "behavior": None}
    assert wanted == ScalingPolicySpec().model_dump(by_alias=True)


@pytest.mark.parametrize("model", MAKERS)
def test_an_object_without_a_spec_has_the_defaults(model: type[Model]) -> None:
    """A kind whose every field has a default can be written without a spec."""
    assert model() == specs.parse(model, {"kind": "Any"})


@pytest.mark.parametrize(
    ("model", "spec", "field"),
    [
        (ScanServiceSpec, {"replicas": -1}, "spec.replicas"),
        (ScanServiceSpec, {"replicas": 1001}, "spec.replicas"),
        (ScanServiceSpec, {"image": "two words"}, "spec.image"),
        (ScanServiceSpec, {"image": ""}, "spec.image"),
        (ScanServiceSpec, {"ecosystems": []}, "spec.ecosystems"),
        (ScanServiceSpec, {"ecosystems": ["PyPI", "CPAN"]}, "spec.ecosystems.1"),
        (ScanServiceSpec, {"logLevel": "verbose"}, "spec.logLevel"),
        (ScanServiceSpec, {"cachePolicyRef": {}}, "spec.cachePolicyRef.name"),
        (ScanServiceSpec, {"scalingPolicyRef": {"name": "No/Slash"}}, "spec.scalingPolicyRef.name"),
        (ScanServiceSpec, {"resources": {"requests": {"gpu": 1}}}, "spec.resources.requests.gpu.[key]"),
        (ScanServiceSpec, {"paused": True}, "spec.paused"),
        (CachePolicySpec, {"memory": {"maxEntries": -1}}, "spec.memory.maxEntries"),
        (CachePolicySpec, {"memory": {"ttl": "soon"}}, "spec.memory.ttl"),
        (CachePolicySpec, {"disk": {}}, "spec.disk"),
        (ScalingPolicySpec, {"minReplicas": 0}, "spec.minReplicas"),
        (ScalingPolicySpec, {"maxReplicas": 1001}, "spec.maxReplicas"),
        (ScalingPolicySpec, {"metrics": []}, "spec.metrics"),
        (ScalingPolicySpec, {"metrics": [{"name": "x", "type": "Guess"}]}, "spec.metrics.0.type"),
        (ScalingPolicySpec, {"behavior": {"scaleUp": {"policies": []}}}, "spec.behavior.scaleUp.policies"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(model: type[Model], spec: dict[str, Any], field: str) -> None:
    """The message becomes a condition: it has to say where to look."""
    with pytest.raises(Permanent) as caught:
        specs.parse(model, MAKERS[model](**spec))
    assert caught.value.reason == Reason.INVALID_SPEC
    assert f"{field}: " in caught.value.message


def test_every_wrong_field_is_named_at_once() -> None:
    """Nobody wants to mend a manifest one field at a time."""
    with pytest.raises(Permanent) as caught:
        specs.parse(ScanServiceSpec, factories.scan_service(replicas=-1, logLevel="Loud"))
    assert "spec.replicas: " in caught.value.message
    assert "spec.logLevel: " in caught.value.message


def test_the_message_begins_with_the_kind() -> None:
    """A ScanService's condition may speak of its policy."""
    with pytest.raises(Permanent, match=r"^CachePolicy can't be read: "):
        specs.parse(CachePolicySpec, factories.cache_policy(memory={"ttl": "x"}))


def test_a_spec_cannot_be_changed_after_reading() -> None:
    """Builders share specs; none of them may leave a mark."""
    with pytest.raises(ValueError, match="frozen"):
        ScanServiceSpec().replicas = 2  # type: ignore[misc] # the point of the test
