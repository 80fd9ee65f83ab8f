"""The limits of one server: whom they hold for, what they are, and keeping both fresh while it runs."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from typosentinel_server.breaker import Breaker
from typosentinel_server.errors import DomainError, RateLimited
from typosentinel_server.logs import Log
from typosentinel_server.ratelimit.apikeys import ApiKeys, parse_api_keys, rules_of
from typosentinel_server.ratelimit.limiter import Limiter, Limits
from typosentinel_server.ratelimit.policy import Decision, Endpoint
from typosentinel_server.ratelimit.principals import Principals, parsed, shown
from typosentinel_server.ratelimit.redisstore import RedisStore
from typosentinel_server.redislink import REDIS_BREAKER, RedisBounds, RedisLink
from typosentinel_server.sections.limits import LimitSettings

ENDPOINTS: Final = {"/api/v1/scan": Endpoint.SCAN, "/api/v1/batch": Endpoint.BATCH}
API_PREFIX: Final = "/api/"
# Whoever looks after a server must not be kept from seeing how it is.
ADMINISTRATION: Final = "/api/admin/"
EXEMPT: Final = frozenset(
    {"/api/docs", "/api/docs/assets/{file}", "/api/health", "/api/openapi.json", "/api/ready", "/api/live"}
)
TOLD: Final = 20


def endpoint_of(route: str) -> Endpoint | None:
    """The class of a route's pattern; None for health, readiness, metrics and pages, which have no limit."""
    if not route.startswith(API_PREFIX) or route.startswith(ADMINISTRATION) or route in EXEMPT:
        return None
    return ENDPOINTS.get(route, Endpoint.DEFAULT)


@dataclass(frozen=True, slots=True)
class Limited:
    """Somebody who was refused often.

    Attributes:
        limit: its name.
        principal: "key:" and a name, or "addr:" and a part of the address with a hash, which tells two apart.
        refused: requests, about; never less than it was.
    """

    limit: str
    principal: str
    refused: int


@dataclass(frozen=True, slots=True)
class LimitReport:
    """What an operator wants to know of limits.

    Attributes:
        shared: whether they hold over all replicas now.
        principals: callers known, by name of the limit.
        top: those refused most.
        complaint: why the file of keys was refused; None where it was not.
    """

    shared: bool
    principals: Mapping[str, int]
    top: tuple[Limited, ...]
    complaint: str | None


