"""The configuration document: what is taken, what is refused, and how a refusal reads."""

import pytest

from typosentinel_server.durations import parse_duration
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.settings import LogLevel, Settings, parse_settings

MEMORY = "cache:\n  memory:\n    "
HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"


def test_defaults() -> None:
    """Every default, pinned."""
    assert Settings().model_dump(by_alias=True) == {
        "apiVersion": "typosentinel.io/v1alpha1",
        "kind": "ServerConfiguration",
        "ecosystems": None,
        "cache": {
            "memory": {"maxEntries": 10_000, "maxBytes": 2**26, "ttl": 300.0},
            "evidence": {"maxEntries": 10_000, "maxBytes": 2**25, "ttl": 300.0},
            "redis": None,
            "staleWhileRevalidate": 60.0,
            "compression": {"minBytes": 2048},
            "encryption": None,
            "preload": {"popular": 0, "names": ()},
        },
        "corpus": {
            "source": {"builtin": {}, "directory": None, "url": None, "sha256": None},
            "refreshInterval": 21_600.0,
            "maxAge": None,
            "maxLossPercent": 50,
            "stateDir": None,
        },
        "detection": {"allowList": None, "privateNames": None, "malware": None, "registryIndex": {}},
        "workers": {"min": 2, "max": 10, "queue": 1000, "timeout": 300.0, "threshold": 500},
        "server": {
            "maxConnections": 4096,
            "headTimeout": 10.0,
            "bodyTimeout": 30.0,
            "bodyMaxTime": 300.0,
            "bodyMinRate": 1024,
            "idleTimeout": 75.0,
            "writeTimeout": 30.0,
        },
        "providers": {
            "when": "Flagged",
            "registries": (),
            "vulnerabilities": None,
            "timeout": 2.0,
            "maxConcurrency": 32,
            "maxBytes": 4 * 2**20,
            "allowPrivate": (),
        },
        "limits": {
            "default": None,
            "endpoints": {"Scan": None, "Batch": None},
            "apiKeys": None,
            "trustedProxies": (),
            "maxPrincipals": 10_000,
        },
        "logLevel": LogLevel.INFO,
        "accessLog": {"every": 100},
    }


def test_header_alone_means_the_defaults() -> None:
    """A document needs to say what it is, and nothing more."""
    assert parse_settings(HEAD.encode(), "c.yaml") == Settings()


def test_everything_set() -> None:
    """Every field, with aliases of ecosystems and a compound duration."""
    document = HEAD + ("ecosystems: [pypi, crates]\ncache: {memory: {maxEntries: 0, ttl: 1h30m}}\nlogLevel: Warning\n")
    settings = parse_settings(document.encode(), "c.yaml")

    assert settings.ecosystems == (Ecosystem.PYPI, Ecosystem.CRATES)
    assert (settings.cache.memory.max_entries, settings.cache.memory.ttl) == (0, 5400.0)
    assert settings.log_level is LogLevel.WARNING


