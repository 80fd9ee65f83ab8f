"""Which transitions and writes deserve an Event."""

import asyncio
from typing import Any

import pytest
from prometheus_client import Counter

import factories
from typosentinel_operator import events, names
from typosentinel_operator.apply import Change
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.conditions import Status, Transition, Verdict
from typosentinel_operator.errors import ClusterError
from typosentinel_operator.events import Outbox
from typosentinel_operator.names import Condition, Reason


@pytest.mark.parametrize(
    ("aspect", "before", "now", "reason", "wanted"),
    [
        (Condition.READY, "False", "True", Reason.READY, "Normal"),
        (Condition.READY, "True", "False", Reason.PODS_NOT_READY, "Warning"),
        (Condition.STALLED, "False", "True", Reason.NAME_CONFLICT, "Warning"),
        (Condition.STALLED, "True", "False", Reason.NOT_STALLED, "Normal"),
        (Condition.POLICY_RESOLVED, "True", "False", Reason.POLICY_NOT_FOUND, "Warning"),
        (Condition.CONFIGURATION_CURRENT, "Unknown", "True", Reason.ALL_PODS_CURRENT, "Normal"),
    ],
)
def test_a_condition_that_turns_is_told(aspect: str, before: str, now: Status, reason: str, wanted: str) -> None:
    """A turn for the worse is a warning, and Stalled is worse when it is true."""
    turned = Transition(Verdict(aspect, now, reason, "words"), before)
    expected = [(wanted, reason, f"{aspect} is {now}: words")]
    assert expected == events.of_transitions([turned])


@pytest.mark.parametrize(
    ("aspect", "before", "now", "reason"),
    [
        (Condition.READY, None, "False", Reason.ROLLING_OUT),
        (Condition.READY, None, "True", Reason.READY),
        (Condition.READY, "False", "False", Reason.PODS_NOT_READY),
        (Condition.STALLED, None, "False", Reason.NOT_STALLED),
        (Condition.RECONCILING, "False", "True", Reason.PROGRESSING),
        (Condition.RECONCILING, "True", "False", Reason.SETTLED),
        (Condition.SCALING_ACTIVE, "True", "Unknown", Reason.AUTOSCALER_PENDING),
    ],
)
def test_what_is_no_news_is_not_told(aspect: str, before: str | None, now: Status, reason: str) -> None:
    """First values, new reasons of the same state, what mirrors Ready, and what nobody knows."""
    assert events.of_transitions([Transition(Verdict(aspect, now, reason, "words"), before)]) == []


@pytest.mark.parametrize(
    ("aspect", "now", "reason"),
    [
        (Condition.READY, "False", Reason.POLICY_NOT_FOUND),
        (Condition.READY, "False", Reason.INVALID_POLICY),
        (Condition.REFERENCES_RESOLVED, "False", Reason.CONFIG_MAP_KEY_NOT_FOUND),
        (Condition.REFERENCES_RESOLVED, "False", Reason.LIST_REFUSED),
        (Condition.STALLED, "True", Reason.INVALID_SPEC),
        (Condition.STALLED, "True", Reason.NAME_CONFLICT),
        (Condition.STALLED, "True", Reason.APPLY_REFUSED),
    ],
)
def test_what_somebody_has_to_act_on_is_told_at_once(aspect: str, now: Status, reason: str) -> None:
    """Even where it is a condition's first value, or a new reason of the same state."""
    for before in (None, now):
        told = events.of_transitions([Transition(Verdict(aspect, now, reason, "words"), before)])
        assert told == [("Warning", reason, f"{aspect} is {now}: words")]


def test_every_write_is_told() -> None:
    """Who asks why an object changed finds the operator's word for it."""
    change = Change(Reason.CHILD_REPAIRED, "Deployment front-scanner had been changed")
    wanted = [("Normal", Reason.CHILD_REPAIRED, "Deployment front-scanner had been changed")]
    assert wanted == events.of_changes([change])


def test_writes_of_one_kind_are_told_together() -> None:
    """A new ScanService has six children, and six Events would be a quarter of all writes for it."""
    made = [Change(Reason.CHILD_CREATED, f"{kind} front-scanner was created") for kind in ("Service", "Deployment")]
    refused = Change(Reason.ADMIN_TOKEN_REFUSED, "no", bad=True)
    assert events.of_changes([made[0], refused, made[1]]) == [
        ("Normal", Reason.CHILD_CREATED, "Service front-scanner was created; Deployment front-scanner was created"),
        ("Warning", Reason.ADMIN_TOKEN_REFUSED, "no"),
    ]


