"""Evidence about one package from everybody who may know it, all asked at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from typosentinel_server.clock import Clock
from typosentinel_server.providers.asking import Subject, subject
from typosentinel_server.providers.gleaned import Failure, Gleaned, State
from typosentinel_server.providers.provider import Provider
from typosentinel_server.providers.records import pack, unpack
from typosentinel_server.providers.store import Store
from typosentinel_server.scan.model import Ecosystem

# A provider's own deadline comes first, so that its breaker learns of it.
GRACE_SECONDS: Final = 0.1
# How long it is remembered that there was nothing, by what became of the question; all less than evidence is kept.
REMEMBERED_SECONDS: Final = {State.ABSENT: 60.0, State.BROKEN: 30.0, State.REFUSED: 30.0}
MAX_TAG: Final = 128
MAX_REMEMBERED: Final = 10_000
NOTHING: Final = Gleaned()
NEVER: Final = (-inf, State.ABSENT, "")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became of asking one provider about one package.

    Attributes:
        provider: who.
        package: about which name.
        state: what became of it.
        reason: why there is nothing, for the log; empty where there is something.
        age: seconds since it was fetched; None where there is nothing.
        stale: whether it is older than it should be.
        gleaned: what it says.
    """

    provider: str
    package: str
    state: State
    reason: str = ""
    age: float | None = None
    stale: bool = False
    gleaned: Gleaned = NOTHING


class Gatherer:
    """Asks everybody about a package, each for itself: one that hangs costs its own evidence.

    Args:
        providers: who may know.
        store: keeps what they say.
        timeout: seconds that all of it may take.
        clock: both clocks.
    """

    def __init__(self, providers: Iterable[Provider], store: Store, timeout: float, clock: Clock) -> None:
        self.providers = tuple(providers)
        self._store = store
        self._timeout = timeout
        self._clock = clock
        self._nothing: dict[str, tuple[float, State, str]] = {}

    def knowing(self, ecosystem: Ecosystem, *, facts_only: bool = False) -> tuple[Provider, ...]:
        """Who may know packages of an ecosystem; `facts_only` leaves out who knows what is against them."""
        return tuple(
            p for p in self.providers if p.role.ecosystem is ecosystem or (p.role.ecosystem is None and not facts_only)
        )

    async def about(self, ecosystem: Ecosystem, name: str, *, facts_only: bool = False) -> list[Evidence]:
        """One piece of evidence from each who may know, in the order of the configuration."""
        providers = self.knowing(ecosystem, facts_only=facts_only)
        try:
            asked = subject(ecosystem, name)
        except Failure as failure:
            return [Evidence(p.role.name, name, failure.state, failure.reason) for p in providers]
        return list(await asyncio.gather(*(self._piece(provider, asked, name) for provider in providers)))

    async def _piece(self, provider: Provider, asked: Subject, name: str) -> Evidence:
        try:
            async with asyncio.timeout(self._timeout + GRACE_SECONDS):
                return await self._fetched(provider, asked, name)
        except Failure as failure:
            return Evidence(provider.role.name, name, failure.state, failure.reason)
        except TimeoutError:
            return Evidence(provider.role.name, name, State.TIMEOUT, "no evidence in time")
        except Exception as error:  # noqa: BLE001 - evidence is never a reason to fail a scan, whatever is wrong with it
            return Evidence(provider.role.name, name, State.BROKEN, f"{type(error).__name__}: {error}")

    async def _fetched(self, provider: Provider, asked: Subject, name: str) -> Evidence:
        key = f"evidence/{provider.role.key}/{asked.ecosystem}/{asked.name}"
        tags = (f"provider/{provider.role.name}", f"package/{asked.ecosystem}/{asked.identity}")
        fitting = tuple(tag for tag in tags if len(tag) <= MAX_TAG)
        fetched = await self._store.fetch(key, self._maker(provider, asked, key), fitting)
        kept = unpack(fetched.value)
        age = max(0.0, self._clock.wall() - kept.at)
        return Evidence(provider.role.name, name, State.USED, age=age, stale=fetched.stale, gleaned=kept.gleaned)

    def _maker(self, provider: Provider, asked: Subject, key: str) -> Callable[[], Awaitable[bytes]]:
        async def make() -> bytes:
            until, state, reason = self._nothing.get(key, NEVER)
            if self._clock.monotonic() < until:
                raise Failure(state, reason)
            try:
                gleaned = await provider.glean(asked)
            except Failure as failure:
                self._remember(key, failure)
                raise
            return pack(gleaned, self._clock.wall())

        return make

    def _remember(self, key: str, failure: Failure) -> None:
        seconds = REMEMBERED_SECONDS.get(failure.state)
        if seconds is None:
            return
        self._nothing.pop(key, None)
        # Not the error itself: its traceback holds on to what was being read.
        self._nothing[key] = (self._clock.monotonic() + seconds, failure.state, failure.reason)
        if len(self._nothing) > MAX_REMEMBERED:
            del self._nothing[next(iter(self._nothing))]
