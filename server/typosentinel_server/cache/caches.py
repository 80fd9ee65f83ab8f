"""All caches of one server, put together from settings and put together anew when these change."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote

from typosentinel_server.breaker import Breaker
from typosentinel_server.cache.copies import Copy, Lifetimes, Shared
from typosentinel_server.cache.invalidation import Invalidation, InvalidationLog
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.cache.names import Glob, Kind, verdict_name
from typosentinel_server.cache.records import Codec
from typosentinel_server.cache.redisside import Blueprint, RedisSide
from typosentinel_server.cache.sealing import Seal, parse_keys
from typosentinel_server.cache.statistics import CacheStatistics
from typosentinel_server.cache.tiered import TieredCache
from typosentinel_server.clock import Clock
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.redislink import RedisBounds
from typosentinel_server.sections.cache import CacheSettings, redis_url

MAX_FILE_BYTES: Final = 64 * 1024
LOOK_SECONDS: Final = 10.0
VERDICTS: Final = verdict_name("", "").removesuffix("/")
MAX_SWEEPS: Final = 4


class Heard(Protocol):
    """Is told why a file that the settings name is refused while the server runs."""

    def __call__(self, event: str, *, reason: str) -> object: ...  # noqa: D102 - as a logger says


@dataclass(frozen=True, slots=True)
class Opened:
    """What the files say that the settings name.

    Attributes:
        url: where Redis is; None: there is none.
        keys: the content of the key file.
    """

    url: str | None = field(default=None, repr=False)
    keys: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Settings with all that is needed to put them into effect."""

    settings: CacheSettings
    opened: Opened
    seal: Seal | None


# Is told where Redis is, None where there is none any more, and what bounds calls of it.
Moved = Callable[[str | None, RedisBounds], Awaitable[None]]


class Caches:
    """Verdicts by name in memory, and what is dear in memory and in Redis.

    Args:
        verdicts: keyed by ecosystem and normalised name, in this order.
        settings: what is kept, where, and for how long.
        clock: both clocks.
        chance: numbers from 0 to 1, to spread what many servers do.

    Raises:
        ConfigurationInvalid: a file that the settings name cannot be read or is wrong.
    """

    def __init__(
        self, verdicts: MemoryCache[Any, Any], settings: CacheSettings, clock: Clock, chance: Callable[[], float]
    ) -> None:
        self.verdicts = verdicts
        self.log = InvalidationLog()
        self.invalidations = dict.fromkeys(Kind, 0)
        self._settings = settings
        self._clock = clock
        self._chance = chance
        held: MemoryCache[str, Copy] = MemoryCache(settings.evidence.max_entries, 1.0, clock.monotonic)
        self.dear = TieredCache(held, _lifetimes(settings), self.log, clock)
        self.redis: RedisSide | None = None
        self._running = False
        self._moved: Moved | None = None
        self._opened = Opened()
        self._use(_prepared(settings))

    @property
    def settings(self) -> CacheSettings:
        """The settings in effect."""
        return self._settings

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """The breakers of the links to Redis."""
        return self.redis.breakers if self.redis else ()

    @property
    def tiers(self) -> dict[str, CacheStatistics]:
        """What happened, by tier."""
        found = {"memory": self.verdicts.statistics, "evidence": self.dear.statistics}
        if self.redis is not None and self._settings.redis is not None:
            found["redis"] = self.redis.tier.statistics(self._settings.redis.ttl)
        return found

    async def prepare(self, settings: CacheSettings) -> Prepared:
        """Reads the files that settings name, and changes nothing.

        Raises:
            ConfigurationInvalid: one cannot be read or is wrong.
        """
        return await asyncio.to_thread(_prepared, settings)

    async def share(self, moved: Moved) -> None:
        """Tells somebody else who uses the same Redis where it is, now and whenever that changes."""
        self._moved = moved
        await self._announce()

    async def take(self, prepared: Prepared) -> None:
        """Puts settings into effect; what is in memory and within their bounds stays. Cannot fail."""
        old = self._use(prepared)
        if old is not None:
            await old.stop()
        await self._announce()

    async def _announce(self) -> None:
        redis = self._settings.redis
        if self._moved is not None:
            bounds = RedisBounds() if redis is None else RedisBounds(redis.timeout, redis.max_connections)
            await self._moved(self._opened.url, bounds)

    async def run(self, refused: Heard) -> None:
        """Listens for invalidations and looks whether the files of address and keys have changed, for ever."""
        self._running = True
        try:
            if self.redis is not None:
                self.redis.start()
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                if self._settings.redis is None:
                    continue
                try:
                    prepared = await self.prepare(self._settings)
                    # A reload may have been quicker, and knows better.
                    if prepared.settings is self._settings:
                        await self.take(prepared)
                except ConfigurationInvalid as error:
                    refused("a file of the cache is refused, the old one stays", reason=error.message)
        finally:
            self._running = False
            await self.dear.close()
            if self.redis is not None:
                await self.redis.stop()

    async def invalidate(self, kind: Kind, text: str) -> bool:
        """Invalidates here at once and in all replicas; whether Redis could be told at once (True without one)."""
        if self.redis is not None:
            return await self.redis.bus.publish(kind, text)
        made = Invalidation(self.log.latest + 1, kind, text)
        self.log.add(made)
        self._heard([made])
        return True

    def _use(self, prepared: Prepared) -> RedisSide | None:
        # Returns what is not used any more.
        settings, opened, seal = prepared.settings, prepared.opened, prepared.seal
        memory, evidence = settings.memory, settings.evidence
        self.verdicts.configure(memory.max_entries, memory.ttl, memory.max_bytes)
        self.dear.configure(_lifetimes(settings), evidence.max_entries, evidence.max_bytes)
        same = opened == self._opened and _redis_part(settings) == _redis_part(self._settings)
        self._settings, self._opened = settings, opened
        if same:
            return None
        old, self.redis, self.dear.shared = self.redis, None, None
        if settings.redis is not None and opened.url is not None:
            blueprint = Blueprint(
                opened.url,
                RedisBounds(settings.redis.timeout, settings.redis.max_connections),
                Codec(settings.compression.min_bytes, seal),
                settings.fresh,
                settings.stale_while_revalidate,
            )
            side = RedisSide(blueprint, self.log, self._heard, self._clock, self._chance)
            self.redis = side
            self.dear.shared = Shared(side.tier, side.leases, lambda: side.bus.synced)
            if self._running:
                side.start()
        return old

    def _heard(self, made: Sequence[Invalidation]) -> None:
        # What is dear is compared with the log when it is read. Verdicts are not: the hot path has no time for that.
        globs = []
        for one in made:
            self.invalidations[one.kind] += 1
            if one.kind is Kind.ALL:
                self.verdicts.clear()
            elif one.kind is Kind.KEY and one.text.startswith(VERDICTS):
                ecosystem, _, name = one.text.removeprefix(VERDICTS).partition("/")
                self.verdicts.drop((ecosystem, unquote(name)))
            elif one.kind is Kind.PATTERN and (glob := Glob(one.text)).begins_like(VERDICTS):
                globs.append(glob)
        if len(globs) > MAX_SWEEPS:
            # Judging them again costs less than looking for all of these patterns.
            self.verdicts.clear()
        elif globs:
            self.verdicts.drop_where(lambda key, _: any(glob.matches(verdict_name(key[0], key[1])) for glob in globs))


