"""Where the budget is kept that all replicas share, as the broker sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from typosentinel_server.ratelimit.policy import Rule


class StoreAway(Exception):
    """The store gave no answer. Limits hold per replica until it does."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one replica tells and asks of one budget.

    Attributes:
        budget: whose, such as "Scan:addr:192.0.2.1".
        rule: the limit that holds.
        call: number of this call about this budget, counted up by the replica.
        known: whether the store should know of this replica; where it does not, it forgot.
        keeps: tokens that the replica keeps of what it has.
        needs: tokens for which callers wait.
        least: the smallest of their costs; fewer tokens are of no use.
        likes: tokens that it would like to have in store, those that it needs among them.
        uses: (number of the call that first told, seconds ago, how much) of what the store may not know yet.
    """

    budget: str
    rule: Rule
    call: int
    known: bool
    keeps: int
    needs: int
    least: int
    likes: int
    uses: tuple[tuple[int, float, int], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of an order.

    Attributes:
        lost: the store has forgotten this replica and did nothing: everything is to be told again.
        granted: tokens.
        free: tokens left for others.
        wait: seconds until there are more, where fewer were granted than needed.
        contested: whether other replicas hold some, which they may give back at any time.
    """

    lost: bool
    granted: int
    free: int
    wait: float
    contested: bool


class Store(Protocol):
    """A shared budget. Orders about one budget come one at a time."""

    @property
    def patience(self) -> float:
        """Seconds that one call may take at most."""

    @property
    def retry_after(self) -> float:
        """Seconds until a call has a chance; 0 where one has now."""

    async def settle(self, orders: Sequence[Order]) -> list[Reply | None]:
        """The reply to each order, in one exchange; None where that budget can't be kept. Raises StoreAway."""
