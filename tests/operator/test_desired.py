"""What the operator makes of what users write."""

import ast
import copy
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from hack.generated import stale

import factories
from hack import golden_update
from typosentinel_operator import names, quantities, specs
from typosentinel_operator.desired import children, inputs, mounts, serverconfig, workload
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.specs import ComputeResources, ScanServiceSpec

Manifest = dict[str, Any]
CASES = golden_update.cases()
BUILDS = 200


def child(kind: names.Kind, given: Inputs) -> Manifest:
    """The child of this kind."""
    (found,) = [manifest for manifest in children.build(given) if manifest["kind"] == kind.name]
    return found


def configuration(given: Inputs) -> Manifest:
    """The configuration document, read."""
    found: Manifest = yaml.safe_load(serverconfig.document(given))
    return found


def test_there_are_golden_cases() -> None:
    """An empty folder would make the next test say nothing."""
    assert len(CASES) >= 6


def test_the_golden_files_are_current() -> None:
    """Who changes a builder sees here what users will see; `make generate` writes the files anew."""
    assert stale(golden_update.wanted()) == {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_equal_inputs_give_equal_bytes(case: Path) -> None:
    """However often they are built: an unchanged object costs no write."""
    wanted = golden_update.rendered(case)
    assert all(wanted == golden_update.rendered(case) for _ in range(BUILDS // len(CASES)))


def test_two_hundred_builds_are_identical() -> None:
    """Nothing depends on the order of a set or on what was built before."""
    spec = ScanServiceSpec.model_validate({"ecosystems": ["npm", "PyPI", "Go"]})
    given = factories.inputs(spec=spec, cache=factories.cache_spec(), scaling=factories.scaling_spec(), replicas=None)
    wanted = children.build(given)
    assert all(wanted == children.build(given) for _ in range(BUILDS))


def test_builders_import_no_clock_and_no_chance() -> None:
    """Otherwise two builds could differ after all."""
    for path in Path(children.__file__).parent.glob("*.py"):
        imported = {
            alias.name.partition(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        assert not imported & {"time", "datetime", "random", "uuid", "os", "secrets"}, path


def test_every_child_has_one_name_owner_and_labels() -> None:
    """The owner lets the garbage collector and Argo CD find it, the labels our watches."""
    built = children.build(factories.inputs(scaling=factories.scaling_spec(), replicas=None))
    wanted = [kind.name for kind in names.CHILD_KINDS]
    assert wanted == [manifest["kind"] for manifest in built]
    for manifest in built:
        meta = manifest["metadata"]
        assert (meta["name"], meta["namespace"]) == ("front-scanner", "team-a")
        assert inputs.child_labels("front") == meta["labels"]
        assert meta["ownerReferences"] == [
            {
                "apiVersion": "typosentinel.io/v1alpha1",
                "kind": "ScanService",
                "name": "front",
                "uid": factories.UID,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]


def test_labels_of_other_tools_are_not_copied() -> None:
    """Argo CD would take a child with its instance label for an app's own resource, and prune it."""
    (everything,) = [case for case in CASES if case.name == "everything"]
    text = "".join(golden_update.rendered(everything).values())
    assert "app.kubernetes.io/instance" not in text
    assert "kubectl.kubernetes.io" not in text


def test_the_longest_name_that_is_admitted_fits_everywhere() -> None:
    """A Service's name and a label's value have 63 characters."""
    given = factories.inputs(name="n" * names.MAX_NAME)
    for manifest in children.build(given):
        assert len(manifest["metadata"]["name"]) == 63
        assert all(len(value) <= 63 for value in manifest["metadata"]["labels"].values())


@pytest.mark.parametrize(("replicas", "wanted"), [(0, 0), (1, 1), (3, 3)])
def test_a_fixed_number_of_replicas_is_ours(replicas: int, wanted: int) -> None:
    """Zero included."""
    assert wanted == child(names.DEPLOYMENT, factories.inputs(replicas=replicas))["spec"]["replicas"]


def test_of_a_scaled_fleet_the_number_is_the_autoscalers() -> None:
    """One writer per field: what we do not name we do not own."""
    given = factories.inputs(scaling=factories.scaling_spec(), replicas=None)
    assert "replicas" not in child(names.DEPLOYMENT, given)["spec"]


def test_without_a_scaling_policy_there_is_no_autoscaler() -> None:
    """And one that was there is pruned."""
    kinds = [manifest["kind"] for manifest in children.build(factories.inputs())]
    assert names.AUTOSCALER.name not in kinds


def test_a_changed_configuration_does_not_roll_the_pods() -> None:
    """Servers reload it; a policy's change must not restart a fleet."""
    before = child(names.DEPLOYMENT, factories.inputs())
    after = child(names.DEPLOYMENT, factories.inputs(cache=factories.cache_spec(maxEntries=5)))
    assert before == after


def test_the_hash_tells_every_other_manifest() -> None:
    """It is the only trace of a field that we have given up."""
    note = names.ANNOTATION_MANIFEST_HASH
    variants = [
        factories.inputs(),
        factories.inputs(replicas=2),
        factories.inputs(default_image="other:1"),
        factories.inputs(uid="another"),
    ]
    hashes = {child(names.DEPLOYMENT, given)["metadata"]["annotations"][note] for given in variants}
    assert len(hashes) == len(variants)


def test_the_hash_is_of_the_manifest_without_itself() -> None:
    """So that it can be computed again."""
    manifest = copy.deepcopy(child(names.SERVICE, factories.inputs()))
    wanted = manifest["metadata"].pop("annotations")[names.ANNOTATION_MANIFEST_HASH]
    assert wanted == inputs.manifest_hash(manifest)


RESOURCES: list[tuple[dict[str, Any], dict[str, Any], dict[str, str], dict[str, str]]] = [
    ({}, {}, {"cpu": "100m", "memory": "256Mi"}, {"memory": "512Mi"}),
    ({"cpu": 2}, {}, {"cpu": "2", "memory": "256Mi"}, {"memory": "512Mi"}),
    ({"memory": "1Gi"}, {}, {"cpu": "100m", "memory": "1Gi"}, {"memory": "1Gi"}),
    ({}, {"memory": "128Mi"}, {"cpu": "100m", "memory": "128Mi"}, {"memory": "128Mi"}),
    ({}, {"cpu": "50m"}, {"cpu": "50m", "memory": "256Mi"}, {"cpu": "50m", "memory": "512Mi"}),
    ({"memory": "512Mi"}, {"memory": "0.5Gi"}, {"cpu": "100m", "memory": "512Mi"}, {"memory": "0.5Gi"}),
    (
        {"cpu": "1", "memory": "64Mi"},
        {"cpu": "2", "memory": "96Mi"},
        {"cpu": "1", "memory": "64Mi"},
        {"cpu": "2", "memory": "96Mi"},
    ),
]


@pytest.mark.parametrize(("requests", "limits", "wanted_requests", "wanted_limits"), RESOURCES, ids=count())
def test_defaults_give_way_to_what_the_user_says(
    requests: dict[str, Any], limits: dict[str, Any], wanted_requests: dict[str, str], wanted_limits: dict[str, str]
) -> None:
    """A default never makes a request larger than a limit: the API server would refuse the Deployment."""
    wanted = ComputeResources.model_validate({"requests": requests, "limits": limits})
    spec = ScanServiceSpec(resources=wanted)
    (container,) = child(names.DEPLOYMENT, factories.inputs(spec=spec))["spec"]["template"]["spec"]["containers"]
    assert {"requests": wanted_requests, "limits": wanted_limits} == container["resources"]


@pytest.mark.parametrize("memory", ["1Mi", "256Mi", "257Mi", "512Mi", "1e9", "2Gi", "1"])
@pytest.mark.parametrize("side", ["requests", "limits"])
def test_no_request_is_larger_than_its_limit(side: str, memory: str) -> None:
    """Whatever one side says and the other does not."""
    merged = workload._resources(ComputeResources.model_validate({side: {"memory": memory}}))
    assert quantities.value(merged["requests"]["memory"]) <= quantities.value(merged["limits"]["memory"])


def test_the_pods_are_what_the_restricted_level_admits() -> None:
    """Not root, no capabilities, no way to get any, the runtime's own seccomp profile."""
    pod = child(names.DEPLOYMENT, factories.inputs())["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False


def test_the_configuration_is_mounted_so_that_changes_arrive() -> None:
    """A subPath mount is never updated."""
    pod = child(names.DEPLOYMENT, factories.inputs())["spec"]["template"]["spec"]
    assert not [mount for mount in pod["containers"][0]["volumeMounts"] if "subPath" in mount]
    (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "configuration"]
    assert f"--config={mount['mountPath']}/config.yaml" in pod["containers"][0]["args"]
    assert {"name": mount["name"], "configMap": {"name": "front-scanner"}} in pod["volumes"]


@pytest.mark.parametrize(("image", "wanted"), [(None, factories.IMAGE), ("mine:2", "mine:2")])
def test_the_image_is_the_users_or_ours(image: str | None, wanted: str) -> None:
    """Ours is the one that the operator was released with."""
    given = factories.inputs(spec=ScanServiceSpec(image=image))
    assert wanted == child(names.DEPLOYMENT, given)["spec"]["template"]["spec"]["containers"][0]["image"]


def test_what_the_user_leaves_out_is_not_in_the_document() -> None:
    """The server has defaults of its own; writing ours would freeze them."""
    wanted = {"apiVersion": "typosentinel.io/v1alpha1", "kind": "ServerConfiguration", "logLevel": "Info"}
    assert wanted == configuration(factories.inputs())


def test_the_document_holds_what_the_policies_say() -> None:
    """In the server's spelling; ecosystems in an order of their own, so that a user's order changes nothing."""
    spec = ScanServiceSpec.model_validate({"ecosystems": ["npm", "Go", "PyPI"], "logLevel": "Debug"})
    given = factories.inputs(spec=spec, cache=factories.cache_spec(maxEntries=7, ttl="90s"))
    document = configuration(given)
    assert document["ecosystems"] == ["Go", "PyPI", "npm"]
    assert document["cache"] == {"memory": {"maxEntries": 7, "ttl": "90s"}}
    assert document["logLevel"] == "Debug"


def test_the_document_has_a_hash_of_its_bytes() -> None:
    """By which a server says what it runs with."""
    text = child(names.CONFIG_MAP, factories.inputs())["data"]["config.yaml"]
    assert serverconfig.document_hash("abc").startswith("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9c")
    assert serverconfig.document_hash(text) == serverconfig.document_hash(serverconfig.document(factories.inputs()))


def test_metrics_are_sorted_by_name() -> None:
    """The order in a policy means nothing, so it changes nothing."""
    metrics = [
        {"name": name, "type": "Resource", "resource": {"name": name, "averageUtilization": 50}}
        for name in ("memory", "cpu")
    ]
    one = factories.inputs(scaling=factories.scaling_spec(metrics=metrics), replicas=None)
    other = factories.inputs(scaling=factories.scaling_spec(metrics=metrics[::-1]), replicas=None)
    assert child(names.AUTOSCALER, one) == child(names.AUTOSCALER, other)


def test_behavior_is_passed_through_without_what_is_not_said() -> None:
    """Kubernetes' own defaults stand where the policy says nothing."""
    behavior = {"scaleDown": {"selectPolicy": "Disabled"}}
    given = factories.inputs(scaling=factories.scaling_spec(behavior=behavior), replicas=None)
    assert behavior == child(names.AUTOSCALER, given)["spec"]["behavior"]
    bare = factories.inputs(scaling=factories.scaling_spec(), replicas=None)
    assert "behavior" not in child(names.AUTOSCALER, bare)["spec"]


def corpus_inputs(**corpus: Any) -> Inputs:
    """Inputs for a ScanService with these lists."""
    return factories.inputs(spec=ScanServiceSpec.model_validate({"corpus": corpus}))


def pod_of(given: Inputs) -> tuple[dict[str, Manifest], dict[str, Manifest]]:
    """Volumes and mounts of the pods, by volume."""
    spec = child(names.DEPLOYMENT, given)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    return volumes, {mount["name"]: mount for mount in container["volumeMounts"]}


def test_lists_in_a_config_map_are_mounted_where_the_server_looks() -> None:
    """Read-only and optional: a pod starts without them, too."""
    given = corpus_inputs(source={"configMapRef": {"name": "names"}}, maxAge="720h")
    volumes, mounts = pod_of(given)

    assert volumes["corpus"]["configMap"] == {"name": "names", "optional": True}
    assert mounts["corpus"]["readOnly"] is True
    assert configuration(given)["corpus"] == {
        "source": {"directory": mounts["corpus"]["mountPath"]},
        "refreshInterval": "6h",
        "maxAge": "720h",
        "maxLossPercent": 50,
    }


def test_downloads_have_a_place_of_bounded_size() -> None:
    """The root file system is read-only, and a restart of the container keeps what was downloaded."""
    given = corpus_inputs(source={"url": "https://a/b.tar"})
    volumes, mounts = pod_of(given)

    assert volumes["state"]["emptyDir"]["sizeLimit"]
    assert "readOnly" not in mounts["state"]
    assert configuration(given)["corpus"]["stateDir"] == mounts["state"]["mountPath"]
    assert configuration(given)["corpus"]["source"] == {"url": "https://a/b.tar"}


@pytest.mark.parametrize("corpus", [{}, {"source": {"builtin": {}}}])
def test_lists_of_the_image_need_no_volume(corpus: Manifest) -> None:
    """Only the configuration is mounted."""
    volumes, mounts = pod_of(corpus_inputs(**corpus))

    assert list(volumes) == list(mounts) == ["configuration", "admin-token"]
    assert configuration(corpus_inputs(**corpus))["corpus"]["source"] == {"builtin": {}}


def detection_inputs(**changes: Any) -> Inputs:
    """Inputs for a ScanService that refers to lists that say more than a name."""
    spec = {"corpus": {"privateNamesRef": {"name": "own"}}, "detection": {"allowListRef": {"name": "vouched"}}}
    return factories.inputs(spec=ScanServiceSpec.model_validate(spec), **changes)


def test_lists_that_say_more_than_a_name_are_mounted_and_named() -> None:
    """Each in its own place, under the key that the reference promises."""
    volumes, mounts = pod_of(detection_inputs())

    assert volumes["allow-list"]["configMap"] == {"name": "vouched", "optional": True}
    assert volumes["private-names"]["configMap"] == {"name": "own", "optional": True}
    assert configuration(detection_inputs())["detection"] == {
        "allowList": f"{mounts['allow-list']['mountPath']}/allow-list.yaml",
        "privateNames": f"{mounts['private-names']['mountPath']}/private-names.yaml",
    }


def test_what_can_be_used_stays_mounted_while_what_is_wanted_cannot() -> None:
    """Pods that mount nothing there would come up without the list that others had."""
    volumes, places = pod_of(detection_inputs(kept={specs.ALLOW_LIST_REFERENCE: "before"}))

    assert volumes["allow-list"]["configMap"] == {"name": "before", "optional": True}
    assert volumes["private-names"]["configMap"] == {"name": "own", "optional": True}
    assert places == pod_of(detection_inputs())[1]


def test_mounts_are_read_off_a_deployment() -> None:
    """By the field whose lists they hold; whatever else somebody has put there."""
    made = child(names.DEPLOYMENT, detection_inputs())
    assert mounts.mounted(made) == {
        specs.PRIVATE_NAMES_REFERENCE: "own",
        specs.ALLOW_LIST_REFERENCE: "vouched",
    }
    made["spec"]["template"]["spec"]["volumes"] = [{"name": "allow-list", "emptyDir": {}}, {"name": "else"}]
    assert mounts.mounted(made) == {}
    assert mounts.mounted(None) == {}
