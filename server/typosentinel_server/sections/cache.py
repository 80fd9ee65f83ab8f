"""The part of the configuration document that says what is kept, where, and for how long."""

from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from typosentinel_server import sizes
from typosentinel_server.durations import ALLOWED
from typosentinel_server.errors import DomainError
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem
from typosentinel_server.sections.corpus import Path, Section, seconds

MIN_TTL: Final = 1.0
MAX_TTL: Final = 7 * 24 * 3600.0
MAX_STALE: Final = 24 * 3600.0
MAX_ENTRIES: Final = 10_000_000
MAX_BYTES: Final = 2**40
MIN_TIMEOUT: Final = 0.005
MAX_TIMEOUT: Final = 5.0
MAX_CONNECTIONS: Final = 1024
MAX_POPULAR: Final = 100_000
MAX_NAMED: Final = 10_000
MAX_MIN_BYTES: Final = 2**24
SCHEMES: Final = ("redis", "rediss", "unix")


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"a size is {sizes.ALLOWED}")  # noqa: TRY004 - pydantic takes a ValueError
    return sizes.parse_size(str(value))


def read_ecosystem(value: Any) -> Ecosystem:
    """An ecosystem as pydantic wants to have it read. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("an ecosystem is a text")  # noqa: TRY004 - pydantic takes a ValueError
    try:
        return parse_ecosystem(value)
    except DomainError as error:
        raise ValueError(f"{error.message}. {error.suggestion}") from error


def redis_url(value: str) -> str:
    """An address of a Redis as it is. Raises ValueError; the message holds nothing of it."""
    wrong = "it is no redis://, rediss:// or unix:// address"
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(wrong)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme not in SCHEMES or not (parts.path if parts.scheme == "unix" else parts.hostname) or port == 0:
        raise ValueError(wrong)
    # What stands behind the question mark would set the client's options, whatever they are.
    if parts.fragment or parts.query:
        raise ValueError(f"{wrong} without options")
    database = parts.path.strip("/")
    if parts.scheme != "unix" and database and not database.isdecimal():
        raise ValueError("the path of a redis:// address is the number of a database")
    return value


def _without_password(value: str) -> str:
    if "@" in redis_url(value):
        raise ValueError("an address in a configuration must not carry credentials; use urlFile")
    return value


Bytes = Annotated[int, BeforeValidator(_size), Field(ge=0, le=MAX_BYTES)]
Entries = Annotated[int, Field(ge=0, le=MAX_ENTRIES)]
Ttl = Annotated[float, BeforeValidator(seconds), Field(ge=MIN_TTL, le=MAX_TTL)]


class MemoryCacheSettings(Section):
    """The verdict cache in the server's own memory.

    Attributes:
        max_entries: verdicts kept at once; 0 switches the cache off.
        max_bytes: bytes of them kept at once; 0: no such bound.
        ttl: seconds that a verdict stays good, 1 s to 7 days.
    """

    max_entries: Entries = 10_000
    max_bytes: Bytes = 64 * 2**20
    ttl: Ttl = 300.0


class EvidenceCacheSettings(Section):
    """What is dear to make, in the server's own memory.

    Attributes:
        max_entries: answers kept at once; 0 switches this tier off.
        max_bytes: bytes of them kept at once; 0: no such bound.
        ttl: seconds before Redis is asked again; where there is none, before it is made again.
    """

    max_entries: Entries = 10_000
    max_bytes: Bytes = 32 * 2**20
    ttl: Ttl = 300.0


class RedisSettings(Section):
    """What is dear to make, in a Redis that replicas share. Exactly one of `url` and `url_file` is given.

    Attributes:
        url: where it is; carries no password.
        url_file: a file whose first line is that, with credentials if need be; it is read again when it changes.
        ttl: seconds before it is made again.
        timeout: seconds that one call may take.
        max_connections: at once.
    """

    url: Annotated[str, Field(max_length=2048), AfterValidator(_without_password)] | None = None
    url_file: Path | None = None
    ttl: Ttl = 3600.0
    timeout: Annotated[float, BeforeValidator(seconds), Field(ge=MIN_TIMEOUT, le=MAX_TIMEOUT)] = 0.05
    max_connections: Annotated[int, Field(ge=1, le=MAX_CONNECTIONS)] = 32

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give exactly one of url, urlFile")
        return self


class CompressionSettings(Section):
    """Compression of what is stored in Redis.

    Attributes:
        min_bytes: values from this size on are compressed; 0: none is.
    """

    min_bytes: Annotated[int, BeforeValidator(_size), Field(ge=0, le=MAX_MIN_BYTES)] = 2048


class EncryptionSettings(Section):
    """Encryption of what is stored in Redis.

    Attributes:
        key_file: one key a line, 32 bytes in base64; the first encrypts, all decrypt.
    """

    key_file: Path


class PreloadName(Section):
    """One package to preload."""

    ecosystem: Annotated[Ecosystem, BeforeValidator(read_ecosystem)]
    name: Annotated[str, Field(min_length=1, max_length=255)]


class PreloadSettings(Section):
    """What is judged before the server is ready.

    Attributes:
        popular: the first so many names of each list.
        names: further ones.
    """

    popular: Annotated[int, Field(ge=0, le=MAX_POPULAR)] = 0
    names: Annotated[
        tuple[PreloadName, ...],
        BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v),
        Field(max_length=MAX_NAMED),
    ] = ()


class CacheSettings(Section):
    """What is kept, where, and for how long.

    Attributes:
        memory: verdicts by name.
        evidence: what is dear to make, in memory.
        redis: the same in Redis; None: there is none.
        stale_while_revalidate: seconds for which what is over its time is still answered while it is made anew.
        compression: of what is stored in Redis.
        encryption: the same; None: none.
        preload: what is judged before the server is ready.
    """

    memory: MemoryCacheSettings = MemoryCacheSettings()
    evidence: EvidenceCacheSettings = EvidenceCacheSettings()
    redis: RedisSettings | None = None
    stale_while_revalidate: Annotated[float, BeforeValidator(seconds), Field(ge=0.0, le=MAX_STALE)] = 60.0
    compression: CompressionSettings = CompressionSettings()
    encryption: EncryptionSettings | None = None
    preload: PreloadSettings = PreloadSettings()

    @property
    def fresh(self) -> float:
        """Seconds that what is dear stays fresh."""
        return max(self.redis.ttl, self.evidence.ttl) if self.redis else self.evidence.ttl


_TTL: Final = ("time to live", f"{ALLOWED}, from 1s to 168h")
_ENTRIES: Final = ("number of entries", f"whole numbers 0 to {MAX_ENTRIES}")
_BYTES: Final = ("size", f"{sizes.ALLOWED}, up to 1024Gi")
# What each field takes, in words: (what it is, what is allowed).
ALLOWED_VALUES: Final[dict[str, tuple[str, str]]] = {
    "cache.memory.ttl": _TTL,
    "cache.memory.maxEntries": _ENTRIES,
    "cache.memory.maxBytes": _BYTES,
    "cache.evidence.ttl": _TTL,
    "cache.evidence.maxEntries": _ENTRIES,
    "cache.evidence.maxBytes": _BYTES,
    "cache.redis.ttl": _TTL,
    "cache.redis.timeout": ("timeout", f"{ALLOWED}, from 5ms to 5s"),
    "cache.redis.maxConnections": ("number of connections", f"whole numbers 1 to {MAX_CONNECTIONS}"),
    "cache.staleWhileRevalidate": ("duration", f"{ALLOWED}, from 0s to 24h"),
    "cache.compression.minBytes": ("size", f"{sizes.ALLOWED}, up to 16Mi"),
    "cache.preload.popular": ("number of names", f"whole numbers 0 to {MAX_POPULAR}"),
}
