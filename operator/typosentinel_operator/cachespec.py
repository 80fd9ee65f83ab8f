"""What a CachePolicy's spec holds.

Bounds are the server's own: what it would refuse must not get as far as a ConfigMap.
"""

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from typosentinel_operator.fields import (
    Duration,
    Ecosystem,
    Model,
    PackageName,
    SecretKeyReference,
    Size,
    between,
    map_list,
    rules,
    sized,
)

# Where a CachePolicy refers to Secrets.
REDIS_URL_REFERENCE: Final = "spec.redis.external.urlSecretRef"
ENCRYPTION_KEY_REFERENCE: Final = "spec.encryption.keySecretRef"

_TTL: Final = (
    "!has(self.ttl) || (duration(self.ttl) >= duration('1s') && duration(self.ttl) <= duration('168h'))",
    "ttl must be between 1s and 168h; maxEntries 0 switches the cache off",
)
_SIZED: Final = sized("maxBytes", "1Mi", "64Gi")
_Entries = Annotated[int, Field(ge=0, le=10_000_000, json_schema_extra={"format": "int32"})]


class MemoryCache(Model):
    """The verdict cache in each scanner's memory (bounded by entries and bytes, with expiry)."""

    model_config = ConfigDict(json_schema_extra=rules(_TTL, _SIZED))

    max_entries: _Entries = 10_000
    """Verdicts that one pod keeps at most; 0 switches the cache off."""
    max_bytes: Size | None = None
    """Memory that they take at most in one pod, in bytes. Default: 64Mi."""
    ttl: Duration = "5m"
    """How long a verdict is kept: hours, minutes, seconds, milliseconds, as in 1h30m."""


class EvidenceCache(Model):
    """What is dear to get, in each scanner's memory: what registries said, results of batches and manifests."""

    model_config = ConfigDict(json_schema_extra=rules(_TTL, _SIZED))

    max_entries: _Entries = 10_000
    """Entries that one pod keeps at most; 0 switches this tier off."""
    max_bytes: Size = "32Mi"
    """Memory that they take at most in one pod, in bytes."""
    ttl: Duration = "5m"
    """How long an entry is good."""


class ExternalRedis(Model):
    """A Redis that somebody else runs."""

    url_secret_ref: SecretKeyReference
    """Key of a Secret with its address: redis://, rediss:// or unix://, with user and password if it wants them."""


class RedisCache(Model):
    """Redis, which the scanners of a fleet share: for what is dear to get, and for rate limits."""

    model_config = ConfigDict(json_schema_extra=rules(between("ttl", "1s", "168h"), between("timeout", "5ms", "5s")))

    external: ExternalRedis
    """A Redis that somebody else runs."""
    ttl: Duration = "1h"
    """How long an entry is good."""
    timeout: Duration = "50ms"
    """Time that one answer of Redis may take. Scans never wait longer, and never fail for want of it."""
    max_connections: Annotated[int, Field(ge=1, le=1024, json_schema_extra={"format": "int32"})] = 32
    """Connections that one pod opens at most."""


class Compression(Model):
    """Compression of what is stored in Redis."""

    min_bytes: Annotated[int, Field(ge=0, le=1_048_576, json_schema_extra={"format": "int32"})] = 2048
    """Entries from this many bytes on are compressed."""


class Encryption(Model):
    """Encryption of what is stored in Redis (AES-256-GCM)."""

    key_secret_ref: SecretKeyReference
    """Key of a Secret with the key."""


class PreloadedName(Model):
    """A package's name."""

    ecosystem: Ecosystem
    """Its ecosystem, in OSV's spelling."""
    name: PackageName
    """The name."""


class Preload(Model):
    """What is in the cache before a pod is ready."""

    popular: Annotated[int, Field(ge=0, le=100_000, json_schema_extra={"format": "int32"})] = 0
    """So many of the most popular names of each list."""
    names: Annotated[list[PreloadedName], Field(max_length=100, json_schema_extra=map_list("ecosystem", "name"))] = []
    """These names besides."""


class CachePolicySpec(Model):
    """How scanners cache. One policy serves any number of ScanServices; only other Secrets restart pods."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.encryption) || has(self.redis)",
                "encryption is of what is stored in Redis: give redis as well",
            ),
            between("staleWhileRevalidate", "0s", "24h"),
        )
    )

    memory: MemoryCache = MemoryCache()
    """The verdict cache in each scanner's memory."""
    redis: RedisCache | None = None
    """Redis, shared by all pods. Default: none; each pod then has its own evidence and its own limits."""
    evidence: EvidenceCache | None = None
    """What is dear to get, in each scanner's memory. Default: the scanner's own settings."""
    stale_while_revalidate: Duration | None = None
    """How long after its end an entry is still answered with while it is got anew. Default: 1m."""
    compression: Compression | None = None
    """Compression of what is stored in Redis. Default: from 2048 bytes on."""
    encryption: Encryption | None = None
    """Encryption of what is stored in Redis. Default: none."""
    preload: Preload | None = None
    """What is in the cache before a pod is ready. Default: nothing."""
