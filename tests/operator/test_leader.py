"""The elector, on an API server that does what the test wants."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from electing import TIMING, Candidate, Leases
from typosentinel_operator import leader
from typosentinel_operator.errors import ClusterError, LeadershipLost

LEADER = "typosentinel_operator_leader"
FAILURES = "typosentinel_operator_lease_failures_total"


async def leading() -> tuple[Candidate, asyncio.Task[None]]:
    """A candidate that leads, and its task."""
    candidate = Candidate(Leases())
    task = candidate.start()
    await candidate.began.wait()
    return candidate, task


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_who_finds_no_lease_makes_one_and_leads() -> None:
    """And may write for as long as the deadline is away."""
    candidate, task = await leading()
    assert candidate.cluster.asked == ["get", "create"]
    assert candidate.cluster.holder == "me"
    assert 0 < candidate.tenure_at_start <= TIMING.deadline
    assert (candidate.elector.leading, candidate.value(LEADER)) == (True, 1)
    await end(task)


async def test_a_leader_renews_without_reading() -> None:
    """It knows what it wrote: one request a period."""
    candidate, task = await leading()
    await asyncio.sleep(TIMING.deadline * 1.5)
    assert candidate.elector.leading
    assert candidate.cluster.asked[:4] == ["get", "create", "update", "update"]
    assert set(candidate.cluster.asked[2:]) == {"update"}
    await end(task)


async def test_work_ends_first_and_the_lease_is_given_back_afterwards() -> None:
    """Whoever takes over must find nobody at work."""
    candidate, task = await leading()
    candidate.finish.set()
    await task
    assert (candidate.holder_at_end, candidate.cluster.holder) == ("me", "")
    assert candidate.tenure.left() == 0
    assert (candidate.elector.leading, candidate.value(LEADER)) == (False, 0)


async def test_the_lease_runs_out_by_itself_where_a_write_was_cut_off() -> None:
    """It may be carried out yet: the next leader has to wait until that is over."""
    candidate, task = await leading()
    candidate.cluster.left_open = True
    candidate.finish.set()
    await task
    assert candidate.cluster.holder == "me"
    assert candidate.tenure.left() == 0


async def test_work_that_crashes_gives_the_lease_back_too() -> None:
    """The error goes on to whoever called."""
    candidate = Candidate(Leases())

    async def crash() -> None:
        raise ValueError("a bug")

    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await candidate.elector.lead(crash)
    assert candidate.cluster.holder == ""


async def test_nobody_waits_long_for_the_lease_to_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a process that has to end: what the API server does not answer runs out by itself."""
    monkeypatch.setattr(leader, "RELEASE_SECONDS", 0.02)
    candidate = Candidate(Leases())
    candidate.elector.timing = replace(TIMING, duration=1200, deadline=600)
    task = candidate.start()
    await candidate.began.wait()

    async def hang(_: str) -> None:
        await asyncio.sleep(60)

    candidate.cluster.before = hang
    candidate.finish.set()
    async with asyncio.timeout(2.0):
        await task
    assert candidate.cluster.holder == "me"


async def test_a_standby_takes_over_when_the_lease_is_given_back() -> None:
    """Within about a period, and counts the change of its holder."""
    leases = Leases()
    first, second = Candidate(leases, "first"), Candidate(leases, "second")
    leading = first.start()
    await first.began.wait()
    standing_by = second.start()
    await asyncio.sleep(TIMING.retry * 3)
    assert (second.elector.leading, second.began.is_set(), second.value(LEADER)) == (False, False, 0)
    assert second.elector.followed is not None
    assert second.elector.attempted is not None
    first.finish.set()
    await leading
    async with asyncio.timeout(TIMING.duration / 2):
        await second.began.wait()
    assert leases.holder == "second"
    assert second.value("typosentinel_operator_leader_transitions_total") == 1
    assert leases.lease is not None
    assert leases.lease["spec"]["leaseTransitions"] == 1
    await end(standing_by)


async def test_a_standby_that_is_ended_leaves_the_lease_alone() -> None:
    """It was never its own."""
    leases = Leases()
    leases.put("other", 600)
    candidate = Candidate(leases)
    task = candidate.start()
    await asyncio.sleep(TIMING.retry * 2)
    await end(task)
    assert leases.holder == "other"
    assert set(leases.asked) == {"get"}


async def test_of_two_that_claim_at_once_one_leads() -> None:
    """The other one hears of a conflict and looks again."""
    leases = Leases()
    leases.put("dead", 1)
    both = [Candidate(leases, name) for name in ("first", "second")]
    tasks = [candidate.start() for candidate in both]
    await asyncio.wait([asyncio.create_task(one.began.wait()) for one in both], return_when="FIRST_COMPLETED")
    await asyncio.sleep(TIMING.retry * 4)
    (winner,) = [one for one in both if one.elector.leading]
    assert leases.holder == winner.elector.identity
    for task in tasks:
        await end(task)


async def lost(candidate: Candidate, task: asyncio.Task[None]) -> str:
    """Wait for the end of a leader; returns the reason."""
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(2.0):
            await task
    (error,) = caught.value.exceptions
    assert isinstance(error, LeadershipLost)
    assert candidate.cancelled
    assert candidate.tenure.left() == 0
    assert (candidate.elector.leading, candidate.value(LEADER)) == (False, 0)
    return str(error)


