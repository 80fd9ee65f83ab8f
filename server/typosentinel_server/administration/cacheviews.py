"""The administrative views of the cache."""

from aiohttp import web

from typosentinel_server.administration.guard import DEED
from typosentinel_server.administration.schemas import (
    CacheEntryResponse,
    CacheInvalidateRequest,
    CacheMultiGetRequest,
    CacheMultiGetResponse,
    CacheMultiSetRequest,
    CacheMultiSetResponse,
    CachePutRequest,
    CachePutResponse,
    CacheStatsResponse,
    DroppedResponse,
)
from typosentinel_server.administration.views import answer
from typosentinel_server.adminports.ports import CacheAdmin, CacheWriter, Ports
from typosentinel_server.errors import DomainError, shown
from typosentinel_server.jsonhttp import json_body
from typosentinel_server.statusschemas import (
    TierBody,
)
from typosentinel_server.wirejson import parse_body

GET_EXAMPLE = '{"keys": ["evidence/registry/PyPI/requests"]}'
PUT_EXAMPLE = '{"value": {"latest": "2.32.0"}}'


class CacheViews:
    """The views of one cache.

    Args:
        cache: to look into and to clear.
        writer: to write with; None for a cache that takes nothing by hand.
    """

    def __init__(self, cache: CacheAdmin, writer: CacheWriter | None) -> None:
        self._cache = cache
        self._writer = writer

    async def stats(self, _request: web.Request) -> web.StreamResponse:
        """`GET /admin/cache/stats`: the tiers."""
        return answer(CacheStatsResponse(tiers=[TierBody.of(tier) for tier in self._cache.tiers()]))

    async def clear(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /admin/cache/clear`: drops everything."""
        return self._dropped(request, await self._cache.clear())

    async def get(self, request: web.Request) -> web.StreamResponse:
        """`GET /admin/cache/keys/{key}`: one entry."""
        key = request.match_info["key"]
        found = await self._cache.get(key)
        if found is None:
            raise _no_entry(key)
        return answer(CacheEntryResponse.of(found))

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /admin/cache/keys/{key}`: drops one entry."""
        key = request.match_info["key"]
        if not await self._cache.delete(key):
            raise _no_entry(key)
        return self._dropped(request, 1)

    async def multi_get(self, request: web.Request) -> web.StreamResponse:
        """`POST /admin/cache/multi-get`: several entries."""
        asked = parse_body(
            CacheMultiGetRequest, await json_body(request), '{"keys": ["evidence/registry/PyPI/requests"]}'
        )
        found = {key: await self._cache.get(key) for key in dict.fromkeys(asked.keys)}
        return answer(
            CacheMultiGetResponse(
                found=[CacheEntryResponse.of(record) for record in found.values() if record is not None],
                missing=[key for key, record in found.items() if record is None],
            )
        )

    async def invalidate(self, request: web.Request) -> web.StreamResponse:
        """`POST /admin/cache/invalidate`: drops by pattern or tag."""
        asked = parse_body(CacheInvalidateRequest, await json_body(request), '{"pattern": "verdict/PyPI/django*"}')
        request[DEED].details.update(asked.model_dump(include=asked.model_fields_set))
        dropped = await self._cache.invalidate(pattern=asked.pattern or None, tag=asked.tag or None)
        return self._dropped(request, dropped)

    async def put(self, request: web.Request) -> web.StreamResponse:
        """`PUT` and `POST /admin/cache/keys/{key}`: keeps a value; POST refuses to put another in its place."""
        assert self._writer is not None  # noqa: S101 - without it there is no such route
        key = request.match_info["key"]
        asked = parse_body(CachePutRequest, await json_body(request), PUT_EXAMPLE)
        new = await self._cache.get(key) is None
        if request.method == "POST" and not new:
            raise DomainError(
                "ENTRY_EXISTS", f"there is an entry {shown(key)} already", "Send PUT to exchange it.", http_hint=409
            )
        await self._writer.put({key: asked.value}, asked.tags)
        return answer(CachePutResponse(key=key, created=new), status=201 if new else 200)

    async def multi_set(self, request: web.Request) -> web.StreamResponse:
        """`POST /admin/cache/multi-set`: keeps several values."""
        assert self._writer is not None  # noqa: S101 - without it there is no such route
        asked = parse_body(CacheMultiSetRequest, await json_body(request), '{"items": [{"key": "…", "value": 1}]}')
        values = {item.key: item.value for item in asked.items}
        await self._writer.put(values, asked.tags)
        request[DEED].details["keys"] = len(values)
        return answer(CacheMultiSetResponse(kept=len(values)))

    def routes(self) -> tuple[web.RouteDef, ...]:
        """The routes that this cache has."""
        found = [
            web.get("/admin/cache/stats", self.stats),
            web.get("/api/admin/cache", self.stats),
            web.delete("/admin/cache/clear", self.clear),
            web.get("/admin/cache/keys/{key}", self.get),
            web.delete("/admin/cache/keys/{key}", self.delete),
            web.post("/admin/cache/multi-get", self.multi_get),
            web.post("/admin/cache/invalidate", self.invalidate),
        ]
        if self._writer is not None:
            found += [
                web.put("/admin/cache/keys/{key}", self.put),
                web.post("/admin/cache/keys/{key}", self.put),
                web.post("/admin/cache/multi-set", self.multi_set),
            ]
        return tuple(found)

    def _dropped(self, request: web.Request, count: int | None) -> web.StreamResponse:
        request[DEED].details["dropped"] = count
        return answer(DroppedResponse(dropped=count))


def routes(ports: Ports) -> tuple[web.RouteDef, ...]:
    """The routes of the cache that is there, if one is."""
    return CacheViews(ports.cache, ports.writer).routes() if ports.cache else ()


def _no_entry(key: str) -> DomainError:
    return DomainError("UNKNOWN_ENTRY", f"there is no entry {shown(key)}", "Look at the key.", http_hint=404)
