"""Decides about requests, mostly from what is in memory."""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from typosentinel_server.ratelimit.account import Account
from typosentinel_server.ratelimit.broker import Broker
from typosentinel_server.ratelimit.budgets import Budget
from typosentinel_server.ratelimit.policy import FREE, Decision, Endpoint, Rule
from typosentinel_server.ratelimit.statistics import Statistics
from typosentinel_server.ratelimit.store import Store

LONGEST_SWEEP = 1.0
SHORTEST_SWEEP = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits.

    Attributes:
        rules: by endpoint; one that has none shares the budget of Default, and is free where that has none either.
        own: rules of callers who have some of their own, by principal.
        max_principals: callers known at once under each limit.
    """

    rules: Mapping[Endpoint, Rule]
    own: Mapping[str, Mapping[Endpoint, Rule]]
    max_principals: int = 10_000


NO_LIMITS = Limits({}, {})


class Limiter:
    """Says yes or no. For one event loop.

    Args:
        limits: what holds at first.
        monotonic: the clock, in seconds.
    """

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.statistics = Statistics()
        self._monotonic = monotonic
        self._broker: Broker | None = None
        self._all: dict[tuple[str, Endpoint], Budget] = {}
        self._budgets: dict[Endpoint, Budget] = {}
        self._own: dict[str, dict[Endpoint, Budget]] = {}
        self.obey(limits)

    @property
    def active(self) -> bool:
        """Whether there is any limit at all."""
        return bool(self._budgets or self._own)

    @property
    def shared(self) -> bool:
        """Whether limits hold over all replicas now; where not, each replica holds them for itself."""
        return self._broker is not None and not self._broker.away

    def figures(self) -> dict[str, tuple[int, int, int]]:
        """(allowed, limited, callers known) by name of the limit; callers' own limits count under the same names."""
        found: dict[str, tuple[int, int, int]] = {}
        for budget in self._all.values():
            allowed, limited, known = found.get(budget.name, (0, 0, 0))
            found[budget.name] = (
                allowed + budget.allowed,
                limited + budget.limited,
                known + len(budget.accounts),
            )
        return found

    def obey(self, limits: Limits) -> None:
        """Takes other limits from now on; what was used under a limit of the same name stays used."""
        old, self._all = self._all, {}

        def budgets(owner: str, rules: Mapping[Endpoint, Rule]) -> dict[Endpoint, Budget]:
            made: dict[Endpoint, Budget] = {}
            for endpoint, rule in rules.items():
                budget = old.get((owner, endpoint)) or Budget(endpoint.value, rule, limits.max_principals)
                budget.obey(rule, limits.max_principals)
                self._all[owner, endpoint] = made[endpoint] = budget
            if (default := made.get(Endpoint.DEFAULT)) is not None:
                made = {endpoint: made.get(endpoint, default) for endpoint in Endpoint}
            return made

        self._budgets = budgets("", limits.rules)
        self._own = {principal: self._budgets | budgets(principal, rules) for principal, rules in limits.own.items()}

    async def share(self, store: Store | None) -> None:
        """Shares budgets with all replicas of that store from now on; None: holds limits for this replica alone.

        A store is told at once what was used in the windows that still count, not when that caller comes again: others
        may ask it meanwhile.
        """
        before, self._broker = self._broker, None
        if before is not None:
            await before.close()
        broker = None if store is None else Broker(store, self._monotonic, self.statistics)
        now = self._monotonic()
        for account in self._accounts():
            account.forgotten()
            if broker is not None and account.used(now):
                broker.ask(account)
        self._broker = broker

    def take(self, endpoint: Endpoint, principal: str, cost: int = 1) -> Decision | None:
        """The decision, all of the cost or nothing; None where a slice must be waited for: then call `wait`."""
        budget = (self._own.get(principal) or self._budgets).get(endpoint) if self._own else self._budgets.get(endpoint)
        if budget is None:
            return FREE
        account = budget.accounts.get(principal)
        now = self._monotonic()
        if account is not None and now < account.until:
            left = account.left - cost
            if left >= 0:
                account.left = left
                account.spent += cost
                account.last = now
                budget.allowed += 1
                if (left <= account.low or now >= account.renew) and self._broker is not None:
                    self._broker.ask(account)
                window = budget.window
                return Decision(True, budget.limit, account.free + left, window, window, None, budget.policy)  # noqa: FBT003 - by position it is fast
        return self._without_slice(budget, account or budget.open(principal, now, self._gone), principal, cost, now)

    async def wait(self, endpoint: Endpoint, principal: str, cost: int = 1) -> Decision:
        """The decision, after a wait for the shared budget where there must be one; bounded by the store's patience."""
        decision = self.take(endpoint, principal, cost)
        if decision is not None:
            return decision
        budget = self._budget(endpoint, principal)
        account = budget.accounts[principal]
        broker = self._broker
        assert broker is not None  # noqa: S101 - without one `take` decides
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        account.waiters.append((future, cost))
        broker.ask(account)
        # One exchange may be under way, the next one is ours.
        await asyncio.wait((future,), timeout=2 * broker.store.patience + SHORTEST_SWEEP)
        now = self._monotonic()
        if not future.done() or future.cancelled():
            future.cancel()
            self.statistics.fail_open += 1
            return self._here(budget, account, principal, cost, now)
        if future.result():
            budget.allowed += 1
            return self._decision(budget, account.free + account.left)
        return self._refusal(budget, principal, account.retry_after(now, cost), account.left)

    async def run(self) -> None:
        """Gives back slices that nobody uses, for ever."""
        while True:
            leases = [budget.rule.lease for budget in self._all.values()]
            await asyncio.sleep(max(SHORTEST_SWEEP, min(LONGEST_SWEEP, min(leases, default=LONGEST_SWEEP) / 8)))
            self.sweep()

    def sweep(self) -> None:
        """Gives back slices that nobody uses, once."""
        broker, now = self._broker, self._monotonic()
        if broker is None:
            return
        for budget in self._all.values():
            while budget.leased:
                account = next(iter(budget.leased))
                if now < account.renew:
                    break
                del budget.leased[account]
                if account.owes():
                    broker.ask(account)

    async def close(self) -> None:
        """Gives back every slice, so that other replicas have the use of it, and ends the work."""
        broker, self._broker = self._broker, None
        if broker is None:
            return
        await broker.drain([account for account in self._accounts() if account.owes()])
        await broker.close()

    def _without_slice(
        self, budget: Budget, account: Account, principal: str, cost: int, now: float
    ) -> Decision | None:
        if cost > budget.rule.ceiling:
            return self._refusal(budget, principal, None, account.ledger.remaining(now))
        if now < account.blocked and cost >= account.lacking:
            left = account.left if now < account.until else 0
            return self._refusal(budget, principal, account.retry_after(now, cost), left)
        broker = self._broker
        if broker is None:
            decision = self._here(budget, account, principal, cost, now)
            account.slice_here(now)
            return decision
        if not broker.reachable():
            self.statistics.fail_open += 1
            # It is looked for again without anybody waiting for it.
            broker.ask(account)
            return self._here(budget, account, principal, cost, now)
        return None

    def _here(self, budget: Budget, account: Account, principal: str, cost: int, now: float) -> Decision:
        if account.spend_here(now, cost):
            budget.allowed += 1
            return self._decision(budget, account.ledger.remaining(now))
        account.block_here(now)
        wait = max(1, math.ceil(account.ledger.wait(now, cost)))
        return self._refusal(budget, principal, wait, account.ledger.remaining(now))

    def _decision(self, budget: Budget, remaining: int) -> Decision:
        window = budget.window
        return Decision(True, budget.limit, remaining, window, window, None, budget.policy)  # noqa: FBT003 - by position it is fast

    def _refusal(self, budget: Budget, principal: str, retry_after: int | None, remaining: int) -> Decision:
        budget.limited += 1
        self.statistics.offenders.add(budget.policy, principal)
        reset = budget.window if retry_after is None else retry_after
        return Decision(False, budget.limit, remaining, budget.window, reset, retry_after, budget.policy)  # noqa: FBT003 - by position it is fast

    def _budget(self, endpoint: Endpoint, principal: str) -> Budget:
        return (self._own.get(principal) or self._budgets)[endpoint]

    def _accounts(self) -> Iterator[Account]:
        for budget in self._all.values():
            yield from budget.accounts.values()

    def _gone(self, account: Account) -> None:
        self.statistics.evictions += 1
        if self._broker is not None and account.owes():
            account.leaving = True
            self._broker.ask(account)