@pytest.mark.parametrize(
    ("text", "seconds"), [("300ms", 0.3), ("5m", 300.0), ("1h30m", 5400.0), ("1m30s500ms", 90.5), ("0s", 0.0)]
)
def test_durations(text: str, seconds: float) -> None:
    """Numbers with units add up."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "-1s", "1.5h", "123456s", "1d", "\uff15m", "1h1h1h1h1h", "5m\n"])
def test_what_is_no_duration(text: str) -> None:
    """Nothing but whole numbers with units, at most four."""
    with pytest.raises(ValueError, match="a duration is"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("", "c.yaml:1: the document is not a mapping with apiVersion and kind"),
        ("- a\n", "c.yaml:1: the document is not a mapping with apiVersion and kind"),
        ("logLevel: Info\n", "c.yaml:1: apiVersion: it is missing; allowed: typosentinel.io/v1alpha1"),
        (
            "apiVersion: typosentinel.io/v2\nkind: ServerConfiguration\n",
            'c.yaml:1: apiVersion: "typosentinel.io/v2" is no version that is read here; allowed:',
        ),
        (HEAD + "loglevel: Info\n", "c.yaml:3: loglevel: there is no such field. Did you mean logLevel? Allowed"),
        (HEAD + "logLevel: info\n", 'c.yaml:3: logLevel: "info" is no log level; allowed: Debug, Info, Warning, Error'),
        (HEAD + MEMORY + "maxEntries: -1\n", 'c.yaml:5: cache.memory.maxEntries: "-1" is no number of entries'),
        (HEAD + MEMORY + "maxEntries: '5'\n", 'c.yaml:5: cache.memory.maxEntries: "5" is no number of entries'),
        (HEAD + MEMORY + "maxEntries: true\n", "c.yaml:5: cache.memory.maxEntries:"),
        (HEAD + MEMORY + "ttl: 5 minutes\n", 'c.yaml:5: cache.memory.ttl: "5 minutes" is no time to live; allowed:'),
        (HEAD + MEMORY + "ttl: 300\n", 'c.yaml:5: cache.memory.ttl: "300" is no time to live'),
        (HEAD + MEMORY + "ttl: 0s\n", 'c.yaml:5: cache.memory.ttl: "0s" is no time to live'),
        (HEAD + MEMORY + "size: 5\n", "c.yaml:5: cache.memory.size: there is no such field. Allowed: maxEntries"),
        (HEAD + "cache: 5\n", 'c.yaml:3: cache: "5" is no mapping; allowed: memory'),
        (HEAD + "ecosystems:\n- PyPI\n- pypy\n", 'c.yaml:5: ecosystems.1: there is no ecosystem "pypy". Did you'),
        (HEAD + "ecosystems: []\n", "c.yaml:3: ecosystems: this is no list of ecosystems; allowed: one"),
        (HEAD + "ecosystems: [PyPI, pypi]\n", "c.yaml:3: ecosystems: an ecosystem is named twice"),
        (HEAD + "ecosystems:\n- NuGet\n", "c.yaml:4: ecosystems.0: there is no list of popular names for"),
        (HEAD + "logLevel: Info\nlogLevel: Debug\n", 'c.yaml:4: the key "logLevel" stands here a second time'),
        (HEAD + "cache: &a {}\n", "c.yaml:3: anchors and aliases are not allowed here"),
        (HEAD + "logLevel: !!str Info\n", "c.yaml:3: tags are not allowed here"),
        (HEAD + "cache: {memory: \n", "c.yaml:4:"),
        (HEAD + "---\na: 1\n", "c.yaml:3:"),
        (HEAD + "logLevel: 2026-13-45\n", "c.yaml:3:"),
        (HEAD + "cache: " + "{a: " * 30 + "1" + "}" * 30, "c.yaml:3:"),
        (HEAD + "cache: " + "[" * 5000, "c.yaml:"),
        (HEAD + "? [a]\n: 1\n", "c.yaml:3: a key is a text"),
        (HEAD + "logLevel: [Debug]\n", 'c.yaml:3: logLevel: "[\'Debug\']" is no log level'),
        (HEAD + "logLevel: {a: b}\n", "c.yaml:3: logLevel: "),
        ("apiVersion: [a]\nkind: {a: b}\n", "c.yaml:1: apiVersion: "),
        (HEAD + MEMORY + "maxEntries: 0x" + "f" * 5000, "c.yaml:5: this number is too large"),
        (HEAD + MEMORY + "maxEntries: [0x" + "f" * 5000 + "]", "c.yaml:5: this number is too large"),
        (HEAD + MEMORY + "maxEntries: " + "1:" * 300 + "1.0", "c.yaml:5: this value cannot be read"),
        (HEAD + MEMORY + "maxEntries: " + "1:" * 300 + "1", "c.yaml:5: this number is too large"),
        (HEAD + MEMORY + "maxEntries: .nan", 'c.yaml:5: cache.memory.maxEntries: "nan" is no number of entries'),
        (HEAD + "cache: {ttl: 5m}\n", "c.yaml:3: cache.ttl: there is no such field. Allowed: memory"),
    ],
)  # fmt: skip
def test_refusals_name_file_line_and_field(document: str, said: str) -> None:
    """Whoever made the mistake can go to it and knows what is allowed."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_settings(document.encode(), "c.yaml", (Ecosystem.PYPI, Ecosystem.NPM))

    assert refused.value.message.startswith(said)


