"""The wire forms of the administrative routes."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from typosentinel_server.adminports.ports import CacheRecord
from typosentinel_server.settings import LogLevel, Settings
from typosentinel_server.statusschemas import BreakerBody, StatusResponse, TierBody
from typosentinel_server.wirenumbers import WHOLE
from typosentinel_server.wirereports import Body, Count, Seconds

MAX_OVERRIDE_SECONDS = 24 * 3600
# As many as one body of the usual size can hold.
MAX_KEYS = 100
MAX_TAGS = 10
MAX_PROCESSES = 64

Key = Annotated[str, Field(min_length=1, max_length=512)]
Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=MAX_TAGS)]


class CacheStatsResponse(Body):
    """The tiers, nearest first."""

    tiers: list[TierBody]


class CacheEntryResponse(Body):
    """One entry of the cache."""

    key: str
    tier: str
    age_seconds: Seconds
    stale: bool
    value: Any

    @classmethod
    def of(cls, record: CacheRecord) -> Self:
        """The wire form of a record."""
        return cls(
            key=record.key,
            tier=record.tier,
            age_seconds=round(record.age, 3),
            stale=record.stale,
            value=record.value,
        )


class CachePutRequest(Body):
    """A value to keep, and by which tags it can be dropped."""

    value: Any
    tags: Tags = Field(default_factory=list)


class CachePutResponse(Body):
    """What is kept now, and whether there was nothing under that key before."""

    key: str
    created: bool


class CacheMultiGetRequest(Body):
    """Keys to look for."""

    keys: Annotated[list[Key], Field(min_length=1, max_length=MAX_KEYS)]


class CacheMultiGetResponse(Body):
    """Entries that there are, and keys that there are none for."""

    found: list[CacheEntryResponse]
    missing: list[str]


class CacheItemBody(Body):
    """A value to keep under a key."""

    key: Key
    value: Any


class CacheMultiSetRequest(Body):
    """Values to keep, all or none of them; where a key stands twice, the last value."""

    items: Annotated[list[CacheItemBody], Field(min_length=1, max_length=MAX_KEYS)]
    tags: Tags = Field(default_factory=list)


class CacheMultiSetResponse(Body):
    """How many values are kept."""

    kept: Count


class CacheInvalidateRequest(Body):
    """What to drop: keys that a pattern with `*` matches, or whatever carries a tag. One of the two."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["pattern"]}, {"required": ["tag"]}]})

    pattern: Annotated[str, Field(min_length=1, max_length=512)] = ""
    tag: Annotated[str, Field(min_length=1, max_length=128)] = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of pattern and tag")
        return self


class DroppedResponse(Body):
    """How many entries were dropped; null where nobody counts."""

    dropped: Count | None


class ClearedResponse(Body):
    """What was cleared: entries of the cache, null where nobody counts, and breakers closed by hand."""

    dropped: Count | None
    breakers: list[str]


class WorkersScaleRequest(Body):
    """How many processes to keep at least and at most, until the configuration says otherwise."""

    min: Annotated[int, Field(ge=0, le=MAX_PROCESSES), WHOLE]
    max: Annotated[int, Field(ge=0, le=MAX_PROCESSES), WHOLE]


class BreakersResponse(Body):
    """The circuit breakers in use."""

    breakers: list[BreakerBody]


class BreakerResetRequest(Body):
    """Which breaker to close by hand; all where none is named."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class ReloadResponse(Body):
    """The configuration in effect now, and whether this call put it there; the hash is null for the defaults."""

    hash: str | None
    changed: bool


class ConfigurationResponse(Body):
    """The configuration in effect with all its defaults; durations in seconds."""

    hash: str | None
    age_seconds: Seconds
    last_error: str | None
    settings: Settings


class LogLevelRequest(Body):
    """The least severe messages to log, for so many seconds, or until the configuration is reloaded."""

    level: Annotated[LogLevel, Field(strict=False)]
    seconds: Annotated[int, Field(ge=1, le=MAX_OVERRIDE_SECONDS), WHOLE] = 900


class LogLevelResponse(Body):
    """The level in effect, the configured one, and the seconds until that counts again; null where it counts."""

    level: LogLevel
    configured: LogLevel
    expires_in_seconds: Seconds | None


class AdminStatusResponse(StatusResponse):
    """The same, and what is for those who look after the server alone."""

    log_level: LogLevelResponse
    configuration: ConfigurationResponse