class Posted(Cluster):
    """A cluster that takes Events.

    Attributes:
        notes: of those that came.
        trouble: raised in place of taking one.
        gate: to be open before one is taken.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.trouble: ClusterError | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def create(self, kind: names.Kind, manifest: dict[str, Any]) -> dict[str, Any]:
        """Take one."""
        assert kind == names.EVENT
        await self.gate.wait()
        if self.trouble:
            raise self.trouble
        self.notes.append(manifest["note"])
        return manifest


@pytest.fixture
def cluster() -> Posted:
    """Takes all."""
    return Posted()


@pytest.fixture
def dropped() -> Counter:
    """Counts those that nobody will read."""
    return Counter("dropped", "Of this test", registry=None)


SERVICE = factories.stored(factories.scan_service())


def told(*notes: str) -> list[tuple[str, str, str]]:
    """Events with these notes."""
    return [("Normal", Reason.READY, note) for note in notes]


async def turns(count: int = 20) -> None:
    """Let others do what they can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_events_are_written_in_their_order_behind_everybodys_back(cluster: Posted, dropped: Counter) -> None:
    """Who has something to tell does not wait for it."""
    outbox = Outbox(cluster, dropped)
    writing = asyncio.create_task(outbox.run(lambda: False))
    outbox.put(SERVICE, told("a", "b"), factories.NOW)
    assert cluster.notes == []
    await turns()
    outbox.put(SERVICE, told("c"), factories.NOW)
    await turns()
    assert cluster.notes == ["a", "b", "c"]
    writing.cancel()


async def test_events_stand_back_while_somebody_waits(
    cluster: Posted, dropped: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not for ever."""
    monkeypatch.setattr(events, "STEP_SECONDS", 0.0)
    looks: list[bool] = []

    def busy() -> bool:
        looks.append(True)
        return True

    outbox = Outbox(cluster, dropped)
    outbox.put(SERVICE, told("a"), factories.NOW)
    writing = asyncio.create_task(outbox.run(busy))
    await turns(10)
    assert cluster.notes == []
    await turns(2 * events.STANDS_BACK)
    assert (cluster.notes, len(looks)) == (["a"], events.STANDS_BACK)
    writing.cancel()


async def test_an_event_that_is_not_taken_is_counted_and_the_next_one_is_written(
    cluster: Posted, dropped: Counter
) -> None:
    """It must never stop anything."""
    outbox = Outbox(cluster, dropped)
    cluster.trouble = ClusterError("the namespace is being terminated")
    outbox.put(SERVICE, told("a"), factories.NOW)
    await outbox.finish(1.0)
    cluster.trouble = None
    outbox.put(SERVICE, told("b"), factories.NOW)
    await outbox.finish(1.0)
    assert (cluster.notes, dropped._value.get()) == (["b"], 1)


async def test_an_event_waits_as_long_as_the_api_server_asks_for(cluster: Posted, dropped: Counter) -> None:
    """It is not lost, and in its turn; at the end of the process nobody insists."""
    outbox = Outbox(cluster, dropped)
    outbox.put(SERVICE, told("one", "two"), factories.NOW)
    cluster.trouble = ClusterError("too many requests", status=429, retry_after=0.01)
    await outbox.finish(1.0)
    writing = asyncio.create_task(outbox.run(lambda: False))
    await asyncio.sleep(0.03)
    assert cluster.notes == []
    cluster.trouble = None
    await asyncio.sleep(0.1)
    assert cluster.notes == ["one", "two"]
    assert dropped._value.get() == 0
    writing.cancel()


async def test_of_too_many_the_oldest_are_dropped(
    cluster: Posted, dropped: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory has an end, and the latest is what people look for."""
    monkeypatch.setattr(events, "MAX_WAITING", 2)
    outbox = Outbox(cluster, dropped)
    outbox.put(SERVICE, told("a", "b", "c"), factories.NOW)
    await outbox.finish(1.0)
    assert (cluster.notes, dropped._value.get()) == (["b", "c"], 1)


async def test_who_finishes_waits_for_the_event_that_is_being_written(cluster: Posted, dropped: Counter) -> None:
    """What goes on after the end is cancelled."""
    outbox, gate = Outbox(cluster, dropped), asyncio.Event()
    cluster.gate = gate
    outbox.put(SERVICE, told("a"), factories.NOW)
    writing = asyncio.create_task(outbox.run(lambda: False))
    await turns()
    finishing = asyncio.create_task(outbox.finish(5.0))
    await turns()
    assert (cluster.notes, finishing.done()) == ([], False)
    gate.set()
    await finishing
    writing.cancel()
    assert cluster.notes == ["a"]


async def test_nobody_waits_for_an_event_for_long(cluster: Posted, dropped: Counter) -> None:
    """A process has seconds to end in."""
    outbox = Outbox(cluster, dropped)
    cluster.gate = asyncio.Event()
    outbox.put(SERVICE, told("a"), factories.NOW)
    writing = asyncio.create_task(outbox.run(lambda: False))
    await turns()
    await outbox.finish(0.01)
    writing.cancel()
    assert cluster.notes == []
