"""What the operator writes and what the server reads."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import TypeAdapter

import factories
from hack import gen_crds, golden_update
from typosentinel_operator import fields, names, specs
from typosentinel_operator.desired import serverconfig
from typosentinel_server.document import digest_of
from typosentinel_server.durations import parse_duration
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.scan.corpus import on_board
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.settings import LogLevel, Settings, parse_settings

CASES = golden_update.cases()


def document_of(case: Path) -> str:
    """The configuration document that the operator writes for a golden case."""
    (config_map,) = [child for child in golden_update.build(case) if child["kind"] == names.CONFIG_MAP.name]
    text: str = config_map["data"][names.CONFIG_KEY]
    return text


def crd_field(kind: str, *path: str) -> dict[str, Any]:
    """The schema of a field of a spec."""
    (entry,) = [entry for entry in gen_crds.KINDS if entry["kind"].name == kind]
    node = gen_crds.structural(entry["spec"])
    for part in path:
        node = node["properties"][part]
    return node


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_server_accepts_what_the_operator_writes(case: Path) -> None:
    """For every golden case."""
    settings = parse_settings(document_of(case).encode(), "config.yaml")
    assert isinstance(settings, Settings)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_sides_know_a_document_by_the_same_hash(case: Path) -> None:
    """By it the operator tells whether a pod runs the current configuration."""
    text = document_of(case)
    assert serverconfig.document_hash(text) == digest_of(text.encode())


def test_the_server_understands_every_value() -> None:
    """Not only does it accept the document: it obeys what stands in it."""
    (everything,) = [case for case in CASES if case.name == "everything"]
    settings = parse_settings(document_of(everything).encode(), "config.yaml")
    assert set(settings.ecosystems or ()) == {Ecosystem.PYPI, Ecosystem.NPM, Ecosystem.CRATES}
    assert settings.cache.memory.max_entries == 250_000
    assert settings.cache.memory.ttl == 5400.0
    assert settings.log_level == LogLevel.DEBUG


def test_a_policy_without_values_gives_the_servers_defaults() -> None:
    """The CRD's defaults and the server's are the same numbers."""
    text = serverconfig.document(factories.inputs(cache=factories.cache_spec()))
    assert Settings() == parse_settings(text.encode(), "config.yaml")
    assert Settings() == parse_settings(serverconfig.document(factories.inputs()).encode(), "config.yaml")


def test_both_sides_know_the_same_ecosystems() -> None:
    """Those that the server has a list for, in the same spelling and order: others would never become ready."""
    wanted = [ecosystem.value for ecosystem in on_board()]
    assert wanted == list(get_args(fields.Ecosystem))


def test_both_sides_know_the_same_log_levels() -> None:
    """In the same spelling and order."""
    wanted = [level.value for level in LogLevel]
    assert wanted == list(get_args(specs.LogLevel))


@pytest.mark.parametrize("ecosystem", get_args(fields.Ecosystem))
@pytest.mark.parametrize("level", get_args(specs.LogLevel))
def test_the_server_takes_every_ecosystem_and_level_of_the_crd(ecosystem: str, level: str) -> None:
    """Each alone, too."""
    spec = specs.ScanServiceSpec.model_validate({"ecosystems": [ecosystem], "logLevel": level})
    text = serverconfig.document(factories.inputs(spec=spec))
    settings = parse_settings(text.encode(), "config.yaml")
    assert (settings.ecosystems, settings.log_level) == ((Ecosystem(ecosystem),), LogLevel(level))


@pytest.mark.parametrize("ttl", ["1s", "1000ms", "5m", "1h30m", "168h", "10080m", "1h1m1s1ms"])
def test_both_sides_read_a_duration_alike(ttl: str) -> None:
    """Within the bounds of the field."""
    wanted = parse_duration(TypeAdapter(fields.Duration).validate_python(ttl))
    assert wanted == pytest.approx(fields.seconds(ttl))
    text = serverconfig.document(factories.inputs(cache=factories.cache_spec(ttl=ttl)))
    assert wanted == parse_settings(text.encode(), "config.yaml").cache.memory.ttl


@pytest.mark.parametrize("entries", [0, 1, 10_000_000])
def test_both_sides_bound_the_entries_alike(entries: int) -> None:
    """The CRD admits what the server takes and nothing else."""
    field = crd_field("CachePolicy", "memory", "maxEntries")
    assert field["minimum"] <= entries <= field["maximum"]
    text = serverconfig.document(factories.inputs(cache=factories.cache_spec(maxEntries=entries)))
    assert entries == parse_settings(text.encode(), "config.yaml").cache.memory.max_entries
    too_many = text.replace(f"maxEntries: {entries}", f"maxEntries: {field['maximum'] + 1}")
    with pytest.raises(ConfigurationInvalid, match=r"cache\.memory\.maxEntries"):
        parse_settings(too_many.encode(), "config.yaml")


def test_what_the_server_refuses_as_a_lifetime_the_crd_refuses_too() -> None:
    """Otherwise a policy would be accepted and never take effect."""
    rules = yaml.safe_dump(crd_field("CachePolicy", "memory"), width=1000).replace("''", "'")
    assert "duration('1s')" in rules
    assert "duration('168h')" in rules


URLS = {
    "https://lists.example/names.tar": True,
    "http://10.0.0.1:8080/a/b.tar?c=d&e=f": True,
    "http://lists/": True,
    "https://a:65535/b": True,
    "https://a:65536/b": False,
    "https://a:0/b": False,
    "https://user:secret@a/b": False,
    "https://a@b/c": False,
    "https:///b": False,
    "ftp://a/b": False,
    "https://a/b c": False,
    "https://a/b#c": False,
    "https://a/\u00fc": False,
    "file:///etc/passwd": False,
    "https://[::1/b": False,
}


@pytest.mark.parametrize("url", URLS)
def test_both_sides_take_the_same_addresses(url: str) -> None:
    """What the CRD admits the server obeys; what one of them refuses never gets into effect."""
    admitted = re.search(crd_field("ScanService", "corpus", "source", "url")["pattern"], url) is not None
    assert admitted == URLS[url]
    assert admitted == _taken({"source": {"url": url}})


@pytest.mark.parametrize("digest", ["a" * 64, "A" * 64, "a" * 63, "g" * 64, "a" * 64 + "\n"])
def test_both_sides_take_the_same_hashes(digest: str) -> None:
    """64 hexadecimal digits in lower case."""
    admitted = re.fullmatch(crd_field("ScanService", "corpus", "source", "sha256")["pattern"][1:-1], digest) is not None
    assert admitted == _taken({"source": {"url": "https://a/b", "sha256": digest}})


@pytest.mark.parametrize(("field", "least", "most"), [("refreshInterval", "10s", "168h"), ("maxAge", "1s", "87600h")])
def test_both_sides_bound_the_corpus_alike(field: str, least: str, most: str) -> None:
    """The CRD's rule names the numbers at which the server begins to refuse."""
    rules = [rule["rule"] for rule in crd_field("ScanService", "corpus")["x-kubernetes-validations"]]
    (rule,) = [rule for rule in rules if field in rule]
    assert f"duration(self.{field}) >= duration('{least}')" in rule
    assert f"duration(self.{field}) <= duration('{most}')" in rule
    for value, wanted in ((least, True), (most, True), ("999ms", False), (most.replace("h", "h1ms"), False)):
        assert wanted == _taken({field: value})
    loss = crd_field("ScanService", "corpus", "maxLossPercent")
    for percent in (loss["minimum"] - 1, loss["minimum"], loss["maximum"], loss["maximum"] + 1):
        assert _taken({"maxLossPercent": percent}) == (loss["minimum"] <= percent <= loss["maximum"])


def test_the_defaults_of_a_corpus_are_the_servers() -> None:
    """A ScanService with an empty corpus is one without."""
    spec = specs.ScanServiceSpec.model_validate({"corpus": {}})
    text = serverconfig.document(factories.inputs(spec=spec))
    assert Settings() == parse_settings(text.encode(), "config.yaml")


def _taken(corpus: dict[str, Any]) -> bool:
    head = {"apiVersion": names.API_VERSION, "kind": names.CONFIG_KIND}
    try:
        parse_settings(yaml.safe_dump(head | {"corpus": corpus}).encode(), "config.yaml")
    except ConfigurationInvalid:
        return False
    return True
