"""What the administrative routes take and answer, from which their OpenAPI document is made."""

from typing import Any, Final

from typosentinel_server.administration.schemas import (
    AdminStatusResponse,
    BreakerResetRequest,
    BreakersResponse,
    CacheEntryResponse,
    CacheInvalidateRequest,
    CacheMultiGetRequest,
    CacheMultiGetResponse,
    CacheMultiSetRequest,
    CacheMultiSetResponse,
    CachePutRequest,
    CachePutResponse,
    CacheStatsResponse,
    ClearedResponse,
    ConfigurationResponse,
    DroppedResponse,
    LogLevelRequest,
    LogLevelResponse,
    ReloadResponse,
    WorkersScaleRequest,
)
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.published.openapi import Answer, Head, Operation
from typosentinel_server.published.operations import documentation
from typosentinel_server.statusschemas import (
    LimitsResponse,
    WorkersResponse,
)

HEAD: Final = Head(
    title="Typosentinel administration",
    version="",
    description="Looking after one server. Every change is a line in its log.",
    tags={
        "Server": "State, configuration, log.",
        "Cache": "Looking into it and throwing things out.",
        "Parts": "Workers, circuit breakers, limits.",
        "Documentation": "This document and its page.",
    },
    security={"Token": {"type": "http", "scheme": "bearer", "description": "The administrative token."}},
    required=True,
    errors={401: ("UNAUTHORIZED",), 429: ("TOO_MANY_GUESSES",)},
)
KEY: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "key": ({"type": "string", "minLength": 1, "examples": ["evidence/registry/PyPI/requests"]}, "Of the entry.")
}
STATUS: Final = {200: Answer(says="The state.", model=AdminStatusResponse)}
STATS: Final = {200: Answer(says="The tiers.", model=CacheStatsResponse)}
DROPPED: Final = {200: Answer(says="It is gone.", model=DroppedResponse)}

