"""How often and how long providers are asked: bulkheads, breakers, evidence that is kept, callers that go away."""

import asyncio
from typing import Any

import pytest

from origin import Origin, http, says, stalls
from running import StillClock
from strangers import LOOPBACK, good, heard, registry, witness
from typosentinel_server.breaker import State as BreakerState
from typosentinel_server.clock import Clock
from typosentinel_server.providers.gleaned import State
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Verdict
from typosentinel_server.sections.providers import ProviderSettings


def flagged(name: str) -> ScanResult:
    """The judgement of a name that looks wrong."""
    return ScanResult(Package(Ecosystem.NPM, name), name, False, None, Verdict.ADVISORY, 0.5, (), "1")  # noqa: FBT003


async def test_a_full_bulkhead_makes_nobody_wait(origin: Origin, real_clock: Clock) -> None:
    """One more than is allowed at once has no evidence, at once; the rest go on."""
    origin.answers["/one"] = stalls()
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK], "timeout": "2s", "maxConcurrency": 1}
    async with witness(real_clock, **section) as found:
        first = asyncio.create_task(heard(found, "one"))
        await origin.was_asked.wait()
        (second,) = await heard(found, "two")
        assert not first.done()
        assert found._gatherer.providers[0].in_flight == 1
        (waited,) = await first
    assert (second.state, waited.state) == (State.UNAVAILABLE, State.TIMEOUT)
    assert "at once" in second.reason


async def test_the_breaker_opens_and_closes(origin: Origin, still: StillClock) -> None:
    """Five failures in a row: nothing more is sent until it has cooled; one good answer closes it."""
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        for n in range(8):
            origin.answers[f"/thing{n}"] = says(http("500 Internal Server Error"))
            await heard(found, f"thing{n}")
        (breaker,) = found.breakers
        assert (breaker.state, len(origin.asked)) == (BreakerState.OPEN, 5)
        still.seconds += 10
        origin.answers["/thing"] = good()
        (evidence,) = await heard(found)
    assert evidence.state is State.USED
    assert breaker.state is BreakerState.CLOSED


async def test_absent_packages_open_no_breaker(origin: Origin, still: StillClock) -> None:
    """404 is an answer, and so is a document that is too large or wrong."""
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        for n in range(10):
            await heard(found, f"thing{n}")
        assert found.breakers[0].state is BreakerState.CLOSED
    assert len(origin.asked) == 10


@pytest.mark.parametrize(("header", "held"), [("20", 20), ("100000", 300), ("Thu, 01 Jan 1970 00:17:00 GMT", 20)])
async def test_retry_after_is_kept_within_bounds(origin: Origin, still: StillClock, header: str, held: int) -> None:
    """A provider that asks to be left alone is, but for five minutes at most."""
    origin.answers["/thing"] = says(http("503 Service Unavailable", Retry_After=header))
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        await heard(found)
        origin.answers["/thing"] = good()
        still.seconds += held - 1
        (early,) = await heard(found)
        still.seconds += 2
        (late,) = await heard(found)
    assert (early.state, late.state) == (State.UNAVAILABLE, State.USED)
    assert len(origin.asked) == 2


@pytest.mark.parametrize("header", ["soon", "-5", "Thu, 99 Jan 1970 00:00:00 GMT", "1e9", "9" * 5000, ""])
async def test_an_odd_retry_after_holds_nothing_up(origin: Origin, still: StillClock, header: str) -> None:
    """What says nothing of use is passed over."""
    origin.answers["/thing"] = says(http("429 Too Many Requests", Retry_After=header))
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        (first,) = await heard(found)
        origin.answers["/thing"] = good()
        (second,) = await heard(found)
    assert (first.state, second.state) == (State.UNAVAILABLE, State.USED)


async def test_evidence_is_asked_for_once(origin: Origin, still: StillClock) -> None:
    """By all who ask at the same time, and again within its time; that there is nothing is remembered shorter."""
    origin.answers["/thing"] = good()
    async with witness(still.clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        answers = await asyncio.gather(*(heard(found) for _ in range(20)))
        assert {evidence.state for (evidence,) in answers} == {State.USED}
        still.seconds += 100
        (kept,) = await heard(found)
        assert (kept.state, kept.age) == (State.USED, 100.0)
        assert len(origin.asked) == 1
        for wait, asked in ((0, 2), (59, 2), (2, 3)):
            still.seconds += wait
            await heard(found, "nothing")
            assert len(origin.asked) == asked


async def test_other_providers_take_over_without_losing_anybody(origin: Origin, real_clock: Clock) -> None:
    """New settings hold for the next question; who waits for an answer of the old ones gets it."""
    answered = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
        await answered.wait()
        await good()(writer, headers)

    origin.answers["/thing"] = slow
    origin.answers["/new/thing"] = good()
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, **section) as found:
        before = found._gatherer.providers
        found.use(ProviderSettings.model_validate(section))
        assert found._gatherer.providers is before
        first = asyncio.create_task(heard(found))
        await origin.was_asked.wait()
        url = f"http://127.0.0.1:{origin.port}/new/{{name}}"
        other = {"registries": [{"ecosystem": "npm", "url": url}], "allowPrivate": [LOOPBACK]}
        found.use(ProviderSettings.model_validate(other))
        (second,) = await heard(found)
        answered.set()
        assert (await first)[0].state is State.USED
        assert second.state is State.USED
        await asyncio.gather(*found._retiring)
        assert before[0]._peer._session is not None
        assert before[0]._peer._session.closed


async def test_cancelled_questions_leave_nothing_behind(origin: Origin, real_clock: Clock) -> None:
    """A caller that goes away takes its place in the bulkhead along, and the breaker learns nothing from it."""
    origin.answers["/thing"] = stalls()
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK], "timeout": "2s"}
    async with witness(real_clock, **section) as found:
        task = asyncio.create_task(heard(found))
        await origin.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        provider = found._gatherer.providers[0]
        await provider._idle.wait()
        assert provider.in_flight == 0
        origin.answers["/thing"] = good()
        (evidence,) = await heard(found)
    assert evidence.state is State.USED


async def test_one_that_goes_away_takes_nothing_from_others(origin: Origin, real_clock: Clock) -> None:
    """Two wait for the same answer; the one that asked first gives up, and the other has it."""
    answered = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
        await answered.wait()
        await good()(writer, headers)

    origin.answers["/thing"] = slow
    async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        first, second = (asyncio.create_task(heard(found)) for _ in range(2))
        await origin.was_asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        answered.set()
        (evidence,) = await second
    assert evidence.state is State.USED
    assert len(origin.asked) == 1


async def test_what_is_wrong_is_told_once(origin: Origin, real_clock: Clock) -> None:
    """To the log, by provider and reason; an absent package and a name that is none are nobody's fault."""
    for name in ("one", "two"):
        origin.answers[f"/{name}"] = says(http("301 Moved", Location="/elsewhere"))
    told: list[Any] = []
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, notice=told.append, **section) as found:
        for name in ("one", "two", "absent", ".."):
            await found.testify(flagged(name), None)
    assert [(piece.provider, piece.package, piece.state) for piece in told] == [("npm", "one", State.REFUSED)]
    assert "redirects are not followed" in told[0].reason