class RateLimits:
    """Limits as configured, and their upkeep.

    Args:
        settings: what the configuration says.
        folder: where the configuration document is.
        monotonic: the clock, in seconds.
        log: says what becomes of the file of keys.
        new_id: gives this replica a name that no other has, and none had before.
    """

    def __init__(
        self,
        settings: LimitSettings,
        folder: Path,
        monotonic: Callable[[], float],
        log: Log,
        new_id: Callable[[], str],
    ) -> None:
        self._monotonic = monotonic
        self._new_id = new_id
        self._redis: tuple[tuple[str, RedisBounds], RedisStore, Breaker] | None = None
        self._settings = settings
        self._folder = folder
        self._log = log
        self._seen: bytes | str = b""
        self._looking = asyncio.Lock()
        self.complaint: str | None = None
        self.principals = Principals(ApiKeys(), settings.trusted_proxies)
        self.limiter = Limiter(self._limits(), monotonic)
        self._take(self._read())

    @property
    def active(self) -> bool:
        """Whether there is any limit."""
        return self.limiter.active

    async def follow(self, settings: LimitSettings) -> None:
        """Takes other settings; what callers used stays used."""
        async with self._looking:
            self._settings = settings
            self._seen = b""
            self._take(await asyncio.to_thread(self._read))

    async def reach(self, url: str | None, bounds: RedisBounds) -> None:
        """Shares limits with all replicas that have the same Redis from now on; what stays the same is left alone.

        Args:
            url: where it is, credentials included; None: each replica holds the limits for itself.
            bounds: of the link to it.
        """
        if self._redis is not None and (url, bounds) == self._redis[0]:
            return
        before, self._redis = self._redis, None
        store = None
        if url is not None:
            breaker = Breaker("redis-limits", REDIS_BREAKER, self._monotonic)
            store = RedisStore(RedisLink(url, breaker, bounds), self._new_id(), self._monotonic)
            self._redis = ((url, bounds), store, breaker)
        await self.limiter.share(store)
        if before is not None:
            await before[1].close()

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """The breaker of the link to Redis, where there is one."""
        return () if self._redis is None else (self._redis[2],)

    async def run(self, interval: float) -> None:
        """Gives back what nobody uses, and looks at the file of keys every `interval` seconds, for ever."""
        sweeping = asyncio.create_task(self.limiter.run(), name="rate limits: idle slices")
        try:
            while True:
                await asyncio.sleep(interval)
                await self.look()
        finally:
            sweeping.cancel()

    async def look(self) -> None:
        """Looks at the file of keys once."""
        async with self._looking:
            self._take(await asyncio.to_thread(self._read))

    async def close(self) -> None:
        """Gives back every slice."""
        await self.limiter.close()
        if self._redis is not None:
            await self._redis[1].close()

    def report(self) -> LimitReport:
        """What an operator wants to know."""
        top = self.limiter.statistics.offenders.top(TOLD)
        return LimitReport(
            shared=self.limiter.shared,
            principals={name: known for name, (_, _, known) in self.limiter.figures().items()},
            top=tuple(Limited(policy, masked(principal), count) for policy, principal, count in top),
            complaint=self.complaint,
        )

    def _limits(self) -> Limits:
        settings, keys = self._settings, self.principals.keys
        return Limits(
            rules=rules_of(settings.default, settings.endpoints),
            own={f"key:{name}": rules for name, rules in keys.rules.items()},
            max_principals=settings.max_principals,
        )

    def _read(self) -> tuple[bytes | str, ApiKeys | None, str | None]:
        # (what was seen, the keys or None where they stay as they are, what is wrong)
        if self._settings.api_keys is None:
            return "", ApiKeys(), None
        path = self._folder / self._settings.api_keys.file
        try:
            content = path.read_bytes()
        except OSError as error:
            reason = f"{path}:1: document: {error.strerror or error}"
            return reason, None, reason
        digest = sha256(content).digest()
        if digest == self._seen:
            return digest, None, self.complaint
        try:
            return digest, parse_api_keys(content, str(path)), None
        except DomainError as error:
            return digest, None, error.message

    def _take(self, read: tuple[bytes | str, ApiKeys | None, str | None]) -> None:
        seen, keys, complaint = read
        if seen == self._seen:
            return
        self._seen, self.complaint = seen, complaint
        if complaint is not None:
            self._log.write.error("file of keys refused, the last good ones stay in use", reason=complaint)
        self.principals = Principals(keys or self.principals.keys, self._settings.trusted_proxies)
        self.limiter.obey(self._limits())


def refused(decision: Decision) -> RateLimited:
    """The error that says so."""
    if decision.retry_after is None:
        return RateLimited(
            "RATE_LIMITED",
            f"this costs more than the limit {decision.policy} ever allows at once",
            f"Send less in one request; {decision.limit} in {decision.window} s are allowed.",
        )
    return RateLimited(
        "RATE_LIMITED",
        f"more than {decision.limit} requests in {decision.window} s, or too many at once",
        f"Try again in {decision.retry_after} s; the headers RateLimit and RateLimit-Policy say how much is left.",
        decision.retry_after,
    )


def masked(principal: str) -> str:
    """A principal that may be shown: of an address the network, and a hash to tell it from its neighbours."""
    kind, _, rest = principal.partition(":")
    if kind == "key":
        return principal
    address = parsed(rest.partition("/")[0])
    if address is None:
        return principal
    network = shown(address).removeprefix("addr:")
    # Of IPv6 only the network is known anyway.
    rest = f"{network.rpartition('.')[0]}.0/24" if "." in network else network
    return f"addr:{rest}#{sha256(principal.encode()).hexdigest()[:8]}"
