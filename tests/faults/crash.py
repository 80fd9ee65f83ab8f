"""The crash sweep: the operator dies at every write of every workload, in three ways, and is started again.

A point holds where everything has converged in time, in the very state that an undisturbed run ends in, with nothing
made or removed more often than there.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from faults import kinds
from faults.audit import made_and_removed
from faults.calls import Call
from faults.endstate import CHILDREN, differences, end_state
from faults.proxy import Fault
from faults.workloads import Workload
from faults.world import World
from kube import Manifest
from release import ACCOUNT
from typosentinel_operator import names

CONVERGED_SECONDS = 15.0
# Longest that anything may take before it counts as never.
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
# An undisturbed run has come to rest when this long nothing has been written.
REST_SECONDS = 4.0
# Autoscalers look every 15 seconds; what one says at its first look is news, and written.
AUTOSCALER_SECONDS = 20.0

MODES: dict[str, Callable[[Callable[[], None]], Fault]] = {
    "before": kinds.crash_before,
    "unanswered": kinds.crash_unanswered,
    "after": kinds.crash_after,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """An undisturbed run.

    Attributes:
        end: the state that it ends in.
        made: how often the operator made and removed what.
        calls: its writes, in order.
    """

    end: dict[str, Manifest]
    made: Counter[str]
    calls: tuple[Call, ...]


@dataclass(slots=True)
class Point:
    """The operator dies at one write of a workload.

    Attributes:
        workload: which.
        number: of the write, from 1.
        mode: of `MODES`.
        namespace: where.
        call: the write; None where it did not come to it.
        seconds: from the restart until everything had converged; None where it never did.
        wrong: what was otherwise in the end than it should be.
        extra_writes: more than in the undisturbed run.
    """

    workload: Workload
    number: int
    mode: str
    namespace: str
    call: Call | None = None
    seconds: float | None = None
    wrong: list[str] = field(default_factory=list)
    extra_writes: int = 0

    @property
    def held(self) -> bool:
        """Whether all went as it should."""
        return self.call is not None and self.in_time and not self.wrong

    @property
    def in_time(self) -> bool:
        """Whether everything had converged in time."""
        return self.seconds is not None and self.seconds <= CONVERGED_SECONDS

    def __str__(self) -> str:
        at = f"{self.workload.name} {self.number} ({self.call}) {self.mode}"
        took = "" if self.call is None else "never converged" if self.seconds is None else f"{self.seconds:.1f} s"
        return f"{at}: {took}{''.join(f'; {line}' for line in self.wrong[:5])}"


def reference(world: World, workload: Workload) -> Reference:
    """Let a workload go undisturbed, twice, and keep what both runs have in common.

    Raises:
        AssertionError: the two ended differently, so that no other run can be compared with them.
    """
    spaces = [f"{workload.name}-reference-{run}" for run in "ab"]
    settle(world, workload, spaces)
    runs = [_undisturbed(world, workload, space) for space in spaces]
    differ = differences(runs[0].end, runs[1].end) + differences(dict(runs[0].made), dict(runs[1].made))
    assert not differ, f"two undisturbed runs of {workload.name} differ: {differ}"
    # Reports of what came in between are written more often in one run than in another: every run gets this far.
    return min(runs, key=lambda run: len(run.calls))


def points(workload: Workload, undisturbed: Reference, most: int | None, chance: random.Random) -> list[Point]:
    """The places to die at: all, or some of them drawn."""
    every = [(number, mode) for number in range(1, len(undisturbed.calls) + 1) for mode in MODES]
    chosen = every if most is None else sorted(chance.sample(every, min(most, len(every))))
    return [Point(workload, number, mode, f"{workload.name}-{number:02}-{mode}") for number, mode in chosen]


def settle(world: World, workload: Workload, spaces: Sequence[str]) -> None:
    """Make namespaces in which the workload can begin."""
    before = [one for space in spaces for one in workload.before(space)]
    world.prepare(spaces, before)
    world.operator.start()
    if not before:
        return
    deadline = time.monotonic() + PATIENCE_SECONDS + len(spaces)
    while waiting := [space for space in spaces if not is_ready(world, space)]:
        assert time.monotonic() < deadline, f"not ready before anything happens: {waiting}"
        time.sleep(1)
    at_rest(world, PATIENCE_SECONDS)


def at_rest(world: World, seconds: float, rest: float = REST_SECONDS) -> None:
    """Wait until nothing has been written for a while."""
    deadline = time.monotonic() + seconds
    seen, since = world.writes(), time.monotonic()
    while time.monotonic() - since < rest:
        assert time.monotonic() < deadline, f"still writing after {seconds:g} s"
        time.sleep(POLL_SECONDS)
        if world.writes() != seen:
            seen, since = world.writes(), time.monotonic()


def strike(world: World, point: Point, undisturbed: Reference, patience: float = PATIENCE_SECONDS) -> None:
    """Carry out one point, and wait so many seconds for its end."""
    world.proxy.calls.clear()
    world.audit.skip()
    world.operator.start()
    left = point.number

    def meant(call: Call) -> bool:
        nonlocal left
        left -= call.writes and call.namespace == point.namespace
        return left == 0 and call.writes

    injection = world.proxy.inject(MODES[point.mode](partial(_kill, world)), meant, times=1)
    point.workload.act(world.kubectl, point.namespace)
    _await_death(world, point)
    world.proxy.heal()
    if world.operator.running:
        return
    if not injection.met:
        point.wrong.append("the operator ended by itself")
        return
    point.call = injection.met[0]
    started = time.monotonic()
    world.operator.start(wait=False)
    found: list[str] = []
    while time.monotonic() - started < patience:
        found = _left_to_do(world, point, undisturbed)
        if not found:
            point.seconds = time.monotonic() - started
            break
        time.sleep(POLL_SECONDS)
    point.wrong += found
    made = made_and_removed(world.audit.entries(), point.namespace, f":{ACCOUNT}")
    point.wrong += differences(dict(undisturbed.made), dict(made))
    point.extra_writes = max(0, world.writes(point.namespace) - len(undisturbed.calls))


def figures(done: Sequence[Point], quiet_writes: Sequence[Call]) -> dict[str, float]:
    """What a sweep comes to."""
    reached = [point for point in done if point.call is not None]
    seconds = sorted(point.seconds for point in reached if point.seconds is not None)
    return {
        "points": len(reached),
        "unreached": len(done) - len(reached),
        "converged": sum(point.in_time for point in reached),
        "wrong_end": sum(bool(point.wrong) for point in reached),
        "p95_s": round(seconds[int(0.95 * (len(seconds) - 1))], 1) if seconds else 0.0,
        "max_s": round(seconds[-1], 1) if seconds else 0.0,
        "extra_writes": max((point.extra_writes for point in reached), default=0),
        "quiet_writes": len(quiet_writes),
    }


def sweep(
    world: World, workloads: Sequence[Workload], most: int | None, chance: random.Random
) -> Iterator[tuple[Point, str]]:
    """Carry out workloads one after another, and each point with how far it is: "12 of 60"."""
    for workload in workloads:
        undisturbed = reference(world, workload)
        chosen = points(workload, undisturbed, most, chance)
        settle(world, workload, [point.namespace for point in chosen])
        for place, point in enumerate(chosen, start=1):
            strike(world, point, undisturbed)
            yield point, f"{place} of {len(chosen)}"
        # A sweep is about one object; those of all points before would only have to be looked at in between.
        world.clear([point.namespace for point in chosen])


def quiet(world: World, seconds: float) -> tuple[Call, ...]:
    """The writes in a time in which nobody does anything."""
    at_rest(world, 2 * PATIENCE_SECONDS, AUTOSCALER_SECONDS)
    world.proxy.calls.clear()
    time.sleep(seconds)
    return tuple(call for call in tuple(world.proxy.calls) if call.writes)


def _await_death(world: World, point: Point) -> None:
    """Wait until the operator has died, or has come to rest without getting to that write."""
    seen, since = world.writes(), time.monotonic()
    while world.operator.running:
        time.sleep(POLL_SECONDS / 10)
        if world.writes() != seen:
            seen, since = world.writes(), time.monotonic()
        rested = time.monotonic() - since
        if rested > PATIENCE_SECONDS or (
            rested > REST_SECONDS and _has_come_about(world, point.workload, point.namespace)
        ):
            return


def _undisturbed(world: World, workload: Workload, space: str) -> Reference:
    world.proxy.calls.clear()
    world.audit.skip()
    workload.act(world.kubectl, space)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _has_come_about(world, workload, space):
        assert time.monotonic() < deadline, f"{workload.name} does not come about: {end_state(world.kubectl, space)}"
        time.sleep(POLL_SECONDS)
    at_rest(world, PATIENCE_SECONDS)
    made = made_and_removed(world.audit.entries(), space, f":{ACCOUNT}")
    calls = tuple(call for call in tuple(world.proxy.calls) if call.writes and call.namespace == space)
    return Reference(end_state(world.kubectl, space), made, calls)


def _left_to_do(world: World, point: Point, undisturbed: Reference) -> list[str]:
    if not _has_come_about(world, point.workload, point.namespace):
        return ["not Ready" if point.workload.leaves else "not removed"]
    return differences(undisturbed.end, end_state(world.kubectl, point.namespace))


def _has_come_about(world: World, workload: Workload, space: str) -> bool:
    if workload.leaves:
        return is_ready(world, space)
    return not world.kubectl.list_json(CHILDREN, space, names.MANAGED_SELECTOR)


def is_ready(world: World, space: str) -> bool:
    """Whether the ScanService `front` is Ready, as it is specified now."""
    found = world.kubectl.get_json("scanservice", "front", space)
    if found is None or found.get("status", {}).get("observedGeneration") != found["metadata"]["generation"]:
        return False
    ready = [one for one in found["status"].get("conditions", []) if one["type"] == names.Condition.READY]
    return bool(ready) and ready[0]["status"] == "True"


def _kill(world: World) -> None:
    world.operator.kill_now()


def told(point: Point, progress: str) -> str:
    """A line about a point for who watches."""
    word = "not reached" if point.call is None else "held" if point.held else "FAILED"
    return f"[faults] {progress:>9}  {word}  {point}"


def last_line(done: Sequence[Point], quiet_writes: Sequence[Call]) -> str:
    """The figures as JSON, with what did not hold."""
    failed = [str(point) for point in done if not point.held and point.call is not None]
    failed += [f"in quiet: {call}" for call in quiet_writes]
    return json.dumps({"faults": "crash", **figures(done, quiet_writes), "failed": failed})
