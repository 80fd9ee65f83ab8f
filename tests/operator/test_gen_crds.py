"""The CRDs that are made from the models."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hack import gen_crds

Manifest = dict[str, Any]
KINDS = [entry["kind"].name for entry in gen_crds.KINDS]
# etcd's and client-side apply's limit of an annotation.
MOST_BYTES = 256 * 1024


def definition(kind: str) -> Manifest:
    """The CRD of a kind."""
    (entry,) = [entry for entry in gen_crds.KINDS if entry["kind"].name == kind]
    return gen_crds.crd(entry)


def served(kind: str) -> Manifest:
    """Its only version."""
    (version,) = definition(kind)["spec"]["versions"]
    found: Manifest = version
    return found


def schema_of(kind: str) -> Manifest:
    """Its schema."""
    found: Manifest = served(kind)["schema"]["openAPIV3Schema"]
    return found


def nodes(node: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Every schema inside a schema with its path."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            yield from nodes(node[name], f"{path}[]")


def test_the_generated_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    """What is installed is what the models say; `make generate` mends it."""
    stale = [path.name for path, text in gen_crds.rendered().items() if path.read_text() != text]
    assert stale == []


def test_every_kind_has_a_file_for_kubectl_and_one_in_the_chart() -> None:
    """And no file is left over from a kind that is gone."""
    files = set(gen_crds.rendered())
    assert files == {*gen_crds.CRDS.iterdir(), *gen_crds.CHART.iterdir()}
    assert len(files) == 2 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_structural(kind: str) -> None:
    """The API server refuses references, alternatives and a forbidden rest, and pydantic writes all three."""
    banned = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title", "const", "propertyNames"}
    for path, node in nodes(schema_of(kind)):
        assert not banned & node.keys(), path
        assert node.get("additionalProperties") is not False, path
        assert node.get("x-kubernetes-int-or-string") or node["type"] != "null", path


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_description(kind: str) -> None:
    """`kubectl explain` reads well: each field says what it means, in a sentence."""
    schema = schema_of(kind)
    for path, node in nodes(schema):
        if path in {".apiVersion", ".kind", ".metadata"} or path.endswith("[]"):
            continue
        assert node.get("description", "").endswith("."), path


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_says_how_it_merges(kind: str) -> None:
    """Without it server-side apply of two users replaces the whole list."""
    for path, node in nodes(schema_of(kind)):
        if node.get("type") == "array":
            assert node.get("x-kubernetes-list-type") in {"map", "set", "atomic"}, path


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_object_has_been_seen_by_nobody(kind: str) -> None:
    """Flux and others take an object without a status for finished; -1 says that it is not."""
    status = schema_of(kind)["properties"]["status"]
    assert status["default"] == {}
    assert status["properties"]["observedGeneration"]["default"] == -1


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_merge_by_type(kind: str) -> None:
    """So that server-side apply of one condition leaves the others alone."""
    conditions = schema_of(kind)["properties"]["status"]["properties"]["conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_definition_is_small_enough_for_kubectl_apply(kind: str) -> None:
    """Client-side apply keeps a copy in an annotation of 256 KiB at most."""
    assert len(yaml.safe_dump(definition(kind))) < MOST_BYTES


@pytest.mark.parametrize(
    ("kind", "short", "columns"),
    [
        ("ScanService", "scan", ["Ready", "Replicas", "Available", "Endpoint", "Age"]),
        ("CachePolicy", "cache", ["Ready", "Users", "Entries", "TTL", "Age"]),
        ("ScalingPolicy", "scaling", ["Ready", "Users", "Min", "Max", "Age"]),
    ],
)
def test_kubectl_get_shows_what_matters(kind: str, short: str, columns: list[str]) -> None:
    """One category for all, a short name each, and columns that fit on a screen."""
    spec = definition(kind)["spec"]
    assert spec["names"]["categories"] == ["typosentinel"]
    assert spec["names"]["shortNames"] == [short]
    shown = served(kind)["additionalPrinterColumns"]
    assert columns == [column["name"] for column in shown if not column.get("priority")]


def test_columns_show_fields_that_exist() -> None:
    """A column of a misspelt path is empty for ever, and nobody complains."""
    for kind in KINDS:
        known = {path for path, _ in nodes(schema_of(kind))}
        for column in served(kind)["additionalPrinterColumns"]:
            path = column["jsonPath"].partition("[?")[0]
            assert path in known or path == ".metadata.creationTimestamp", column


def test_a_scan_service_scales_like_a_deployment() -> None:
    """`kubectl scale` and foreign autoscalers find replicas and the pods."""
    wanted = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    assert wanted == served("ScanService")["subresources"]["scale"]
    assert all("status" in served(kind)["subresources"] for kind in KINDS)


def test_defaults_that_say_nothing_are_left_out() -> None:
    """The API server would write them into what users wrote, and GitOps tools would see a difference."""
    for kind in KINDS:
        for path, node in nodes(schema_of(kind)["properties"]["spec"]):
            assert path == "" or node.get("default", "something") not in ({}, [], None), path


def test_rules_speak_in_sentences() -> None:
    """The message is all that a user sees of a refusal."""
    for kind in KINDS:
        for path, node in nodes(schema_of(kind)):
            for rule in node.get("x-kubernetes-validations", []):
                assert len(rule["message"].split()) > 3, path


def test_the_chart_keeps_the_definitions_on_uninstall() -> None:
    """Deleting a definition deletes every object of its kind."""
    for path, text in gen_crds.rendered().items():
        if path.is_relative_to(gen_crds.CHART):
            assert "helm.sh/resource-policy: keep" in text
            assert text.startswith("{{- if .Values.crds.install }}\n")
