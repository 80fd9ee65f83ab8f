"""The accounts of all callers under one limit; a bounded number of them."""

from collections.abc import Callable

from typosentinel_server.ratelimit.account import Account
from typosentinel_server.ratelimit.policy import Rule

# How many accounts in use are passed over in search of an idle one, before one in use has to go.
SECOND_CHANCES = 8


class Budget:
    """One limit and those it holds for. For one thread.

    Args:
        name: of the limit, in headers and metrics.
        rule: what it allows.
        max_accounts: callers known at once.

    Attributes:
        allowed: requests allowed.
        limited: requests refused.
        leased: accounts with a slice, the oldest slice first.
    """

    __slots__ = (
        "accounts",
        "allowed",
        "leased",
        "limit",
        "limited",
        "max_accounts",
        "name",
        "policy",
        "rule",
        "window",
    )

    def __init__(self, name: str, rule: Rule, max_accounts: int) -> None:
        self.name = name
        self.policy = name.lower()
        self.rule = rule
        self.limit = rule.requests
        self.window = rule.window
        self.max_accounts = max_accounts
        self.accounts: dict[str, Account] = {}
        self.leased: dict[Account, None] = {}
        self.allowed = 0
        self.limited = 0

    def obey(self, rule: Rule, max_accounts: int) -> None:
        """Takes another limit; counts stay."""
        self.max_accounts = max_accounts
        if rule == self.rule:
            return
        self.rule, self.limit, self.window = rule, rule.requests, rule.window
        for account in self.accounts.values():
            account.obey(rule)

    def open(self, principal: str, now: float, gone: Callable[[Account], None]) -> Account:
        """A new account; where there are too many, an idle one goes, and is handed to `gone`."""
        while len(self.accounts) >= self.max_accounts:
            gone(self._evict(now))
        account = Account(f"{self.name}:{principal}", self.rule, now, self.leased)
        self.accounts[principal] = account
        return account

    def _evict(self, now: float) -> Account:
        accounts = self.accounts
        for _ in range(min(SECOND_CHANCES, len(accounts))):
            oldest = next(iter(accounts))
            account = accounts.pop(oldest)
            if not account.busy(now):
                break
            accounts[oldest] = account
        else:
            account = accounts.pop(next(iter(accounts)))
        self.leased.pop(account, None)
        return account
