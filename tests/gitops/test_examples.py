"""The published examples: they can be read, they fit each other, and they say what our chart and kinds take."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from argohealth import CUSTOMIZATIONS
from hack import gen_gitops
from typosentinel_operator import names, specs

Manifest = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
# Samples of Argo CD's format are read by another test, and not every one of them is a thing to imitate.
FILES = sorted(path for path in EXAMPLES.rglob("*.yaml") if CUSTOMIZATIONS not in path.parents)
PLURALS = {kind.name: kind.plural for kind in names.CUSTOM_KINDS}


def documents(path: Path) -> list[Manifest]:
    """The objects in a file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def found(kind: str) -> list[Manifest]:
    """Objects of a kind in all examples."""
    return [one for path in FILES for one in documents(path) if one.get("kind") == kind]


def named(kind: str, name: str) -> Manifest:
    """One object of the examples."""
    (one,) = [one for one in found(kind) if one["metadata"]["name"] == name]
    return one


def in_lists(schema: Manifest, path: str = "spec", *, listed: bool = False) -> Iterator[str]:
    """Fields of a definition that have a default and stand in a list."""
    if listed and "default" in schema:
        yield path
    for key, value in schema.get("properties", {}).items():
        yield from in_lists(value, f"{path}.{key}", listed=listed)
    if "items" in schema:
        yield from in_lists(schema["items"], f"{path}[]", listed=True)


def test_there_are_examples() -> None:
    """For both tools, and what both of them apply."""
    assert {path.parent.name for path in FILES} >= {"argocd", "flux", "scanners"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_every_example_is_yaml_that_names_its_objects(path: Path) -> None:
    """A patch has no name; everything else says what it is."""
    for document in documents(path):
        if path == gen_gitops.SNIPPET:
            assert set(document) == {"data"}
        else:
            assert {"apiVersion", "kind", "metadata"} <= set(document)
            assert document["metadata"]["name"]


def test_scanners_can_be_read_and_their_policies_are_there() -> None:
    """By the operator's own models."""
    scanners = found("ScanService")
    assert len(scanners) >= 2
    for kind in PLURALS:
        for one in found(kind):
            specs.parse(specs.SPECS[kind], one)
    for one in scanners:
        for field, kind in (("cachePolicyRef", "CachePolicy"), ("scalingPolicyRef", "ScalingPolicy")):
            if field in one["spec"]:
                policy = named(kind, one["spec"][field]["name"])
                assert policy["metadata"]["namespace"] == one["metadata"]["namespace"]
                waves = [found["metadata"].get("annotations", {}) for found in (policy, one)]
                before, after = (int(wave.get("argocd.argoproj.io/sync-wave", "0")) for wave in waves)
                assert before < after


def test_no_number_of_pods_stands_in_git() -> None:
    """Or self-healing would fight with whoever scales."""
    assert [one for one in found("ScanService") if "replicas" in one["spec"]] == []


def test_the_applications_lead_into_this_tree_and_come_in_order() -> None:
    """The operator with its definitions first."""
    operator, scanners = (named("Application", name) for name in ("typosentinel", "scanners"))
    for one in (operator, scanners):
        assert (ROOT / one["spec"]["source"]["path"]).is_dir()
    waves = [int(one["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]) for one in (operator, scanners)]
    assert waves == sorted(set(waves))
    options = scanners["spec"]["syncPolicy"]["syncOptions"]
    assert {"SkipDryRunOnMissingResource=true", "RespectIgnoreDifferences=true"} <= set(options)
    for ignored in scanners["spec"]["ignoreDifferences"]:
        assert (ignored["group"], ignored["kind"]) == (names.GROUP, names.SCAN_SERVICE.name)
        assert ignored["jsonPointers"] == ["/spec/replicas"]


def test_what_the_operator_writes_is_no_difference() -> None:
    """Of the objects that the chart makes: both tools are told of the same, by the names of a release like theirs."""
    (trusted, held) = named("Application", "typosentinel")["spec"]["ignoreDifferences"]
    kind = names.WEBHOOK_CONFIGURATION
    assert (trusted["group"], trusted["kind"]) == (kind.group, kind.name)
    assert (held["kind"], held["jsonPointers"]) == (names.SECRET.name, ["/data"])
    assert {one["name"] for one in (trusted, held)} == {"typosentinel-webhook"}
    assert "RespectIgnoreDifferences=true" in named("Application", "typosentinel")["spec"]["syncPolicy"]["syncOptions"]
    (release,) = found("HelmRelease")
    ignored = release["spec"]["driftDetection"]["ignore"]
    assert {one["target"]["kind"] for one in ignored} == {kind.name, names.SECRET.name}


def test_the_helm_release_is_of_our_chart() -> None:
    """With values that the chart's schema admits."""
    (release,) = found("HelmRelease")
    chart = release["spec"]["chart"]["spec"]
    assert (ROOT / chart["chart"] / "Chart.yaml").is_file()
    assert chart["sourceRef"]["name"] == named("GitRepository", chart["sourceRef"]["name"])["metadata"]["name"]
    schema = json.loads((ROOT / chart["chart"] / "values.schema.json").read_text())
    defaults = yaml.safe_load((ROOT / chart["chart"] / "values.yaml").read_text())
    jsonschema.Draft7Validator(schema).validate(defaults | release["spec"]["values"])


def test_flux_waits_for_what_there_is() -> None:
    """The operator first; then for every ScanService of the examples."""
    kustomizations = {one["metadata"]["name"]: one["spec"] for one in found("Kustomization")}
    for spec in kustomizations.values():
        assert {one["name"] for one in spec.get("dependsOn", [])} <= set(kustomizations)
    checks = kustomizations["scanners"]["healthChecks"]
    for check in checks:
        one = named(check["kind"], check["name"])
        assert (one["apiVersion"], one["metadata"]["namespace"]) == (check["apiVersion"], check["namespace"])
    assert len(checks) == len(found("ScanService"))


def test_the_snippet_has_every_script() -> None:
    """Under the keys that Argo CD looks for, as they stand in the folder."""
    data = yaml.safe_load(gen_gitops.SNIPPET.read_text())["data"]
    for kind in PLURALS:
        script = (CUSTOMIZATIONS / names.GROUP / kind / "health.lua").read_text()
        assert data.pop(f"resource.customizations.health.{names.GROUP}_{kind}") == script
    assert data == {}


def test_defaults_in_lists_are_told() -> None:
    """Argo CD compares lists as a whole: a default in one looks like a difference, which the page says."""
    fields = set()
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        (version,) = documents(path)[0]["spec"]["versions"]
        fields |= set(in_lists(version["schema"]["openAPIV3Schema"]["properties"]["spec"]))
    assert fields == {"spec.rateLimit.perEndpoint[].window"}
    page = (ROOT / "docs" / "gitops.md").read_text()
    assert "`window`" in page
    assert "`spec.rateLimit.perEndpoint`" in page
