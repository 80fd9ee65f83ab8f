"""What the document may say of the caches, and what its files may say."""

from pathlib import Path

import pytest

from running import Start, StillClock, samples
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.lifecycle import Timing
from typosentinel_server.sections.cache import CacheSettings, redis_url
from typosentinel_server.settings import parse_settings
from typosentinel_server.sizes import parse_size

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\ncache:\n"


def parsed(text: str) -> CacheSettings:
    """The caches' part of a document."""
    return parse_settings((HEAD + text).encode(), "c.yaml").cache


def test_everything() -> None:
    """Every field, as an operator would write it."""
    found = parsed("""
  memory: {maxEntries: 10, maxBytes: 1Mi, ttl: 1m}
  evidence: {maxEntries: 20, maxBytes: 2048, ttl: 2m}
  redis: {urlFile: /etc/typosentinel/redis/url, ttl: 1h, timeout: 20ms, maxConnections: 8}
  staleWhileRevalidate: 30s
  compression: {minBytes: 4Ki}
  encryption: {keyFile: /etc/typosentinel/cache-key}
  preload: {popular: 10, names: [{ecosystem: pypi, name: requests}]}
""")
    assert found.redis is not None
    assert (found.memory.max_bytes, found.evidence.max_bytes, found.compression.min_bytes) == (2**20, 2048, 4096)
    assert (found.redis.timeout, found.redis.max_connections, found.fresh) == (0.02, 8, 3600.0)
    assert found.preload.names[0].ecosystem == "PyPI"


def test_without_redis_things_stay_fresh_as_long_as_memory_says() -> None:
    """And with one, never shorter than that."""
    assert parsed("  evidence: {ttl: 2m}\n").fresh == 120
    assert parsed("  evidence: {ttl: 2h}\n  redis: {url: 'redis://r'}\n").fresh == 7200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  memory: {maxBytes: 5Ti}\n", 'c.yaml:4: cache.memory.maxBytes: "5Ti" is no size; allowed: bytes'),
        ("  memory: {maxBytes: true}\n", "cache.memory.maxBytes"),
        ("  memory: {maxBytes: -1}\n", "cache.memory.maxBytes"),
        ("  evidence: {ttl: 0s}\n", "cache.evidence.ttl"),
        ("  redis: {}\n", "give exactly one of url, urlFile"),
        ("  redis: {url: 'redis://r', urlFile: /a}\n", "give exactly one of url, urlFile"),
        ("  redis: {url: 'redis://user:pw@r'}\n", "must not carry credentials"),
        ("  redis: {url: 'http://r'}\n", "no redis://"),
        ("  redis: {url: 'redis://r?db=1'}\n", "without options"),
        ("  redis: {url: 'redis://r', timeout: 1ms}\n", 'cache.redis.timeout: "1ms" is no timeout'),
        ("  redis: {url: 'redis://r', timeout: 10s}\n", "cache.redis.timeout"),
        ("  redis: {url: 'redis://r', maxConnections: 0}\n", "cache.redis.maxConnections"),
        ("  redis: {urlFile: url}\n", "a path here is absolute"),
        ("  staleWhileRevalidate: 48h\n", "cache.staleWhileRevalidate"),
        ("  compression: {minBytes: 1Gi}\n", "cache.compression.minBytes"),
        ("  encryption: {}\n", "c.yaml:4: cache.encryption.keyFile: it is missing"),
        ("  preload: {popular: -1}\n", "cache.preload.popular"),
        ("  preload: {names: [{ecosystem: Hackage, name: x}]}\n", "there is no ecosystem"),
        ("  preload: {names: [{ecosystem: PyPI, name: ''}]}\n", "cache.preload.names.0.name"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    """With line and field; a password is not said again."""
    with pytest.raises(ConfigurationInvalid) as error:
        parsed(text)
    assert message in error.value.message
    assert "pw" not in error.value.message


@pytest.mark.parametrize("url", ["redis://r", "redis://u:p@r:6379/3", "rediss://r/0", "unix:///run/redis.sock"])
def test_addresses(url: str) -> None:
    """Those that the client knows."""
    assert redis_url(url) == url


@pytest.mark.parametrize(
    "url", ["", "redis://", "redis://r:x", "redis://r:0", "redis://r/x", "redis://r#a", "redis://r /", "unix://", "ä"]
)
def test_what_is_no_address(url: str) -> None:
    """And nothing of it is said."""
    with pytest.raises(ValueError, match="redis://"):
        redis_url(url)


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("2048", 2048), ("64Mi", 2**26), ("1Gi", 2**30), ("2k", 2000), ("3M", 3_000_000)]
)
def test_sizes(text: str, size: int) -> None:
    """As Kubernetes writes them."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "Mi", "1.5Mi", "-1", "1 Mi", "1mi", "1e3", "9" * 16])
def test_what_is_no_size(text: str) -> None:
    """Refused."""
    with pytest.raises(ValueError, match="a size is"):
        parse_size(text)


@pytest.mark.parametrize(
    ("url", "keys", "field"),
    [
        (None, b"", "cache.redis.urlFile"),
        ("", b"", "cache.redis.urlFile"),
        ("http://user:secret@r", b"", "cache.redis.urlFile"),
        ("redis://:secret@r", b"secret", "cache.encryption.keyFile"),
        ("redis://:secret@r", b"", "cache.encryption.keyFile"),
        ("x" * 70_000, b"", "cache.redis.urlFile"),
    ],
)
def test_files_that_are_wrong_are_refused(
    still: StillClock, tmp_path: Path, url: str | None, keys: bytes, field: str
) -> None:
    """With file and field, and nothing of what they hold."""
    if url is not None:
        (tmp_path / "url").write_text(url)
    (tmp_path / "keys").write_bytes(keys)
    settings = CacheSettings.model_validate(
        {"redis": {"urlFile": str(tmp_path / "url")}, "encryption": {"keyFile": str(tmp_path / "keys")}}
    )
    with pytest.raises(ConfigurationInvalid) as error:
        Caches(MemoryCache(1, 1.0, still.clock.monotonic), settings, still.clock, lambda: 0.5)
    assert field in error.value.message
    assert "secret" not in error.value.message


async def test_a_reload_changes_all_tiers_or_none(start: Start, tmp_path: Path) -> None:
    """A document whose file of an address is missing is refused whole."""
    config = tmp_path / "config.yaml"
    config.write_text(HEAD + "  memory: {maxEntries: 5, maxBytes: 1Mi}\n  evidence: {maxEntries: 7}\n")
    server = await start(config, Timing(reload=60))
    config.write_text(HEAD + f"  memory: {{maxEntries: 6}}\n  redis: {{urlFile: {tmp_path}/none}}\n")
    await server.parts.reloader.look()
    assert "cache.redis.urlFile" in (server.parts.reloader.last_error or "")
    found = await samples(server)
    assert found["typosentinel_cache_max_entries", frozenset({("tier", "memory")})] == 5
    config.write_text(HEAD + "  memory: {maxEntries: 8, maxBytes: 2Mi, ttl: 10s}\n  evidence: {maxEntries: 9}\n")
    await server.parts.reloader.look()
    found = await samples(server)

    assert found["typosentinel_cache_max_entries", frozenset({("tier", "memory")})] == 8
    assert found["typosentinel_cache_max_bytes", frozenset({("tier", "memory")})] == 2**21
    assert found["typosentinel_cache_ttl_seconds", frozenset({("tier", "memory")})] == 10
    assert found["typosentinel_cache_max_entries", frozenset({("tier", "evidence")})] == 9
