"""The keyed work queue, with real tasks."""

import asyncio

import pytest

from queueing import Worker, held, queue_of, running, settle
from typosentinel_operator import workqueue
from typosentinel_operator.errors import ClusterError, Permanent, Transient


async def test_a_key_waits_at_most_once() -> None:
    """A hundred events about one object cost one reconciliation."""
    worker = Worker()
    queue, _ = queue_of(worker.process)
    for _ in range(100):
        queue.add("a")
    queue.add("b")
    async with running(queue):
        await settle()
    assert worker.started == ["a", "b"]


async def test_a_key_added_while_it_is_worked_on_runs_once_more() -> None:
    """The reconciliation under way may have read what has changed since."""
    async with held() as (worker, queue):
        queue.add("a")
        await settle()
        queue.add("a")
        queue.add("a")
        await settle()
        assert worker.started == ["a"]
        worker.gate.set()
        await settle()
    assert worker.started == ["a", "a"]


async def test_no_two_workers_see_the_same_key() -> None:
    """While different keys are worked on side by side."""
    async with held(workers=4) as (worker, queue):
        for _ in range(3):
            for key in ("a", "b"):
                queue.add(key)
            await settle()
        assert sorted(worker.active) == ["a", "b"]
        worker.gate.set()
        await settle()
    wanted = {"a": 1, "b": 1}
    assert wanted == worker.most


async def test_a_delayed_key_runs_when_it_is_due() -> None:
    """And not before."""
    worker = Worker()
    queue, _ = queue_of(worker.process)
    async with running(queue):
        queue.add("a", 0.05)
        await settle()
        assert worker.started == []
        await asyncio.sleep(0.08)
    assert worker.started == ["a"]


async def test_of_several_delays_the_earliest_counts() -> None:
    """A later wish must not put off an earlier one, and one run serves both."""
    worker = Worker()
    queue, _ = queue_of(worker.process)
    async with running(queue):
        queue.add("a", 0.2)
        queue.add("a", 0.03)
        queue.add("a", 0.1)
        await asyncio.sleep(0.06)
        assert worker.started == ["a"]
        await asyncio.sleep(0.2)
    assert worker.started == ["a"]


async def test_an_add_without_delay_cancels_the_delayed_one() -> None:
    """The object is looked at now, so nothing is left to wait for."""
    worker = Worker()
    queue, _ = queue_of(worker.process)
    async with running(queue):
        queue.add("a", 0.03)
        queue.add("a")
        await asyncio.sleep(0.06)
    assert worker.started == ["a"]


async def test_a_delayed_add_of_a_waiting_key_is_nothing_new() -> None:
    """It will run before that anyway."""
    worker = Worker()
    queue, _ = queue_of(worker.process)
    queue.add("a")
    queue.add("a", 0.02)
    async with running(queue):
        await asyncio.sleep(0.05)
    assert worker.started == ["a"]


async def test_a_reconciliation_asks_for_the_next_one() -> None:
    """By returning seconds."""
    worker = Worker()
    worker.outcomes = [0.02]
    queue, _ = queue_of(worker.process)
    async with running(queue):
        queue.add("a")
        await asyncio.sleep(0.05)
    assert worker.started == ["a", "a"]


@pytest.mark.parametrize(
    ("failures", "wanted"), [(1, 0.2), (2, 0.4), (3, 0.8), (9, 51.2), (10, 60.0), (1000, 60.0), (10**6, 60.0)]
)
def test_backoff_doubles_up_to_a_minute(failures: int, wanted: float) -> None:
    """A fault that lasts costs one attempt a minute."""
    assert wanted == pytest.approx(workqueue.backoff(failures))


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        (Transient("later"), 0.2, 0.2),
        (ClusterError("busy", status=429, retry_after=7.0), 7.0, 7.0),
        (Transient("now", retry_after=0.0), 0.2, 0.2),
        (RuntimeError("bug"), 0.2, 0.2),
        (Permanent("Reason", "words"), 0.2, 0.2),
    ],
)
async def test_after_a_failure_the_key_comes_back(error: Exception, least: float, most: float) -> None:
    """After our own backoff, or when the other side wants it, whichever is later; a crash does not kill the queue."""
    worker = Worker()
    worker.outcomes = [error]
    queue, registry = queue_of(worker.process)
    async with running(queue):
        queue.add("a")
        await settle()
        due = queue._due["a"] - asyncio.get_running_loop().time()
        assert least - 0.1 < due <= most
        queue.add("b")
        await settle()
    assert worker.started == ["a", "b"]
    assert registry.get_sample_value("typosentinel_operator_workqueue_retries_total") == 1


async def test_a_success_ends_the_counting_of_failures() -> None:
    """The next fault begins with a short wait again."""
    worker = Worker()
    worker.outcomes = [Transient("x"), Transient("x"), None, Transient("x")]
    queue, _ = queue_of(worker.process)
    waits = []
    async with running(queue):
        for _ in range(4):
            queue._not_before.clear()
            queue.add("a")
            await settle()
            waits.append(queue._due.get("a", 0.0) and queue._due["a"] - asyncio.get_running_loop().time())
    wanted = [pytest.approx(0.2, abs=0.1), pytest.approx(0.4, abs=0.1), 0.0, pytest.approx(0.2, abs=0.1)]
    assert wanted == waits