SOURCE = HEAD + "corpus:\n  source:\n    "


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (SOURCE + "{}\n", "c.yaml:4: corpus.source: give exactly one of builtin, directory, url; given: none"),
        (SOURCE + "directory: /a\n    builtin: {}\n", "c.yaml:4: corpus.source: give exactly one of builtin"),
        (SOURCE + "builtin: {}\n    sha256: " + "a" * 64, "c.yaml:4: corpus.source: sha256 belongs to url"),
        (SOURCE + "directory: a/b\n", "c.yaml:5: corpus.source.directory: a path here is absolute, such as"),
        (SOURCE + "url: ftp://a/b\n", "c.yaml:5: corpus.source.url: it is no http:// or https:// address of a file"),
        (SOURCE + "url: https://a:b@c/d\n", "c.yaml:5: corpus.source.url: an address in a configuration must not"),
        (SOURCE + "url: https:///d\n", "c.yaml:5: corpus.source.url: it is no http:// or https:// address"),
        (SOURCE + "url: 'https://a/b c'\n", "c.yaml:5: corpus.source.url: it is no http:// or https:// address"),
        (SOURCE + "url: https://[/\n", "c.yaml:5: corpus.source.url: invalid IPv6 URL"),
        (SOURCE + "url: https://a:99999/b\n", "c.yaml:5: corpus.source.url: port out of range"),
        (SOURCE + "url: https://a/b\n    sha256: ABC\n", "c.yaml:6: corpus.source.sha256: a SHA-256 is 64"),
        (SOURCE + "file: /a\n", "c.yaml:5: corpus.source.file: there is no such field. Allowed: builtin,"),
        (SOURCE + "builtin: yes\n", 'c.yaml:5: corpus.source.builtin: "True" is no mapping'),
        (HEAD + "corpus: {refreshInterval: 1s}\n", 'c.yaml:3: corpus.refreshInterval: "1s" is no interval;'),
        (HEAD + "corpus: {maxAge: 0s}\n", 'c.yaml:3: corpus.maxAge: "0s" is no age; allowed: one'),
        (HEAD + "corpus: {maxLossPercent: 101}\n", 'c.yaml:3: corpus.maxLossPercent: "101" is no share; allowed:'),
        (HEAD + "corpus: {stateDir: a}\n", "c.yaml:3: corpus.stateDir: a path here is absolute"),
        (HEAD + "corpus: {interval: 6h}\n", "c.yaml:3: corpus.interval: there is no such field. Did you mean"),
    ],
)  # fmt: skip
def test_where_lists_come_from_is_said_exactly(document: str, said: str) -> None:
    """Exactly one source, and nothing that leads anywhere else."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_settings(document.encode(), "c.yaml")

    assert refused.value.message.startswith(said)


def test_other_lists_may_serve_ecosystems_that_are_not_on_board() -> None:
    """What they hold is seen when they are read."""
    document = HEAD + "ecosystems: [NuGet]\ncorpus: {source: {directory: /lists}, refreshInterval: 1m, maxAge: 720h}\n"
    settings = parse_settings(document.encode(), "c.yaml", (Ecosystem.PYPI,))

    assert settings.corpus.source.directory == "/lists"
    assert (settings.corpus.refresh_interval, settings.corpus.max_age) == (60.0, 2_592_000.0)


def test_every_mistake_is_named_at_once() -> None:
    """One line a mistake, in one go."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_settings((HEAD + "logLevel: Loud\ncache: {memory: {ttl: x}}\ncolour: red\n").encode(), "c.yaml")

    assert [line.split(": ")[:2] for line in refused.value.message.splitlines()] == [
        ["c.yaml:4", "cache.memory.ttl"],
        ["c.yaml:3", "logLevel"],
        ["c.yaml:5", "colour"],
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: \x00", b"#" * (1 << 17)])
def test_bytes_that_are_no_document_are_refused(content: bytes) -> None:
    """Neither other encodings nor control characters nor huge files."""
    with pytest.raises(ConfigurationInvalid, match=r"c\.yaml:1"):
        parse_settings(content, "c.yaml")