def _lifetimes(settings: CacheSettings) -> Lifetimes:
    return Lifetimes(settings.evidence.ttl, settings.fresh, settings.stale_while_revalidate)


def _redis_part(settings: CacheSettings) -> tuple[object, ...]:
    return (
        settings.redis,
        settings.fresh,
        settings.stale_while_revalidate,
        settings.compression,
        settings.encryption,
    )


def _prepared(settings: CacheSettings) -> Prepared:
    # Raises ConfigurationInvalid.
    if settings.redis is None:
        return Prepared(settings, Opened(), None)
    url, keys, seal = settings.redis.url, None, None
    if settings.redis.url_file is not None:
        url = _read_url(settings.redis.url_file)
    if settings.encryption is not None:
        keys = _read(settings.encryption.key_file, "cache.encryption.keyFile")
        try:
            seal = parse_keys(keys, os.urandom)
        except ValueError as error:
            raise _refused(settings.encryption.key_file, "cache.encryption.keyFile", str(error)) from None
    return Prepared(settings, Opened(url, keys), seal)


def _read_url(path: str) -> str:
    lines = _read(path, "cache.redis.urlFile").decode("ascii", "replace").splitlines()
    try:
        return redis_url(lines[0].strip() if lines else "")
    except ValueError as error:
        raise _refused(path, "cache.redis.urlFile", str(error)) from None


def _read(path: str, field: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _refused(path, field, error.strerror or str(error)) from error
    if len(content) > MAX_FILE_BYTES:
        raise _refused(path, field, f"it is larger than {MAX_FILE_BYTES} bytes")
    return content


def _refused(path: str, field: str, reason: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        "CONFIGURATION_INVALID",
        f"{path}:1: {field}: {reason}",
        "Correct the file, or what names it; nothing of the document was applied.",
    )
