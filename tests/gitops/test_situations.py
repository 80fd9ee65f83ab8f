"""One table of situations, and three readers that must agree on it: a person, Argo CD and kstatus."""

import json

import pytest
import yaml
from lupa.lua51 import LuaError

import situations
import snapshots
from argohealth import CUSTOMIZATIONS, STATUSES, health, run, script
from kstatus import CURRENT, kstatus
from situations import ALL, MEANS
from typosentinel_operator import names

KINDS = [kind.name for kind in names.CUSTOM_KINDS]


def test_the_table_is_of_use() -> None:
    """Every kind, every word that there is for a present object, and what a reader may trip over."""
    assert len(ALL) > 40
    assert {situation.manifest["kind"] for situation in ALL.values()} == set(KINDS)
    assert {situation.health for situation in ALL.values()} == set(STATUSES) - {"Missing", "Unknown"}


@pytest.mark.parametrize("sentence", ALL)
def test_argo_cd_says_what_a_person_says(sentence: str) -> None:
    """In the operator's own words."""
    wanted = ALL[sentence]
    status, message = health(wanted.manifest)
    assert (status, wanted.message in message) == (wanted.health, True), message


@pytest.mark.parametrize("sentence", ALL)
def test_kstatus_says_it_too(sentence: str) -> None:
    """What it has no word for, the table translates."""
    wanted = ALL[sentence]
    assert kstatus(wanted.manifest) == wanted.kstatus


@pytest.mark.parametrize("sentence", ALL)
def test_what_the_operator_writes_is_of_one_piece(sentence: str) -> None:
    """What is looked for in the suite's statuses holds of the table's."""
    assert snapshots.complaints([ALL[sentence].manifest]) == []


@pytest.mark.parametrize("sentence", ALL)
def test_the_default_status_is_what_kstatus_needs(sentence: str) -> None:
    """Without any status a new object would count as finished: the definitions' -1 stands against that."""
    bare = {key: value for key, value in ALL[sentence].manifest.items() if key != "status"}
    meta = {key: value for key, value in bare["metadata"].items() if key != "deletionTimestamp"}
    assert kstatus({**bare, "metadata": meta}) == CURRENT
    assert kstatus({**bare, "metadata": meta, "status": {"observedGeneration": -1}}) == MEANS["Progressing"]
    assert health({**bare, "metadata": meta})[0] == "Progressing"


@pytest.mark.parametrize("aspect", ["Available", "ConfigurationCurrent", "ScalingActive"])
def test_trouble_at_run_time_never_degrades_what_is_ready(aspect: str) -> None:
    """A sync that has done what it should must not fail for it."""
    manifest = json.loads(json.dumps(ALL["all is well"].manifest))
    for condition in manifest["status"]["conditions"]:
        if condition["type"] == aspect:
            condition |= {"status": "False", "reason": "Trouble", "message": "something is wrong"}
    assert health(manifest) == ("Healthy", "1 pods answer as specified; something is wrong")


# sentence → conditions as (type, status) → health: statuses that no operator of ours writes
ODD: dict[str, tuple[list[tuple[str, str]] | None, str]] = {
    "a look and no conditions": (None, "Progressing"),
    "a list without an entry": ([], "Progressing"),
    "no Ready": ([("Available", "True")], "Progressing"),
    "nobody knows": ([("Ready", "Unknown")], "Progressing"),
    "not ready, and no reason to be": ([("Ready", "False")], "Progressing"),
    "ready and under way": ([("Ready", "True"), ("Reconciling", "True")], "Progressing"),
    "ready and stalled": ([("Ready", "True"), ("Stalled", "True")], "Degraded"),
    "stalled and paused": ([("Paused", "True"), ("Stalled", "True")], "Suspended"),
    "ready, not paused and with a condition that nobody knows": (
        [("Ready", "True"), ("Paused", "False"), ("Sunny", "False")],
        "Healthy",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sentence", ODD)
def test_odd_statuses_are_taken_for_unfinished(sentence: str, kind: str) -> None:
    """An operator of another version, or somebody's hand: the script must not fail, nor call it healthy."""
    conditions, wanted = ODD[sentence]
    status: dict[str, object] = {"observedGeneration": 1}
    if conditions is not None:
        status["conditions"] = [{"type": aspect, "status": value, "message": aspect} for aspect, value in conditions]
    assert health({"kind": kind, "metadata": {"generation": 1}, "status": status})[0] == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_same_script(kind: str) -> None:
    """The rules are those of kstatus, which knows no kinds."""
    assert script(kind) == script("ScanService")


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_samples_are_in_argo_cds_own_format(kind: str) -> None:
    """Its own test reads this file and these samples once the folder is offered to it."""
    folder = CUSTOMIZATIONS / names.GROUP / kind
    tests = yaml.safe_load((folder / "health_test.yaml").read_text())["tests"]
    assert {test["inputPath"] for test in tests} == {f"testdata/{path.name}" for path in folder.glob("testdata/*")}
    assert len(tests) >= 4
    for test in tests:
        sample = yaml.safe_load((folder / test["inputPath"]).read_text())
        assert health(sample) == (test["healthStatus"]["status"], test["healthStatus"]["message"])


@pytest.mark.parametrize(
    "lua",
    [
        'return {status = "Healthy", message = string.upper("x")}',
        'return {status = "Healthy", message = ("x"):upper()}',
        'return {status = "Healthy", message = os.time()}',
        'return {status = "Healthy", message = require("os").time()}',
        'return {status = "Healthy", message = _G.io.open("x")}',
    ],
)
def test_a_script_that_wants_more_than_it_gets_fails(lua: str) -> None:
    """The tests would not notice otherwise that Argo CD refuses ours."""
    with pytest.raises(LuaError, match=r"attempt to (index|call)"):
        run(lua, situations.ALL["all is well"].manifest)
