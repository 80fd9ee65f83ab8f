import pytest

from running import StillClock
from typosentinel_server.breaker import Breaker, BreakerPolicy, State

POLICY = BreakerPolicy(failures=3, cooldown=10, max_cooldown=30)


@pytest.fixture
def seen() -> list[State]:
    """Seen."""
    return []


@pytest.fixture
def breaker(still: StillClock, seen: list[State]) -> Breaker:
    """Breaker."""
    return Breaker("redis", POLICY, still.clock.monotonic, seen.append)


def fail(breaker: Breaker, times: int = 1) -> None:
    """Fail."""
    for _ in range(times):
        assert breaker.admit()
        breaker.failed()


def test_so_many_failures_in_a_row_open_it(breaker: Breaker, seen: list[State]) -> None:
    """So many failures in a row open it."""
    fail(breaker, 2)
    assert breaker.state is State.CLOSED
    fail(breaker)
    assert (breaker.state, breaker.admit(), breaker.retry_after, seen) == (State.OPEN, False, 10, [State.OPEN])


def test_a_success_in_between_starts_the_count_anew(breaker: Breaker) -> None:
    """A success in between starts the count anew."""
    fail(breaker, 2)
    assert breaker.admit()
    breaker.worked()
    fail(breaker, 2)
    assert breaker.state is State.CLOSED


def test_one_trial_at_once_when_it_has_cooled(breaker: Breaker, still: StillClock, seen: list[State]) -> None:
    """One trial at once when it has cooled."""
    fail(breaker, 3)
    still.seconds += 10
    assert [breaker.admit(), breaker.admit()] == [True, False]
    breaker.worked()
    assert breaker.admit()
    assert seen == [State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_each_failed_trial_doubles_the_time_up_to_a_bound(breaker: Breaker, still: StillClock) -> None:
    """Each failed trial doubles the time up to a bound."""
    fail(breaker, 3)
    waits = []
    for _ in range(4):
        waits.append(breaker.retry_after)
        still.seconds += breaker.retry_after
        fail(breaker)
    assert waits == [10, 20, 30, 30]


def test_a_trial_that_worked_ends_the_doubling(breaker: Breaker, still: StillClock) -> None:
    """A trial that worked ends the doubling."""
    fail(breaker, 3)
    still.seconds += 10
    fail(breaker)
    still.seconds += 20
    assert breaker.admit()
    breaker.worked()
    fail(breaker, 3)
    assert breaker.retry_after == 10


def test_a_trial_that_was_given_up_makes_room_for_the_next(breaker: Breaker, still: StillClock) -> None:
    """A trial that was given up makes room for the next."""
    fail(breaker, 3)
    still.seconds += 10
    assert breaker.admit()
    breaker.gave_up()
    assert breaker.state is State.HALF_OPEN
    assert breaker.admit()


def test_failures_of_calls_from_before_it_opened_change_nothing(breaker: Breaker, still: StillClock) -> None:
    """Failures of calls from before it opened change nothing."""
    assert all(breaker.admit() for _ in range(5))
    for _ in range(5):
        breaker.failed()
    assert breaker.retry_after == 10


def test_reset_by_hand_closes_it(breaker: Breaker) -> None:
    """Reset by hand closes it."""
    fail(breaker, 3)
    breaker.reset()
    assert breaker.admit()
    assert breaker.failures == 0


def test_one_that_comes_and_goes_is_not_trusted_more_each_time(still: StillClock) -> None:
    """Until it has stayed closed for long enough, each opening lasts twice as long as the last one."""
    breaker = Breaker("redis", BreakerPolicy(3, cooldown=1, max_cooldown=4, settling=10), still.clock.monotonic)
    waits = []
    for _ in range(4):
        fail(breaker, 3)
        waits.append(breaker.retry_after)
        still.seconds += breaker.retry_after
        assert breaker.admit()
        breaker.worked()
        still.seconds += 5
    still.seconds += 5
    fail(breaker, 3)

    assert waits == [1, 2, 4, 4]
    assert breaker.retry_after == 1
