"""The cache of verdicts in memory, as the administrative routes want to see it. It takes no verdicts by hand."""

from collections.abc import Callable, Sequence

from typosentinel_server.adminports import CacheRecord, TierReport
from typosentinel_server.engines import Engines
from typosentinel_server.errors import DomainError, shown
from typosentinel_server.scan.model import ALIASES
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.service import CacheKey, VerdictCache


class VerdictsAdmin:
    """Looks after verdicts by name. A key is written `PyPI:requests`; a tag is an ecosystem.

    Args:
        cache: the one to look after.
        engines: those in use now; verdicts by earlier lists are good for nothing.
    """

    def __init__(self, cache: VerdictCache, engines: Callable[[], Engines]) -> None:
        self._cache = cache
        self._engines = engines

    def tiers(self) -> Sequence[TierReport]:
        """The one tier that there is."""
        cache = self._cache
        return (
            TierReport(
                name="memory",
                entries=len(cache),
                max_entries=cache.max_entries,
                bytes=None,
                max_bytes=None,
                ttl=cache.ttl,
                requests=dict(cache.statistics.requests),
                evictions=dict(cache.statistics.evictions),
            ),
        )

    async def clear(self) -> int:
        """Drops every verdict."""
        return self._cache.clear()

    async def get(self, key: str) -> CacheRecord | None:
        """The verdict, without what an allow-list and the like say of it."""
        held, basis = self._held(key)
        found = self._cache.peek(held) if held else None
        if found is None or found[1].basis != basis:
            return None
        age, result = found[0], found[1].result
        value = {
            "verdict": result.verdict.value,
            "score": result.score,
            "targets": list(result.targets),
            "corpusVersion": result.corpus_version,
        }
        return CacheRecord(key, "memory", age, stale=False, value=value)

    async def delete(self, key: str) -> bool:
        """Drops the verdict."""
        held, _ = self._held(key)
        return held is not None and self._cache.discard(held)

    async def invalidate(self, *, pattern: str | None, tag: str | None) -> int:
        """Drops by key or by ecosystem. Raises DomainError for a tag that is none."""
        if tag is None:
            parts = (pattern or "").split("*")
            return sum(self._cache.discard(held) for held in self._cache.all_keys() if _matches(parts, _text(held)))
        ecosystem = ALIASES.get(tag.lower())
        if ecosystem is None:
            raise DomainError(
                "UNKNOWN_TAG", f"no entry has the tag {shown(tag)}", "Tags are ecosystems.", http_hint=404
            )
        return sum(self._cache.discard(held) for held in self._cache.all_keys() if held[0] is ecosystem)

    def _held(self, key: str) -> tuple[CacheKey | None, str]:
        ecosystem, _, name = key.partition(":")
        try:
            engine = self._engines().engine(ecosystem)
            return (engine.ecosystem, parse_name(engine.ecosystem, name).identity), engine.basis
        except DomainError:
            # What could be no name is no key either.
            return None, ""


def _text(key: CacheKey) -> str:
    return f"{key[0].value}:{key[1]}"


def _matches(parts: Sequence[str], text: str) -> bool:
    # Each part as far to the left as it goes: that finds a match where there is one, and never goes back.
    first, *between = parts
    if not between:
        return text == first
    last = between.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
