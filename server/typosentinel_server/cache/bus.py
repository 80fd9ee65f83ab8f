"""Telling all replicas what was invalidated: a log in Redis, and messages that say that there is something new in it.

The log is one hash, so that Redis drops it as a whole or not at all. Messages may be lost; the log is not, as long as
it lives. When it is another one (Redis was wiped), nobody knows what was missed, and everything from before counts as
invalidated. Numbers come from Redis' clock and only rise, so they go on rising after it was wiped.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError, ResponseError

from typosentinel_server.cache.invalidation import Invalidation, InvalidationLog
from typosentinel_server.cache.names import Kind
from typosentinel_server.redislink import RedisAway, RedisLink

LOG_KEY: Final = "typosentinel:1:invalidations"
CHANNEL: Final = "typosentinel:1:invalidations"
MAX_LOGGED: Final = 512
MAX_PENDING: Final = 256
SYNC_SECONDS: Final = 5.0
FIRST_RETRY_SECONDS: Final = 0.25
MAX_RETRY_SECONDS: Final = 4.0
MICROS: Final = 1_000_000

# Fields: b born, s latest number, f floor, n how many are logged, i<number> one invalidation.
APPEND: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local last = tonumber(redis.call('HGET', KEYS[1], 's') or '0')
local number = math.max(last + 1, now)
local text = string.format('%.0f', number)
redis.call('HSETNX', KEYS[1], 'b', string.format('%.0f', now))
redis.call('HSET', KEYS[1], 's', text, 'i' .. text, ARGV[1])
if redis.call('HINCRBY', KEYS[1], 'n', 1) > tonumber(ARGV[2]) then
  local numbers = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 1) == 'i' then numbers[#numbers + 1] = tonumber(string.sub(field, 2)) end
  end
  table.sort(numbers)
  local drop = math.floor(#numbers / 4)
  for i = 1, drop do redis.call('HDEL', KEYS[1], 'i' .. string.format('%.0f', numbers[i])) end
  redis.call('HSET', KEYS[1], 'n', #numbers - drop)
  if drop > 0 and numbers[drop] > now - tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[1], 'f', string.format('%.0f', numbers[drop]))
  end
end
redis.call('PUBLISH', ARGV[4], text .. ' ' .. string.format('%.0f', last) .. ' ' .. ARGV[1])
return {text, string.format('%.0f', last)}
"""
SYNC: Final = """
local born = redis.call('HGET', KEYS[1], 'b')
if not born then
  local t = redis.call('TIME')
  born = string.format('%.0f', t[1] * 1000000 + t[2])
  redis.call('HSET', KEYS[1], 'b', born, 's', born)
end
local latest = redis.call('HGET', KEYS[1], 's')
if born == ARGV[1] and latest == ARGV[2] then return {born, latest} end
return {born, latest, redis.call('HGETALL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True)
class Links:
    """The ways to Redis, one for each purpose.

    Attributes:
        publisher: asks and appends.
        new_subscriber: a client of its own for the connection that listens.
    """

    publisher: RedisLink
    new_subscriber: Callable[[], Redis]


class Bus:
    """Keeps a log of invalidations level with the one in Redis.

    Args:
        links: to Redis.
        log: is kept level.
        heard: is told the invalidations that are new here, its own included; not when the log is another one.
        chance: numbers from 0 to 1, to spread the tries of many replicas.
        keep: seconds after which nothing is left that an invalidation could be about.
    """

    def __init__(
        self,
        links: Links,
        log: InvalidationLog,
        heard: Callable[[Sequence[Invalidation]], None],
        chance: Callable[[], float],
        keep: float,
    ) -> None:
        self._links = links
        self._log = log
        self._heard = heard
        self._chance = chance
        self._keep = keep
        self._born = ""
        self._latest = 0
        self._pending: deque[tuple[Kind, str]] = deque()
        self._telling = asyncio.Lock()
        self.connected = False
        self.reconnects = 0

    @property
    def synced(self) -> bool:
        """Whether the log in Redis was ever read: before that, no record in Redis can be judged."""
        return bool(self._born)

    @property
    def pending(self) -> int:
        """Invalidations that Redis does not know of yet."""
        return len(self._pending)

    async def publish(self, kind: Kind, text: str) -> bool:
        """Invalidates here at once, and everywhere as soon as Redis can be told; whether it was told.

        What it could not be told is told when it is back, as long as this process lives.
        """
        made = Invalidation(self._log.latest + 1, kind, text)
        self._log.add(made)
        self._heard([made])
        if len(self._pending) >= MAX_PENDING:
            # More than can be remembered: then it was everything.
            self._pending.clear()
            kind, text = Kind.ALL, ""
        self._pending.append((kind, text))
        with contextlib.suppress(RedisAway, ResponseError):
            await self._flush()
        return not self._pending

    async def sync(self) -> None:
        """Brings the log level with the one in Redis. Raises RedisAway, ResponseError."""
        await self._flush()
        answer = await self._links.publisher.call(
            lambda redis: redis.eval(SYNC, 1, LOG_KEY, self._born, str(self._latest))
        )
        born, latest = answer[0].decode(), int(answer[1])
        if born != self._born:
            # Another log than the one that was followed, so nobody knows what was missed.
            self._log.raise_floor(max(latest, self._log.latest + 1))
        elif len(answer) > 2:  # noqa: PLR2004 - the third part is there where something is new
            self._take(answer[2])
        self._born, self._latest = born, latest
        self._log.latest = max(self._log.latest, latest)
        self._log.forget(latest - int(self._keep * MICROS))

    async def run(self) -> None:
        """Listens for ever, and goes back to listening whenever the connection is lost."""
        failures = 0
        while True:
            try:
                async with self._listening() as pubsub:
                    await self.sync()
                    self.connected, failures = True, 0
                    await self._listen(pubsub)
            except (RedisAway, RedisError, OSError, TimeoutError):
                failures += 1
            finally:
                self.connected = False
            self.reconnects += 1
            pause = min(MAX_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures, 8))
            await asyncio.sleep(pause * (0.5 + self._chance() / 2))

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[PubSub]:
        client = self._links.new_subscriber()
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe(CHANNEL)
                yield pubsub
        finally:
            await client.aclose()

    async def _listen(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=SYNC_SECONDS)
            if message is None or not self._applied(message):
                # Silence is no proof that nothing was said.
                await self.sync()

    def _applied(self, message: dict[str, Any]) -> bool:
        # False where something before it was missed, or it cannot be read.
        try:
            number, before, made = message["data"].decode().split(" ", 2)
            found = _invalidation(int(number), made)
        except (ValueError, UnicodeDecodeError):
            return False
        if int(before) != self._latest or not self.synced:
            return int(number) == self._latest
        self._latest = found.number
        self._log.add(found)
        self._heard([found])
        return True

    async def _flush(self) -> None:
        # One at a time: two would tell the same twice, and the next one never.
        async with self._telling:
            await self._tell()

    async def _tell(self) -> None:
        keep = str(int(self._keep * MICROS))
        while self._pending:
            kind, text = self._pending[0]
            arguments = (f"{kind} {text}", str(MAX_LOGGED), keep, CHANNEL)
            number, before = await self._links.publisher.call(partial(_append, arguments=arguments))
            self._pending.popleft()
            self._log.add(Invalidation(number, kind, text))
            if before == self._latest and self.synced:
                self._latest = number

    def _take(self, fields: list[bytes]) -> None:
        pairs = dict(zip(fields[::2], fields[1::2], strict=True))
        self._log.raise_floor(int(pairs.get(b"f", b"0")))
        found = [
            _invalidation(int(field[1:]), made.decode())
            for field, made in pairs.items()
            if field.startswith(b"i") and int(field[1:]) > self._latest
        ]
        for made in found:
            self._log.add(made)
        if found:
            self._heard(found)


def _invalidation(number: int, made: str) -> Invalidation:
    # Raises ValueError.
    kind, _, text = made.partition(" ")
    return Invalidation(number, Kind(kind), text)


async def _append(redis: Redis, arguments: tuple[str, ...]) -> tuple[int, int]:
    # Its number, and that of the one before.
    number, before = await redis.eval(APPEND, 1, LOG_KEY, *arguments)
    return int(number), int(before)
