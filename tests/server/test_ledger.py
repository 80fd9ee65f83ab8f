"""The sliding window and the bucket of one caller, whatever is asked and when."""

from hypothesis import given
from hypothesis import strategies as st

from typosentinel_server.ratelimit.ledger import LINES, WIDTH, Ledger
from typosentinel_server.ratelimit.policy import Rule

RULES = st.tuples(st.integers(1, 300), st.integers(1, 100), st.integers(1, 300)).map(
    lambda given: Rule(given[0], given[1], min(given[0], given[2]))
)
# (seconds since the last question, cost)
QUESTIONS = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(0, 2), st.floats(0, 200)), st.integers(1, 40)), max_size=80
)


def most_in_a_window(uses: list[tuple[float, int]], window: float) -> int:
    """The largest sum over any half-open window of that length."""
    return max((sum(n for at, n in uses if start <= at < start + window) for start, _ in uses), default=0)


@given(RULES, QUESTIONS)
def test_no_window_ever_holds_more_than_the_limit(rule: Rule, questions: list[tuple[float, int]]) -> None:
    """Wherever it begins, and all of a cost is allowed or nothing of it."""
    now, uses, ledger = 1000.0, list[tuple[float, int]](), Ledger(rule, 1000.0)
    for pause, cost in questions:
        now += pause
        before = ledger.remaining(now)
        allowed = ledger.take(now, cost)
        assert allowed == (cost <= before)
        assert ledger.remaining(now) == before - (cost if allowed else 0)
        uses += [(now, cost)] if allowed else []
    # Times are floats: a window is a hair shorter than it says.
    assert most_in_a_window(uses, rule.window - 1e-6) <= rule.requests


@given(RULES, QUESTIONS)
def test_no_burst_is_larger_than_the_bucket(rule: Rule, questions: list[tuple[float, int]]) -> None:
    """Over any time no more than the burst and what the pace brings back."""
    now, uses, ledger = 1000.0, list[tuple[float, int]](), Ledger(rule, 1000.0)
    for pause, cost in questions:
        now += pause
        if ledger.take(now, cost):
            uses.append((now, cost))
    for n, (first, _) in enumerate(uses):
        used = 0
        for at, cost in uses[n:]:
            used += cost
            assert used <= rule.burst + (at - first) * rule.pace + 1e-6


@given(RULES, QUESTIONS, st.integers(1, 40))
def test_after_the_wait_that_it_names_the_cost_is_allowed(
    rule: Rule, questions: list[tuple[float, int]], cost: int
) -> None:
    """So that a caller who does as told is let in."""
    now, ledger = 1000.0, Ledger(rule, 1000.0)
    for pause, asked in questions:
        now += pause
        ledger.take(now, asked)
    wait = ledger.wait(now, cost)
    assert wait >= 0
    if cost <= rule.ceiling:
        assert ledger.take(now + wait + 1e-6, cost)
        assert wait <= 2 * rule.window


@given(RULES, QUESTIONS)
def test_a_ledger_stays_small(rule: Rule, questions: list[tuple[float, int]]) -> None:
    """However much happens in a window."""
    now, ledger = 1000.0, Ledger(rule, 1000.0)
    for pause, cost in questions:
        for _ in range(5):
            now += pause / 5
            ledger.note(now, cost)
    if rule.requests > LINES:
        assert len(ledger._lines) <= (LINES + 1) * WIDTH


def test_a_small_limit_is_counted_use_by_use() -> None:
    """Each use leaves the window when it is a window old, not with its neighbours."""
    rule = Rule(20, 60, 20)
    ledger = Ledger(rule, 0.0)
    for n in range(20):
        assert ledger.take(n / 128, 1)
    assert not ledger.take(59.5, 1)
    for n in range(20):
        assert ledger.take(60 + n / 128, 1)
        assert not ledger.take(60 + n / 128, 1)


def test_another_limit_keeps_what_was_used() -> None:
    """A new configuration is no amnesty."""
    ledger = Ledger(Rule(100, 60, 100), 0.0)
    ledger.note(0.0, 60)
    ledger.obey(Rule(80, 60, 80))
    assert ledger.remaining(1.0) == 20
    ledger.obey(Rule(50, 60, 50))
    assert ledger.remaining(1.0) == 0
    assert list(ledger.uses(1.0)) == [(1.0, 60)]
