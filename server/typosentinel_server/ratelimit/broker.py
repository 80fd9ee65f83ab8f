"""Fetches slices of the shared budget: one exchange with the store at a time, for all accounts that gathered meanwhile.

However many callers there are, they cost one connection and as many round trips as fit one after another.
"""

import asyncio
from collections.abc import Callable

from typosentinel_server.ratelimit.account import Account
from typosentinel_server.ratelimit.statistics import Statistics
from typosentinel_server.ratelimit.store import Order, Store, StoreAway

MAX_BATCH = 128
MAX_QUEUE = 4096
SHORTEST_ABSENCE = 0.05


class Broker:
    """Keeps accounts supplied. For one event loop.

    Args:
        store: the shared budget.
        monotonic: the clock, in seconds.
        statistics: counts exchanges and failures.
    """

    def __init__(self, store: Store, monotonic: Callable[[], float], statistics: Statistics) -> None:
        self.store = store
        self._monotonic = monotonic
        self._statistics = statistics
        self._queue: dict[Account, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._away_until = 0.0
        self.away = False

    def reachable(self) -> bool:
        """Whether waiting for the store makes sense; while it is away nobody waits, and one look a while is enough."""
        return not self.away and len(self._queue) < MAX_QUEUE

    def ask(self, account: Account) -> None:
        """Has an account settled in the next exchange."""
        if account.asking or len(self._queue) >= MAX_QUEUE or self._monotonic() < self._away_until:
            return
        account.asking = True
        self._queue[account] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name="rate limits")

    def ask_soon(self, account: Account) -> None:
        """Has an account settled after a pause, unless that happens before; so that others know what is left."""
        if account.tidying:
            return
        account.tidying = True
        loop = asyncio.get_running_loop()

        def tidy() -> None:
            self._timers.discard(timer)
            account.tidying = False
            if account.owes():
                self.ask(account)

        timer = loop.call_later(account.rule.pause, tidy)
        self._timers.add(timer)

    async def close(self) -> None:
        """Ends the work; who waits is answered by this replica's own count."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for account in self._queue:
            self._fail(account)
        self._queue.clear()

    async def drain(self, accounts: list[Account]) -> None:
        """Settles these now, if the store is there; for a replica that leaves."""
        for account in accounts:
            account.leaving = True
            self.ask(account)
        task = self._task
        if task is not None:
            await asyncio.wait((task,), timeout=2 * self.store.patience)

    async def _work(self) -> None:
        # Whoever else is ready now asks in the same exchange.
        await asyncio.sleep(0)
        try:
            while self._queue:
                batch = [account for account, _ in zip(self._queue, range(MAX_BATCH), strict=False)]
                for account in batch:
                    del self._queue[account]
                await self._settle(batch)
        finally:
            self._task = None

    async def _settle(self, batch: list[Account]) -> None:
        sent = self._monotonic()
        orders = [account.order(sent) for account in batch]
        try:
            replies = await self.store.settle(orders)
        except BaseException as error:
            if isinstance(error, StoreAway):
                self._absent()
            for account in batch:
                self._fail(account)
            if not isinstance(error, StoreAway):
                raise
            return
        self.away = False
        self._statistics.exchanges += 1
        self._statistics.leases += len(orders)
        now = self._monotonic()
        for account, order, reply in zip(batch, orders, replies, strict=True):
            account.asking = False
            if reply is None:
                self._fail(account)
            elif reply.lost:
                self._statistics.losses += 1
                account.forgotten()
                self.ask(account)
            else:
                account.took(reply, order, sent, now)
                self._serve(account, order, now)

    def _serve(self, account: Account, order: Order, now: float) -> None:
        waiters, account.waiters = account.waiters, []
        # An answer that came later than its slice is good for is as good as none.
        late = now >= account.until
        for n, (future, cost) in enumerate(waiters):
            if future.done():
                continue
            if late:
                account.waiters.append((future, cost))
            elif account.left >= cost:
                account.left -= cost
                account.spent += cost
                account.last = now
                future.set_result(True)
            elif n < account.asked_for or account.blocked:
                future.set_result(False)
            else:
                # Came after the question was put.
                account.waiters.append((future, cost))
        if account.waiters:
            self.ask(account)
        elif account.owes() and account.free * 4 < order.rule.requests:
            self.ask_soon(account)

    def _absent(self) -> None:
        self._statistics.absences += 1
        self.away = True
        # One look a while, by whoever asks then.
        self._away_until = self._monotonic() + max(self.store.retry_after, SHORTEST_ABSENCE)
        for account in self._queue:
            self._fail(account)
        self._queue.clear()

    def _fail(self, account: Account) -> None:
        account.asking = False
        waiters, account.waiters = account.waiters, []
        for future, _ in waiters:
            if not future.done():
                # Cancelled: whoever waits decides by this replica's own count.
                future.cancel()