SERVER: Final = (
    Operation(
        method="GET",
        path="/admin/status",
        name="status",
        tag="Server",
        summary="Everything about this server",
        answers=STATUS,
    ),
    Operation(
        method="GET",
        path="/api/admin/stats",
        name="stats",
        tag="Server",
        summary="Another name of /admin/status",
        answers=STATUS,
    ),
    Operation(
        method="GET",
        path="/admin/configuration",
        name="configuration",
        tag="Server",
        summary="The configuration in effect",
        description="With all defaults; durations in seconds.",
        answers={200: Answer(says="The configuration.", model=ConfigurationResponse)},
    ),
    Operation(
        method="POST",
        path="/admin/reload",
        name="reload",
        tag="Server",
        summary="Read configuration and lists now",
        description="A wrong document is refused whole, and what was in effect stays.",
        answers={200: Answer(says="The document's configuration is in effect.", model=ReloadResponse)},
        errors={422: ("CONFIGURATION_INVALID",)},
    ),
    Operation(
        method="PUT",
        path="/admin/log-level",
        name="setLogLevel",
        tag="Server",
        summary="Log more or less for a while",
        description="Until the time is over or the configuration is reloaded.",
        body=LogLevelRequest,
        examples={"five minutes of everything": {"level": "Debug", "seconds": 300}},
        answers={200: Answer(says="The level is in effect.", model=LogLevelResponse)},
    ),
    Operation(
        method="POST",
        path="/admin/clear",
        name="clear",
        tag="Server",
        summary="Empty the cache and close every circuit breaker",
        answers={200: Answer(says="It is done.", model=ClearedResponse)},
    ),
)
CACHE: Final = (
    Operation(
        method="GET",
        path="/admin/cache/stats",
        name="cacheStats",
        tag="Cache",
        summary="Hits, misses and sizes by tier",
        answers=STATS,
    ),
    Operation(
        method="GET",
        path="/api/admin/cache",
        name="apiCacheStats",
        tag="Cache",
        summary="Another name of /admin/cache/stats",
        answers=STATS,
    ),
    Operation(
        method="DELETE",
        path="/admin/cache/clear",
        name="clearCache",
        tag="Cache",
        summary="Drop everything",
        answers=DROPPED,
    ),
    Operation(
        method="GET",
        path="/admin/cache/keys/{key}",
        name="cacheEntry",
        tag="Cache",
        summary="One entry",
        parameters=KEY,
        answers={200: Answer(says="The entry.", model=CacheEntryResponse)},
        errors={404: ("UNKNOWN_ENTRY", "NOT_FOUND")},
    ),
    Operation(
        method="DELETE",
        path="/admin/cache/keys/{key}",
        name="deleteCacheEntry",
        tag="Cache",
        summary="Drop one entry",
        parameters=KEY,
        answers=DROPPED,
        errors={404: ("UNKNOWN_ENTRY", "NOT_FOUND")},
    ),
    Operation(
        method="POST",
        path="/admin/cache/multi-get",
        name="cacheEntries",
        tag="Cache",
        summary="Several entries",
        body=CacheMultiGetRequest,
        examples={"two keys": {"keys": ["evidence/registry/PyPI/requests", "evidence/registry/npm/lodash"]}},
        answers={200: Answer(says="Those that there are.", model=CacheMultiGetResponse)},
    ),
    Operation(
        method="POST",
        path="/admin/cache/invalidate",
        name="invalidate",
        tag="Cache",
        summary="Drop what a pattern matches or a tag marks",
        description="In a pattern `*` stands for any characters, also none.",
        body=CacheInvalidateRequest,
        examples={"by pattern": {"pattern": "verdict/PyPI/django*"}, "by tag": {"tag": "by-hand"}},
        answers=DROPPED,
        errors={404: ("UNKNOWN_TAG",), 422: ("KEY_REFUSED",)},
    ),
)
CACHE_WRITER: Final = (
    *(
        Operation(
            method=method,
            path="/admin/cache/keys/{key}",
            name=name,
            tag="Cache",
            summary=summary,
            parameters=KEY,
            body=CachePutRequest,
            examples={"with a tag": {"value": {"latest": "2.32.0"}, "tags": ["by-hand"]}},
            answers={
                201: Answer(says="It is kept under a new key.", model=CachePutResponse),
                200: Answer(says="It is kept in place of another.", model=CachePutResponse),
            },
            errors=errors,
        )
        for method, name, summary, errors in (
            ("PUT", "putCacheEntry", "Keep a value", {404: ("NOT_FOUND",), 422: ("KEY_REFUSED",)}),
            (
                "POST",
                "addCacheEntry",
                "Keep a value under a new key",
                {404: ("NOT_FOUND",), 409: ("ENTRY_EXISTS",), 422: ("KEY_REFUSED",)},
            ),
        )
    ),
    Operation(
        method="POST",
        path="/admin/cache/multi-set",
        name="putCacheEntries",
        tag="Cache",
        summary="Keep several values",
        body=CacheMultiSetRequest,
        examples={"one": {"items": [{"key": "evidence/registry/PyPI/requests", "value": {"latest": "2.32.0"}}]}},
        answers={200: Answer(says="They are kept.", model=CacheMultiSetResponse)},
        errors={422: ("KEY_REFUSED",)},
    ),
)
WORKERS: Final = (
    Operation(
        method="GET",
        path="/admin/workers",
        name="workers",
        tag="Parts",
        summary="The pool of worker processes",
        answers={200: Answer(says="The pool.", model=WorkersResponse)},
    ),
    Operation(
        method="POST",
        path="/admin/workers/scale",
        name="scaleWorkers",
        tag="Parts",
        summary="Keep more or fewer processes",
        description="Until the configuration is reloaded.",
        body=WorkersScaleRequest,
        examples={"two to four": {"min": 2, "max": 4}},
        answers={200: Answer(says="The pool.", model=WorkersResponse)},
        errors={422: ("WRONG_BOUNDS",)},
    ),
)
BREAKERS: Final = (
    Operation(
        method="GET",
        path="/admin/breakers",
        name="breakers",
        tag="Parts",
        summary="The circuit breakers",
        answers={200: Answer(says="The breakers.", model=BreakersResponse)},
    ),
    Operation(
        method="POST",
        path="/admin/circuit-breaker/reset",
        name="resetBreakers",
        tag="Parts",
        summary="Close one circuit breaker, or all",
        body=BreakerResetRequest,
        examples={"all": {}, "one": {"name": "redis"}},
        answers={200: Answer(says="Those that were closed.", model=BreakersResponse)},
        errors={404: ("UNKNOWN_BREAKER",)},
    ),
)
LIMITS: Final = (
    Operation(
        method="GET",
        path="/admin/limits",
        name="limits",
        tag="Parts",
        summary="What the limits did",
        answers={200: Answer(says="The figures.", model=LimitsResponse)},
    ),
)


ALL: Final = (*SERVER, *CACHE, *CACHE_WRITER, *WORKERS, *BREAKERS, *LIMITS, *documentation(("",)))


def operations(ports: Ports) -> tuple[Operation, ...]:
    """The operations of what is there."""
    return (
        *SERVER,
        *(CACHE if ports.cache else ()),
        *(CACHE_WRITER if ports.cache and ports.writer else ()),
        *(WORKERS if ports.workers else ()),
        *(BREAKERS if ports.breakers else ()),
        *(LIMITS if ports.limits else ()),
        *documentation(("",)),
    )
