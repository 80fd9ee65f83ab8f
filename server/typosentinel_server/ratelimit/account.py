"""One caller's standing with one budget: the slice that this replica holds for it, and what it used."""

import math
from asyncio import Future

from typosentinel_server.ratelimit.ledger import LINES, Ledger
from typosentinel_server.ratelimit.policy import Rule
from typosentinel_server.ratelimit.store import Order, Reply

# Part of a lease after which the slice is renewed, or given back where nobody uses it.
RENEW_AFTER = 0.6
# Nobody used it for this part of a lease: it is idle.
IDLE_AFTER = 0.5
# A slice lasts for about this part of a lease at the present pace, but is never more than this part of the limit.
SLICE_LASTS = 0.5
SLICE_PART = 8
FIRST_SLICE_PART = 64
# The next slice is asked for when this part of the last is left: under load the answer takes a few turns of the loop.
ASK_AT = 2
# Reports that the store has not confirmed, kept apart for so many calls.
MAX_UNCONFIRMED = 16
# At the latest after so many seconds a caller that was refused is asked for again.
LONGEST_PAUSE = 1.0

Waiter = tuple[Future[bool], int]


def first_slice(rule: Rule) -> int:
    """How much to ask for where nobody knows the pace yet."""
    return max(1, rule.requests // FIRST_SLICE_PART)


class Account:
    """Tokens in hand, and what became of earlier ones. For one thread; times are of one monotonic clock, in seconds.

    Args:
        key: of the budget in the store.
        rule: the limit that holds.
        now: the time.
        leased: where it puts itself when it has a slice, behind those whose slices are older.

    Attributes:
        left: tokens that may be spent without asking, until `until`.
        low: where no more are left, more are asked for.
        renew: from when on the slice is to be renewed.
        spent: of the slice, not yet in the ledger.
        last: when something was used last.
        free: tokens left for others when the store last said so.
        blocked: until when there is no use in asking for `lacking` tokens or more; `retry` is what callers are told.
        waiters: futures of those who wait for tokens, with their costs; `asked_for` is how many of them the order under
            way speaks for.
        asking: whether it is in the broker's queue, or its order under way.
        tidying: whether it is going to be.
        leaving: whether it gives back all that it has with the next order.
    """

    __slots__ = (
        "_call",
        "_known",
        "_leased",
        "_likes",
        "_since",
        "_told",
        "_unconfirmed",
        "_untold",
        "asked_for",
        "asking",
        "blocked",
        "free",
        "key",
        "lacking",
        "last",
        "leaving",
        "ledger",
        "left",
        "low",
        "renew",
        "retry",
        "rule",
        "spent",
        "tidying",
        "until",
        "waiters",
    )

    def __init__(self, key: str, rule: Rule, now: float, leased: "dict[Account, None]") -> None:
        self.key = key
        self.rule = rule
        self.ledger = Ledger(rule, now)
        self.left = self.spent = self.free = 0
        self.low = -1
        self.lacking = 1
        self.until = self.renew = self.blocked = self.retry = 0.0
        self.last = self._since = now
        self.waiters: list[Waiter] = []
        self.asked_for = 0
        self.asking = self.tidying = self.leaving = False
        self._leased = leased
        self._call = 0
        # Whether the store has confirmed a call, and whether all of the ledger was told or is about to be.
        self._known = self._told = False
        self._untold = 0
        self._unconfirmed: list[tuple[int, float, int]] = []
        self._likes = 0 if rule.exact else first_slice(rule)

    def obey(self, rule: Rule) -> None:
        """Takes another limit; counts stay, and a slice in hand is good until it runs out."""
        self.rule = rule
        self.ledger.obey(rule)
        self.blocked = 0.0

    def spend_here(self, now: float, cost: int) -> bool:
        """Uses so much by this replica's own count, or nothing where that is too much."""
        self.fold()
        if not self.ledger.take(now, cost):
            return False
        self.last = now
        if self._told:
            self._untold += cost
        return True

    def slice_here(self, now: float) -> None:
        """Takes a slice from this replica's own count, where nobody else shares it; nothing is told of it."""
        if not self.rule.exact:
            free = self.ledger.remaining(now)
            self.left = free // SLICE_PART
            self.free = free - self.left
            self.until = self.renew = now + self.rule.window / LINES

    def block_here(self, now: float) -> None:
        """Notes until when this replica's own count allows nothing at all."""
        wait = self.ledger.wait(now, 1)
        self.lacking = 1
        self.retry = now + wait
        self.blocked = now + min(wait, LONGEST_PAUSE)

    def fold(self) -> None:
        """Writes into the ledger what was spent of the slice."""
        if self.spent:
            self.ledger.note(self.last, self.spent)
            if self._told:
                self._untold += self.spent
            self.spent = 0

    def busy(self, now: float) -> bool:
        """Whether forgetting it would let somebody off."""
        return bool(self.waiters) or self.asking or now - self.last < self.rule.window

    def used(self, now: float) -> bool:
        """Whether it used anything that still counts."""
        self.fold()
        return not self.ledger.empty(now)

    def owes(self) -> bool:
        """Whether the store is to be told something."""
        return bool(self.spent or self._untold or self.left)

    def order(self, now: float) -> Order:
        """What to tell and ask of the store now. Orders of one account go one at a time."""
        rule = self.rule
        used = self.spent + self._untold
        self.fold()
        self._call += 1
        self._tell(now)
        idle = self.leaving or (not self.waiters and now - self.last > rule.lease * IDLE_AFTER)
        self.leaving = False
        if not rule.exact and self._call > 1:
            span = max(now - self._since, 0.001)
            if used:
                self._likes = max(1, min(rule.requests // SLICE_PART, int(used / span * rule.lease * SLICE_LASTS) + 1))
            else:
                # Nobody knows how many come after a silence: a second exchange would have all of them wait once more.
                self._likes = first_slice(rule)
        self._since = now
        likes = 0 if idle or rule.exact else self._likes
        self.left = 0 if now >= self.until else min(self.left, likes)
        self.waiters = [waiter for waiter in self.waiters if not waiter[0].done()]
        self.asked_for = len(self.waiters)
        costs = [cost for _, cost in self.waiters]
        self.lacking = min(costs, default=1)
        return Order(
            budget=self.key,
            rule=rule,
            call=self._call,
            # What the store may have forgotten because it is old is not missed.
            known=self._known and not self.ledger.empty(now),
            keeps=self.left,
            needs=max(0, sum(costs) - self.left),
            least=max(1, self.lacking - self.left),
            likes=max(0, likes - self.left),
            uses=tuple((call, now - at, count) for call, at, count in self._unconfirmed),
        )

    def took(self, reply: Reply, order: Order, sent: float, now: float) -> None:
        """Takes what the store granted; what it said earlier than `sent` is over."""
        self._known, self._unconfirmed = True, []
        self.left += reply.granted
        self.until = sent + self.rule.lease
        self.renew = sent + self.rule.lease * RENEW_AFTER
        # Where there is little left, the next slice would be as small: it is asked for when it is needed.
        self.low = self._likes // ASK_AT if reply.granted >= order.likes else -1
        self.free = reply.free
        if self.left:
            self._leased.pop(self, None)
            self._leased[self] = None
        self.retry = now + reply.wait
        self.blocked = 0.0
        if reply.granted < order.needs:
            longest = min(LONGEST_PAUSE, self.rule.lease / 4) if reply.contested else LONGEST_PAUSE
            self.blocked = now + max(self.rule.pause, min(reply.wait, longest))

    def forgotten(self) -> None:
        """The store lost its memory, or it is another one: the next order tells everything, and comes first.

        The slice in hand is void. The store knows nothing of it, and would give the same tokens to others.
        """
        self._known = self._told = False
        self._untold = 0
        self._unconfirmed = []
        self.left = 0
        self.until = 0.0

    def retry_after(self, now: float, cost: int) -> int:
        """Whole seconds after which another try makes sense, by what the store said."""
        beyond = max(0, cost - max(1, self.left)) / self.rule.pace
        return max(1, math.ceil(self.retry - now + beyond))

    def _tell(self, now: float) -> None:
        if not self._told:
            self._unconfirmed = [(self._call, now - age, count) for age, count in self.ledger.uses(now)]
            self._told = True
        elif self._untold:
            self._unconfirmed.append((self._call, self.last, self._untold))
            if len(self._unconfirmed) > MAX_UNCONFIRMED:
                (_, _, first), (call, at, second), *rest = self._unconfirmed
                self._unconfirmed = [(call, at, first + second), *rest]
        self._untold = 0
