"""Decisions of one replica that shares its limits with nobody."""

import asyncio
from collections.abc import Sequence

import pytest

from running import StillClock
from typosentinel_server.ratelimit.headers import lines, tell
from typosentinel_server.ratelimit.limiter import NO_LIMITS, Limiter, Limits
from typosentinel_server.ratelimit.policy import FREE, Decision, Endpoint, Rule
from typosentinel_server.ratelimit.statistics import Offenders
from typosentinel_server.ratelimit.store import Order, Reply

ANN, BOB = "addr:192.0.2.1", "addr:192.0.2.2"


def limiter_of(still: StillClock, **rules: Rule) -> Limiter:
    """A limiter with rules by endpoint."""
    given = {Endpoint(name.capitalize()): rule for name, rule in rules.items()}
    return Limiter(Limits(given, {}), still.clock.monotonic)


def taken(limiter: Limiter, endpoint: Endpoint, principal: str, cost: int = 1) -> Decision:
    """A decision that needs nobody else."""
    decision = limiter.take(endpoint, principal, cost)
    assert decision is not None
    return decision


def allowed(limiter: Limiter, endpoint: Endpoint, principal: str, times: int) -> int:
    """How many of so many requests are allowed."""
    return sum(taken(limiter, endpoint, principal).allowed for _ in range(times))


def test_without_limits_nothing_is_counted(still: StillClock) -> None:
    """Whoever asks for whatever is free, and leaves no trace."""
    limiter = Limiter(NO_LIMITS, still.clock.monotonic)
    assert not limiter.active
    assert taken(limiter, Endpoint.SCAN, ANN, 10**9) is FREE
    assert limiter.figures() == {}


@pytest.mark.parametrize("requests", [1, 20, 21, 64, 65, 1000])
def test_the_limit_holds_to_the_request(still: StillClock, requests: int) -> None:
    """Small ones and such as are taken in slices, in the first window and in the next."""
    limiter = limiter_of(still, default=Rule(requests, 60, requests))
    assert allowed(limiter, Endpoint.SCAN, ANN, 2 * requests) == requests
    still.seconds += 59.9
    assert allowed(limiter, Endpoint.SCAN, ANN, requests) == 0
    still.seconds += 0.2
    assert allowed(limiter, Endpoint.SCAN, ANN, 2 * requests) == requests


def test_what_is_left_counts_down_by_one(still: StillClock) -> None:
    """Slices are not to be seen."""
    limiter = limiter_of(still, default=Rule(200, 60, 200))
    assert [taken(limiter, Endpoint.SCAN, ANN).remaining for _ in range(200)] == list(range(199, -1, -1))


def test_a_burst_and_the_pace(still: StillClock) -> None:
    """The burst at once, then one for each sixth of a second."""
    limiter = limiter_of(still, default=Rule(360, 60, 30))
    assert allowed(limiter, Endpoint.SCAN, ANN, 100) == 30
    still.seconds += 10
    assert allowed(limiter, Endpoint.SCAN, ANN, 100) == 30
    still.seconds += 0.5
    assert allowed(limiter, Endpoint.SCAN, ANN, 100) == 3


def test_a_refusal_says_when_to_come_back(still: StillClock) -> None:
    """And who does is let in."""
    limiter = limiter_of(still, scan=Rule(2, 60, 2))
    first = taken(limiter, Endpoint.SCAN, ANN)
    assert first == Decision(True, 2, 1, 60, 60, None, "scan")  # noqa: FBT003 - it is a tuple
    still.seconds += 10.5
    taken(limiter, Endpoint.SCAN, ANN)
    refusal = taken(limiter, Endpoint.SCAN, ANN)
    assert refusal == Decision(False, 2, 0, 60, 50, 50, "scan")  # noqa: FBT003 - it is a tuple
    assert taken(limiter, Endpoint.SCAN, ANN) == refusal
    still.seconds += 50
    assert taken(limiter, Endpoint.SCAN, ANN).allowed


def test_callers_and_endpoints_have_budgets_of_their_own(still: StillClock) -> None:
    """One endpoint without a limit of its own shares the general one."""
    limiter = limiter_of(still, default=Rule(2, 60, 2), batch=Rule(3, 60, 3))
    assert allowed(limiter, Endpoint.SCAN, ANN, 1) == 1
    assert allowed(limiter, Endpoint.DEFAULT, ANN, 5) == 1
    assert allowed(limiter, Endpoint.BATCH, ANN, 5) == 3
    assert allowed(limiter, Endpoint.SCAN, BOB, 5) == 2
    assert limiter.figures() == {"Default": (4, 7, 2), "Batch": (3, 2, 1)}


def test_all_of_a_cost_or_nothing(still: StillClock) -> None:
    """What is refused uses nothing up; what could never be allowed says so by naming no time."""
    limiter = limiter_of(still, batch=Rule(100, 60, 50))
    assert taken(limiter, Endpoint.BATCH, ANN, 45).allowed
    refusal = taken(limiter, Endpoint.BATCH, ANN, 6)
    assert (refusal.allowed, refusal.retry_after) == (False, 1)
    assert taken(limiter, Endpoint.BATCH, ANN, 5).allowed
    never = taken(limiter, Endpoint.BATCH, BOB, 51)
    assert (never.allowed, never.retry_after) == (False, None)
    assert taken(limiter, Endpoint.BATCH, BOB, 50).allowed


