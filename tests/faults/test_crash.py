"""A sample of the crash sweep; `make faults-crash` has all of it."""

import random
from collections import Counter

import pytest

from faults import crash
from faults.workloads import WORKLOADS, Workload
from faults.world import World

POINTS = 3
SEED = 7
QUIET_SECONDS = 30.0
# The one that makes everything, and those in which the number of pods changes hands.
SAMPLED = {one.name: one for one in WORKLOADS if one.name in {"create", "autoscale", "fix"}}


@pytest.mark.parametrize("workload", SAMPLED.values(), ids=SAMPLED)
def test_killed_at_any_write_it_ends_where_it_would_have(world: World, workload: Workload) -> None:
    """In time, with nothing made or removed more often than without a crash."""
    done = [point for point, _ in crash.sweep(world, [workload], POINTS, random.Random(SEED))]  # noqa: S311 - to be drawn again
    reached = [point for point in done if point.call is not None]
    assert [str(point) for point in reached if not point.held] == []
    # A report fewer than in the undisturbed run is no fault of anybody's.
    assert len(reached) >= POINTS - 1


def test_afterwards_it_is_quiet(world: World) -> None:
    """Not one write, over two looks at everything."""
    world.operator.start()
    assert crash.quiet(world, QUIET_SECONDS) == ()


def test_a_sweep_sees_what_is_otherwise(world: World) -> None:
    """An end state that differs from the undisturbed one is wrong, and so is an object that was made twice."""
    (workload,) = (one for one in WORKLOADS if one.name == "scale")
    undisturbed = crash.reference(world, workload)
    point = crash.Point(workload, 1, "before", "scale-seen")
    crash.settle(world, workload, [point.namespace])
    other = {name: manifest | {"spec": None} for name, manifest in undisturbed.end.items()}
    missed = crash.Reference(other, undisturbed.made + Counter(["create services/front-scanner"]), undisturbed.calls)
    crash.strike(world, point, missed, patience=12.0)
    assert not point.held
    assert any(line.startswith("Deployment/front-scanner.spec") for line in point.wrong)
    assert any(line.startswith("create services/front-scanner") for line in point.wrong)
