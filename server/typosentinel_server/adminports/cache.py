"""The caches as the administrative routes want to see them: texts and JSON instead of bytes."""

from collections.abc import Mapping, Sequence

import orjson

from typosentinel_server.adminports.ports import CacheRecord, TierReport
from typosentinel_server.cache.admin import CacheAdmin
from typosentinel_server.cache.names import Kind
from typosentinel_server.errors import DomainError, InvalidRequest


class CachePort:
    """Looks after the caches. Keys are such as `evidence/registry/PyPI/requests`; verdicts are only made, not written.

    Args:
        admin: what may be done with them.
    """

    def __init__(self, admin: CacheAdmin) -> None:
        self._admin = admin

    def tiers(self) -> Sequence[TierReport]:
        """Memory, evidence, and Redis where there is one."""
        return tuple(
            TierReport(
                name=name,
                entries=tier.entries,
                max_entries=tier.max_entries,
                bytes=tier.bytes,
                max_bytes=tier.max_bytes,
                ttl=tier.ttl,
                requests=dict(tier.requests),
                evictions=dict(tier.evictions),
            )
            for name, tier in self._admin.stats().tiers.items()
        )

    async def clear(self) -> None:
        """Drops everything, in all replicas; nobody counts."""
        await self._admin.clear()

    async def get(self, key: str) -> CacheRecord | None:
        """What is kept under a key; what is no JSON is told of by its length."""
        try:
            found = await self._admin.get(key)
        except InvalidRequest:
            # What can be no key leads to nothing.
            return None
        if found is None:
            return None
        try:
            value: object = orjson.loads(found.value)
        except orjson.JSONDecodeError:
            value = {"bytes": len(found.value)}
        return CacheRecord(key, found.tier.value, max(0.0, found.age), found.stale, value)

    async def delete(self, key: str) -> bool:
        """Drops one key, in all replicas."""
        try:
            return await self._admin.delete(key)
        except InvalidRequest:
            return False

    async def invalidate(self, *, pattern: str | None, tag: str | None) -> None:
        """Drops what a pattern or a tag picks, in all replicas; nobody counts. Raises DomainError."""
        kind, text = (Kind.TAG, tag or "") if pattern is None else (Kind.PATTERN, pattern)
        try:
            await self._admin.invalidate(kind, text)
        except InvalidRequest as error:
            raise _refused(error) from error

    async def put(self, values: Mapping[str, object], tags: Sequence[str]) -> None:
        """Keeps values, all or none of them. Raises DomainError."""
        try:
            await self._admin.put_many({key: orjson.dumps(value) for key, value in values.items()}, tags)
        except InvalidRequest as error:
            raise _refused(error) from error
        except orjson.JSONEncodeError as error:
            raise DomainError(
                "KEY_REFUSED", "a value holds what cannot be written as JSON again", "Send texts.", http_hint=422
            ) from error


def _refused(error: InvalidRequest) -> DomainError:
    return DomainError("KEY_REFUSED", error.message, error.suggestion, http_hint=422)
