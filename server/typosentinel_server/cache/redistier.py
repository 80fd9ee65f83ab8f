"""Values in Redis, shared by all replicas. It is a help and never a need: whatever goes wrong with it is a miss."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from redis.exceptions import ResponseError

from typosentinel_server.cache.records import REASONS, Codec, NoRecord, Record, TooLarge
from typosentinel_server.cache.statistics import CacheStatistics
from typosentinel_server.redislink import RedisAway, RedisLink

PREFIX: Final = b"typosentinel:1:"
# From this size on, packing and unpacking is done in a thread: it would hold up other requests.
LARGE_BYTES: Final = 128 * 1024
MILLIS: Final = 1000


def place_of(name: str) -> bytes:
    """The key in Redis of what has a name: a fixed prefix and the name's SHA-256."""
    return PREFIX + hashlib.sha256(name.encode()).hexdigest().encode()


@dataclass(slots=True)
class Stored:
    """What writes came to: stored, refused by Redis (full, read-only), not possible now, or too large a value."""

    stored: int = 0
    refused: int = 0
    away: int = 0
    too_large: int = 0


class RedisTier:
    """Records under the hashes of their names.

    Args:
        link: to Redis.
        codec: the form of records.
        keep: seconds after its freshness that a record is kept.
    """

    def __init__(self, link: RedisLink, codec: Codec, keep: float) -> None:
        self.link = link
        self._codec = codec
        self._keep = keep
        self._requests = {"hit": 0, "stale": 0, "miss": 0, "off": 0}
        self.damaged = dict.fromkeys(REASONS, 0)
        self.stored = Stored()

    def statistics(self, ttl: float) -> CacheStatistics:
        """What happened since the tier was made. What it holds, only Redis knows."""
        return CacheStatistics(requests=dict(self._requests), ttl=ttl)

    def count(self, result: str) -> None:
        """Counts a look-up, whose result only the caller can tell."""
        self._requests[result] += 1

    async def get(self, name: str) -> Record | None:
        """The record of that name; None where there is none that can be read.

        Raises:
            RedisAway: Redis cannot be asked now.
        """
        place = place_of(name)
        try:
            blob = await self.link.call(lambda redis: redis.get(place))
        except ResponseError:
            return None
        return await self._read(name, place, blob)

    async def get_many(self, names: Sequence[str]) -> list[Record | None]:
        """The records of these names, in their order. Raises RedisAway."""
        places = [place_of(name) for name in names]
        try:
            blobs = await self.link.call(lambda redis: redis.mget(places)) if places else []
        except ResponseError:
            blobs = [None] * len(places)
        return [await self._read(name, place, blob) for name, place, blob in zip(names, places, blobs, strict=True)]

    async def put(self, record: Record, now: float) -> bool:
        """Stores a record, until its time is over; whether Redis took it.

        Args:
            record: what to store.
            now: seconds since 1970.
        """
        place = place_of(record.name)
        left = int((record.fresh_until + self._keep - now) * MILLIS)
        if left <= 0:
            return False
        try:
            blob = await self._encoded(record, place)
            await self.link.call(lambda redis: redis.set(place, blob, px=left))
        except TooLarge:
            self.stored.too_large += 1
        except RedisAway:
            self.stored.away += 1
        except ResponseError:
            self.stored.refused += 1
        else:
            self.stored.stored += 1
            return True
        return False

    async def delete(self, names: Iterable[str]) -> int:
        """Deletes records; how many there were. Raises RedisAway."""
        places = [place_of(name) for name in names]
        try:
            return int(await self.link.call(lambda redis: redis.unlink(*places))) if places else 0
        except ResponseError:
            return 0

    async def _read(self, name: str, place: bytes, blob: bytes | str | None) -> Record | None:
        # A text it would be only where the client was told to decode.
        if not isinstance(blob, bytes):
            return None
        try:
            if len(blob) < LARGE_BYTES:
                record = self._codec.decode(blob, place)
            else:
                record = await asyncio.to_thread(self._codec.decode, blob, place)
        except NoRecord as error:
            self.damaged[error.reason] += 1
            return None
        return record if record.name == name else None

    async def _encoded(self, record: Record, place: bytes) -> bytes:
        if len(record.value) < LARGE_BYTES:
            return self._codec.encode(record, place)
        return await asyncio.to_thread(self._codec.encode, record, place)