def test_a_new_limit_keeps_counts(still: StillClock) -> None:
    """Raised and lowered at run time."""
    limiter = limiter_of(still, default=Rule(100, 60, 100))
    assert allowed(limiter, Endpoint.SCAN, ANN, 60) == 60
    limiter.obey(Limits({Endpoint.DEFAULT: Rule(120, 60, 120)}, {}))
    # A slice in hand stays good; it is part of the sixty-first to hundred-and-twentieth.
    assert allowed(limiter, Endpoint.SCAN, ANN, 200) == 60
    limiter.obey(Limits({Endpoint.DEFAULT: Rule(50, 60, 50)}, {}))
    assert allowed(limiter, Endpoint.SCAN, ANN, 200) == 0
    limiter.obey(NO_LIMITS)
    assert taken(limiter, Endpoint.SCAN, ANN) is FREE


def test_a_caller_with_limits_of_its_own(still: StillClock) -> None:
    """They stand in place of the general ones where they say something."""
    own = {"key:ci": {Endpoint.SCAN: Rule(5, 60, 5)}}
    limiter = Limiter(Limits({Endpoint.DEFAULT: Rule(2, 60, 2)}, own), still.clock.monotonic)
    assert allowed(limiter, Endpoint.SCAN, "key:ci", 9) == 5
    assert allowed(limiter, Endpoint.BATCH, "key:ci", 9) == 2
    assert allowed(limiter, Endpoint.SCAN, "key:other", 9) == 2


def test_a_crowd_of_addresses_is_forgotten_in_time(still: StillClock) -> None:
    """However many there are, so many are known; idle ones go before those at work."""
    limiter = Limiter(Limits({Endpoint.DEFAULT: Rule(5, 60, 5)}, {}, max_principals=100), still.clock.monotonic)
    for n in range(100):
        taken(limiter, Endpoint.SCAN, f"addr:{n}")
    still.seconds += 50
    assert allowed(limiter, Endpoint.SCAN, "addr:0", 10) == 4
    still.seconds += 20
    for n in range(100, 190):
        taken(limiter, Endpoint.SCAN, f"addr:{n}")
    assert allowed(limiter, Endpoint.SCAN, "addr:0", 10) == 1
    for n in range(1000, 21_000):
        taken(limiter, Endpoint.SCAN, f"addr:{n}")
    assert limiter.figures()["Default"][2] == 100
    assert limiter.statistics.evictions == 90 + 20_000


async def test_waiting_is_not_needed_where_nobody_shares(still: StillClock) -> None:
    """The same decision."""
    limiter = limiter_of(still, default=Rule(1, 60, 1))
    assert (await limiter.wait(Endpoint.SCAN, ANN)).allowed
    assert not (await limiter.wait(Endpoint.SCAN, ANN)).allowed


async def test_a_slice_of_its_own_is_void_where_others_share(still: StillClock) -> None:
    """What a replica had for itself would be given to others, too; and what was used is told first."""
    limiter = limiter_of(still, default=Rule(100, 60, 100))
    assert allowed(limiter, Endpoint.SCAN, ANN, 3) == 3
    told: list[Order] = []

    class Store:
        patience = 0.0
        retry_after = 0.0

        async def settle(self, orders: Sequence[Order]) -> list[Reply | None]:
            told.extend(orders)
            return [None for _ in orders]

    await limiter.share(Store())
    assert limiter.take(Endpoint.SCAN, ANN) is None
    await asyncio.sleep(0.01)
    assert [(order.keeps, [count for _, _, count in order.uses]) for order in told] == [(0, [3])]
    await limiter.close()


def test_who_is_refused_often_is_never_missed() -> None:
    """In the midst of a crowd of those refused once."""
    offenders = Offenders(size=10)
    for n in range(1000):
        offenders.add("scan", f"addr:{n}")
        if n % 4 == 0:
            offenders.add("scan", ANN)
    (policy, principal, count), *_ = offenders.top(3)
    assert (policy, principal) == ("scan", ANN)
    assert count >= 250
    assert len(offenders.top(100)) == 10


def test_headers_of_a_decision(still: StillClock) -> None:
    """Both families say the same, and both ways to say it; where there is no limit they say nothing."""
    decision = taken(limiter_of(still, default=Rule(600, 60, 100)), Endpoint.SCAN, ANN)
    told: dict[str, str] = {}
    tell(told, decision)
    assert told == {
        "X-RateLimit-Limit": "600",
        "X-RateLimit-Remaining": "99",
        "X-RateLimit-Window": "60",
        "RateLimit-Policy": '"default";q=600;w=60',
        "RateLimit": '"default";r=99;t=60',
    }
    assert lines(decision) == "".join(f"{name}: {value}\r\n" for name, value in told.items())
    told.clear()
    tell(told, FREE)
    assert (told, lines(FREE)) == ({}, "")