async def test_a_leader_whose_lease_is_stolen_gives_up_at_its_next_renewal() -> None:
    """Not only at the deadline; and it does not touch what is another one's."""
    candidate, task = await leading()
    candidate.cluster.put("thief", 600)
    started = time.monotonic()
    assert await lost(candidate, task) == "leadership lost: the Lease is held by thief"
    assert time.monotonic() - started < TIMING.deadline
    assert candidate.cluster.holder == "thief"


async def test_a_leader_whose_lease_is_changed_by_the_way_goes_on() -> None:
    """Somebody's annotation makes a conflict, and after another look a renewal."""
    candidate, task = await leading()
    assert candidate.cluster.lease is not None
    meta = candidate.cluster.lease["metadata"] | {"resourceVersion": "changed"}
    candidate.cluster.lease = candidate.cluster.lease | {"metadata": meta}
    await asyncio.sleep(TIMING.deadline * 1.5)
    assert candidate.elector.leading
    assert candidate.cluster.asked[2:5] == ["update", "get", "update"]
    assert candidate.value(FAILURES) == 0
    await end(task)


async def test_a_leader_makes_its_lease_anew_when_somebody_deletes_it() -> None:
    """At once, so that nobody else does."""
    candidate, task = await leading()
    candidate.cluster.lease = None
    await asyncio.sleep(TIMING.retry * 2.5)
    assert candidate.cluster.asked[2:5] == ["update", "get", "create"]
    assert candidate.value(FAILURES) == 0
    assert (candidate.elector.leading, candidate.cluster.holder) == (True, "me")
    await end(task)


async def away(verb: str) -> None:
    """Nobody answers."""
    raise ClusterError(f"{verb}: connection refused")


async def hang(verb: str) -> None:
    """The answer never comes."""
    await asyncio.sleep(3600)


@pytest.mark.parametrize("trouble", [away, hang])
async def test_a_leader_that_cannot_renew_gives_up_at_the_deadline(
    trouble: Callable[[str], Coroutine[Any, Any, None]],
) -> None:
    """Not before, and before anybody else may lead."""
    candidate, task = await leading()
    until = candidate.tenure.until
    candidate.cluster.before = trouble
    assert "could not be renewed for 0.4 s" in await lost(candidate, task)
    assert until <= time.monotonic() < until + TIMING.duration - TIMING.deadline
    assert (candidate.value(FAILURES) or 0) >= 1


async def test_trouble_that_passes_before_the_deadline_costs_nothing() -> None:
    """Several attempts fit into it."""
    candidate, task = await leading()
    candidate.cluster.before = away
    await asyncio.sleep(TIMING.deadline / 2)
    candidate.cluster.before = None
    await asyncio.sleep(TIMING.deadline)
    assert candidate.elector.leading
    await end(task)


async def test_who_wakes_up_too_late_does_not_even_try() -> None:
    """A renewal might succeed where nobody has taken over yet, but by then writes have been refused."""
    candidate, task = await leading()
    asked = len(candidate.cluster.asked)
    time.sleep(TIMING.deadline * 1.2)  # noqa: ASYNC251 - the whole process stands still
    assert candidate.tenure.left() == 0
    assert "could not be renewed" in await lost(candidate, task)
    assert candidate.cluster.asked[asked:] == []


async def test_an_answer_that_got_lost_does_no_harm() -> None:
    """What was written is found at the next look, and is ours."""
    candidate = Candidate(Leases())

    def lose(verb: str) -> None:
        candidate.cluster.after = None
        raise ClusterError("connection reset")

    candidate.cluster.after = lose
    task = candidate.start()
    async with asyncio.timeout(1.0):
        await candidate.began.wait()
    assert candidate.cluster.asked == ["get", "create", "get", "update"]
    await end(task)


async def test_who_is_ended_while_it_claims_gives_back_what_it_may_have_got() -> None:
    """Else the standby would wait for a Lease that nobody holds."""
    candidate = Candidate(Leases())
    written = asyncio.Event()

    async def slow(verb: str) -> None:
        if verb == "create":
            candidate.cluster.put("me")
            written.set()
            candidate.cluster.before = None
            await asyncio.sleep(3600)

    candidate.cluster.before = slow
    task = candidate.start()
    await written.wait()
    await end(task)
    assert candidate.cluster.holder == ""


async def test_who_came_too_late_gives_nothing_back() -> None:
    """It has tried to claim the Lease, and another one got it."""
    candidate = Candidate(Leases())

    async def faster(verb: str) -> None:
        if verb == "create":
            candidate.cluster.put("other", 600)

    candidate.cluster.before = faster
    task = candidate.start()
    await asyncio.sleep(TIMING.retry * 3)
    await end(task)
    assert "create" in candidate.cluster.asked
    assert candidate.cluster.holder == "other"


async def test_a_renewal_that_comes_between_is_no_reason_to_keep_the_lease() -> None:
    """It was on its way when the work ended."""
    candidate, task = await leading()
    late = False

    async def renewal(verb: str) -> None:
        nonlocal late
        if verb == "update" and candidate.tenure.left() == 0 and not late:
            late = True
            candidate.cluster.put("me")

    candidate.cluster.before = renewal
    candidate.finish.set()
    await task
    assert (late, candidate.cluster.holder) == (True, "")


async def test_an_api_server_that_is_away_at_the_end_does_not_hold_us_up() -> None:
    """The Lease runs out by itself."""
    candidate, task = await leading()
    candidate.cluster.before = away
    candidate.finish.set()
    async with asyncio.timeout(TIMING.deadline):
        await task
    assert candidate.cluster.holder == "me"
