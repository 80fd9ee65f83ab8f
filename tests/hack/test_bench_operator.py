import os
import subprocess
from itertools import islice
from pathlib import Path

import pytest
from hack.bench.operator import fleet, nodes
from hack.bench.operator.figures import growth, middle, quantile, ratio
from hack.bench.operator.usage import cpu_seconds, memory
from hack.bench.operator.watching import is_observed, is_ready

ROOT = Path(__file__).resolve().parents[2]
HISTOGRAM = """\
# TYPE took_seconds histogram
took_seconds_bucket{kind="A",le="0.1"} 50.0
took_seconds_bucket{kind="A",le="0.5"} 90.0
took_seconds_bucket{kind="A",le="+Inf"} 100.0
took_seconds_count{kind="A"} 100.0
took_seconds_bucket{kind="B",le="0.1"} 0.0
took_seconds_bucket{kind="B",le="0.5"} 100.0
took_seconds_bucket{kind="B",le="+Inf"} 100.0
took_seconds_count{kind="B"} 100.0
took_seconds_bucket{kind="C",le="0.1"} 0.0
took_seconds_bucket{kind="C",le="+Inf"} 0.0
"""


@pytest.mark.parametrize(
    ("share", "labels", "wanted"),
    [
        # In the first bucket, which begins at zero; in the middle of the second; beyond the last bound.
        (0.25, {"kind": "A"}, 0.05),
        (0.7, {"kind": "A"}, 0.3),
        (0.95, {"kind": "A"}, 0.5),
        # Of both kinds: 50 of 200 up to 0.1, and 190 up to 0.5.
        (0.6, {}, 0.1 + 0.4 * 70 / 140),
        (0.5, {"kind": "C"}, None),
        (0.5, {"kind": "D"}, None),
    ],
)
def test_a_quantile_is_interpolated_in_its_bucket(share: float, labels: dict[str, str], wanted: float | None) -> None:
    """Quantiles are those that Prometheus would show, of the series with the labels asked for."""
    assert quantile(HISTOGRAM, "took_seconds", share, **labels) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ({100: 10.0, 300: 20.0, 1000: 100.0}, 1.0),
        ({1000: 200.0, 100: 10.0}, 2.0),
        ({100: 10.0}, None),
        ({100: 10.0, 1000: None}, None),
        ({100: None, 1000: 10.0}, None),
    ],
)
def test_growth_is_of_the_time_per_object(seconds: dict[int, float | None], wanted: float | None) -> None:
    """It is 1 where time grows as the number does, and unknown where an end was not measured."""
    assert growth(seconds) == wanted


def test_a_round_that_did_not_end_leaves_no_median() -> None:
    """A median of those rounds alone that went well would be better than what was seen."""
    assert middle([3.0, 1.0, 2.0]) == 2.0
    assert middle([3.0, None, 2.0]) is None
    assert middle([]) is None


def test_the_ratio_is_the_share_of_the_limits_speed() -> None:
    """Who takes twice as long as the limit has half its speed, and who does not get there has none."""
    assert ratio([4.0, 6.0, 5.0], [10.0, 9.0, 11.0]) == 0.5
    assert ratio([4.0, 4.0], [8.0, None]) == 0.0
    assert ratio([None], [8.0]) is None


def test_the_fleet_is_spread_and_half_of_it_scaled() -> None:
    """Namespaces get as many each, in every namespace half of them an autoscaler, and all of them a CachePolicy."""
    made = list(fleet.services("r", 200))
    assert len({(one["metadata"]["namespace"], one["metadata"]["name"]) for one in made}) == 200
    for space in fleet.spaces("r"):
        here = [one["spec"] for one in made if one["metadata"]["namespace"] == space]
        assert len(here) == 20
        assert sum("scalingPolicyRef" in spec for spec in here) == 10
        assert all(("replicas" in spec) != ("scalingPolicyRef" in spec) for spec in here)
        assert all(spec["cachePolicyRef"] == {"name": fleet.CACHE} for spec in here)
    pods = sum(one["spec"].get("replicas", 1) for one in made)
    assert pods == fleet.PODS_PER_SERVICE * 200


def test_all_children_are_waited_for() -> None:
    """Five of each, an autoscaler of every scaled one, and the Secret where it is asked for."""
    assert len(fleet.children("r", 40, with_token=False)) == 40 * 5 + 20
    assert len(fleet.children("r", 40, with_token=True)) == 40 * 6 + 20
    scaled = {name for kind, _, name in fleet.children("r", 40, with_token=False) if kind == "HorizontalPodAutoscaler"}
    made = {
        f"{one['metadata']['name']}-scanner" for one in fleet.services("r", 40) if "scalingPolicyRef" in one["spec"]
    }
    assert scaled == made


def test_nodes_have_room_and_addresses_for_all_pods() -> None:
    """A node's range holds as many addresses as it takes pods, no two nodes share one, and some room is left."""
    for pods in (1, 125, 1250, 12500):
        assert nodes.nodes_for(pods) * nodes.PODS_PER_NODE > pods * 1.2
    ranges = [node["spec"]["podCIDR"] for node in nodes.nodes(9, "127.200")]
    assert len(set(ranges)) == 9
    assert all(found.startswith("127.200.") and found.endswith(".0/24") for found in ranges)
    assert nodes.PODS_PER_NODE < 256


def test_observed_and_ready_are_of_this_generation() -> None:
    """A status about an older spec counts for nothing, however good it is."""
    ready = [{"type": "Ready", "status": "True"}]
    new = {"metadata": {"generation": 2}, "status": {"observedGeneration": -1}}
    old = {"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "conditions": ready}}
    seen = {"metadata": {"generation": 2}, "status": {"observedGeneration": 2, "conditions": []}}
    done = {"metadata": {"generation": 2}, "status": {"observedGeneration": 2, "conditions": ready}}
    assert [is_observed(one) for one in (new, old, seen, done)] == [False, False, True, True]
    assert [is_ready(one) for one in (new, old, seen, done)] == [False, False, False, True]


def test_proc_tells_what_a_process_has_used() -> None:
    """Processor time goes up while it works, and no memory is more than the peak."""
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) == before:
        sum(islice(iter(int, 1), 100_000))
    found = memory(os.getpid())
    assert 1 < found.now <= found.peak


@pytest.mark.parametrize(
    ("given", "wanted"), [((), "hack.bench.operator"), (("N=10,20",), 'hack.bench.operator --counts "10,20"')]
)
def test_make_passes_on_how_many_and_nothing_by_default(given: tuple[str, ...], wanted: str) -> None:
    """A default of its own once lost what came after its first comma."""
    command = ["make", "--dry-run", "--no-print-directory", "bench-operator", *given]
    # What the make that runs us was told is not meant for this one.
    own = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=4, check=True)
    assert done.stdout.splitlines()[-1].rstrip().endswith(wanted)
