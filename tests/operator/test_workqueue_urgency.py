"""What somebody waits for goes first in the work queue, and does not lose that on the way."""

import asyncio

import pytest

from queueing import Worker, held, queue_of, running, settle
from typosentinel_operator import workqueue
from typosentinel_operator.errors import ClusterError


async def test_urgent_keys_go_first_and_the_others_are_not_forgotten() -> None:
    """One turn in five is theirs, however many urgent ones there are."""
    worker = Worker()
    queue, _ = queue_of(worker.process)
    for n in range(2):
        queue.add(f"calm {n}")
    for n in range(8):
        queue.add(f"urgent {n}", urgent=True)
    async with running(queue, workers=1):
        await settle()
    wanted = [f"urgent {n}" for n in range(8)]
    wanted[4:4] = ["calm 0"]
    assert worker.started == [*wanted, "calm 1"]


async def test_a_key_that_waits_becomes_urgent_when_somebody_asks() -> None:
    """It is worked on once, at the earlier place."""
    worker = Worker()
    queue, registry = queue_of(worker.process)
    for key in ("a", "b", "c"):
        queue.add(key)
    queue.add("c", urgent=True)
    assert registry.get_sample_value("typosentinel_operator_workqueue_depth") == 3
    async with running(queue, workers=1):
        await settle()
    assert worker.started == ["c", "a", "b"]
    assert registry.get_sample_value("typosentinel_operator_workqueue_depth") == 0


async def test_urgency_survives_a_wait() -> None:
    """A key that has to wait for its turn or its time is as urgent afterwards."""
    async with held(workers=1) as (worker, queue):
        queue.add("busy")
        await settle()
        queue.add("busy", urgent=True)
        queue.add("late", 0.01, urgent=True)
        queue.add("calm")
        await asyncio.sleep(0.02)
        worker.gate.set()
        await settle()
    assert worker.started == ["busy", "late", "busy", "calm"]


async def test_a_key_that_was_asked_for_twice_is_urgent_once() -> None:
    """When it comes back by itself, nobody waits for it, and it takes its turn behind the others."""
    worker = Worker()
    queue, _ = queue_of(worker.process)
    queue.add("a")
    for _ in range(3):
        queue.add("a", urgent=True)
    queue.add("b")
    assert queue.is_pressed()
    worker.gate.clear()
    async with running(queue, workers=1):
        await settle()
        assert not queue.is_pressed()
        queue.add("a")
        worker.gate.set()
        await settle()
        assert not queue.is_pressed()
    assert worker.started == ["a", "b", "a"]


async def test_who_asks_while_a_key_has_to_wait_is_not_forgotten() -> None:
    """Whether the timer is set by who is in a hurry or by somebody else, before or after."""
    async with held(workers=1) as (worker, queue):
        queue.add("busy")
        await settle()
        queue.add("calm")
        queue.add("first", 0.02, urgent=True)
        queue.add("first", 0.01)
        queue.add("second", 0.02)
        queue.add("second", 0.03, urgent=True)
        queue.add("third", 60.0, urgent=True)
        await asyncio.sleep(0.05)
        queue.add("third")
        worker.gate.set()
        await settle()
    assert worker.started == ["busy", "first", "second", "third", "calm"]


async def test_an_urgent_key_that_fails_stays_urgent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody waits for it still; once it is done, its next look is a calm one."""
    monkeypatch.setattr(workqueue, "BACKOFF_FIRST", 0.01)
    worker = Worker()
    worker.outcomes = [ClusterError("busy"), None, 0.0]
    queue, _ = queue_of(worker.process)
    async with running(queue, workers=1):
        queue.add("asked", urgent=True)
        await settle()
        worker.gate.clear()
        queue.add("blocks")
        await settle()
        queue.add("calm")
        await asyncio.sleep(0.02)
        worker.gate.set()
        await settle()
    assert worker.started[:4] == ["asked", "blocks", "asked", "calm"]