async def test_an_event_does_not_get_round_the_waiting_time_of_a_failing_key() -> None:
    """Pods that come and go while the API server asks for peace must not make a storm of it."""
    worker = Worker()
    worker.outcomes = [Transient("429", retry_after=30.0)]
    queue, _ = queue_of(worker.process)
    async with running(queue):
        queue.add("a")
        await settle()
        for _ in range(100):
            queue.add("a")
            await settle()
        due = queue._due["a"] - asyncio.get_running_loop().time()
    assert worker.started == ["a"]
    assert due == pytest.approx(30.0, abs=1.0)


async def test_an_event_shortens_a_long_waiting_time_of_our_own() -> None:
    """It may be the user's correction; seconds are enough to keep a storm away."""
    worker = Worker()
    worker.outcomes = [Transient("x")]
    queue, _ = queue_of(worker.process)
    async with running(queue):
        queue._failures["a"] = 20
        queue.add("a")
        await settle()
        queue.add("a")
        due = queue._due["a"] - asyncio.get_running_loop().time()
    assert due == pytest.approx(3.0, abs=0.5)


async def test_a_timer_that_rings_while_a_failed_key_has_to_wait_is_not_the_end_of_it() -> None:
    """A delayed add came while the key was worked on, and is due before the other side allows the next attempt."""
    worker = Worker()
    worker.gate.clear()
    worker.outcomes = [Transient("429", retry_after=0.1)]
    queue, _ = queue_of(worker.process)
    async with running(queue):
        queue.add("a")
        await settle()
        queue.add("a", 0.02)
        worker.gate.set()
        await asyncio.sleep(0.4)
        assert worker.started == ["a", "a"]
        queue.add("a", 0.01)
        await asyncio.sleep(0.05)
    assert worker.started == ["a", "a", "a"]


async def test_cancellation_ends_workers_and_timers() -> None:
    """Nothing runs, and nothing fires, once the operator stops."""
    async with held() as (worker, queue):
        queue.add("a")
        queue.add("b", 0.02)
        await settle()
        assert worker.active == ["a"]
    assert worker.active == []
    await asyncio.sleep(0.05)
    assert worker.started == ["a"]
    assert queue.oldest() == 0.0


async def test_who_is_told_to_finish_begins_with_nothing_more() -> None:
    """What is under way is waited for; what waits, comes in, or is to come back, is left alone."""
    worker = Worker()
    worker.gate.clear()
    worker.outcomes = [0.0]
    queue, _ = queue_of(worker.process)
    async with running(queue, workers=1):
        queue.add("a")
        queue.add("b")
        await settle()
        finishing = asyncio.create_task(queue.finish(60.0))
        await settle()
        queue.add("c")
        assert not finishing.done()
        worker.gate.set()
        await finishing
        assert worker.active == []
        queue.add("d")
        await settle()
        assert worker.started == ["a"]


async def test_nobody_waits_for_work_that_does_not_end() -> None:
    """Not for longer than was said, and not at all where there is no time."""
    async with held() as (worker, queue):
        queue.add("a")
        await settle()
        for seconds in (0.01, 0.0):
            async with asyncio.timeout(2.0):
                await queue.finish(seconds)
        assert worker.active == ["a"]


async def test_an_idle_queue_is_finished_at_once() -> None:
    """Also one that was never at work."""
    queue, _ = queue_of(Worker().process)
    async with asyncio.timeout(2.0):
        await queue.finish(60.0)


async def test_the_oldest_key_tells_that_something_hangs() -> None:
    """Waiting and being worked on both count; an idle queue has no age."""
    now = 100.0
    worker = Worker()
    worker.gate.clear()
    queue, _ = queue_of(worker.process, lambda: now)
    assert queue.oldest() == 0.0
    queue.add("a")
    now = 110.0
    queue.add("b")
    assert queue.oldest() == 10.0
    async with running(queue, workers=1):
        await settle()
        now = 130.0
        assert queue.oldest() == 20.0
        worker.gate.set()
        await settle()
        assert queue.oldest() == 0.0


async def test_the_queue_counts_what_it_does() -> None:
    """Depth, adds and time in the queue are what kopf does not tell."""
    worker = Worker()
    queue, registry = queue_of(worker.process)
    queue.add("a")
    queue.add("a")
    assert registry.get_sample_value("typosentinel_operator_workqueue_depth") == 1
    async with running(queue):
        await settle()
    assert registry.get_sample_value("typosentinel_operator_workqueue_depth") == 0
    assert registry.get_sample_value("typosentinel_operator_workqueue_adds_total") == 2
    assert registry.get_sample_value("typosentinel_operator_workqueue_queue_duration_seconds_count") == 1
