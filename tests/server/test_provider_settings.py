import pytest

from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.sections.providers import Shape, When
from typosentinel_server.settings import parse_settings

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
WHOLE = """providers:
  when: Always
  timeout: 500ms
  maxConcurrency: 8
  maxBytes: 512Ki
  allowPrivate: [10.0.0.0/8, "fd00::/8"]
  registries:
    - {ecosystem: pypi, url: "https://registry.example.org/pypi/{name}/json", tokenFile: /run/token}
    - {ecosystem: npm, shape: npmDownloads, name: counts, url: "https://registry.example.org/last-month/{name}"}
    - {ecosystem: Maven, url: "http://10.1.2.3/select?q=g:{group}+AND+a:{artifact}&core=gav"}
    - {ecosystem: Go, url: "https://proxy.example.org/{name}/@v/list"}
  vulnerabilities: {url: "https://osv.example.org/v1/query"}
"""


def mistakes(text: str) -> str:
    """What is said about a wrong document."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_settings((HEAD + text).encode(), "c.yaml")
    return refused.value.message


def test_whole_section() -> None:
    """Every field arrives, and what is left out follows from the ecosystem."""
    providers = parse_settings((HEAD + WHOLE).encode(), "c.yaml").providers
    assert (providers.when, providers.timeout, providers.max_concurrency) == (When.ALWAYS, 0.5, 8)
    assert providers.max_bytes == 512 * 1024
    assert [str(network) for network in providers.allow_private] == ["10.0.0.0/8", "fd00::/8"]
    assert [one.kind for one in providers.registries] == [
        Shape.PYPI,
        Shape.NPM_DOWNLOADS,
        Shape.MAVEN_SEARCH,
        Shape.GO_PROXY,
    ]
    assert [one.known_as for one in providers.registries] == ["PyPI", "counts", "MavenSearch", "GoProxy"]
    assert providers.vulnerabilities is not None
    assert providers.configured


def test_nobody_is_asked_by_default() -> None:
    """No provider is built in."""
    assert not parse_settings(HEAD.encode(), "c.yaml").providers.configured


@pytest.mark.parametrize(
    ("registry", "complaint"),
    [
        ('{ecosystem: PyPI, url: "https://r.example.org/json"}', "holds, in braces, name once"),
        ('{ecosystem: PyPI, url: "https://r.example.org/{name}/{name}"}', "holds, in braces, name once"),
        ('{ecosystem: PyPI, url: "https://r.example.org/{group}"}', "holds, in braces, name once"),
        ('{ecosystem: Maven, url: "https://r.example.org/{group}"}', "artifact and group once"),
        ('{ecosystem: PyPI, url: "https://{name}.example.org/"}', "never in its host"),
        ('{ecosystem: PyPI, url: "https://r.example.org:{name}/"}', "the host is"),
        ('{ecosystem: PyPI, url: "{name}://r.example.org/"}', "begins with http"),
        ('{ecosystem: PyPI, url: "https://r.example.org/{0}{name}"}', "braces"),
        ('{ecosystem: PyPI, url: "https://r.example.org/{name"}', "braces"),
        ('{ecosystem: PyPI, url: "https://me:secret@r.example.org/{name}"}', "credentials"),
        ('{ecosystem: PyPI, url: "http://2130706433/{name}"}', "whole IPv4 address"),
        ('{ecosystem: PyPI, url: "http://r.example.org./{name}"}', "none at the end"),
        ('{ecosystem: PyPI, url: "http://r.example.org/{name}", tokenFile: /t}', "over https"),
        ('{ecosystem: PyPI, url: "https://r.example.org/{name}", tokenFile: t}', "absolute"),
        ('{ecosystem: PyPI, shape: npm, url: "https://r.example.org/{name}"}', "the shape npm is no form of PyPI's"),
        ('{ecosystem: PyPI, shape: pypi, url: "https://r.example.org/{name}"}', "did you mean PyPI"),
        ('{ecosystem: Go, url: "https://r.example.org/{name}"}', "ends in {name}/@v/list"),
        ('{ecosystem: Rust, url: "https://r.example.org/{name}"}', "there is no ecosystem"),
        ('{ecosystem: PyPI, url: "https://r.example.org/{name}", name: "a b"}', "a provider's name"),
        ('{ecosystem: PyPI, url: "https://r.example.org/{name}", retries: 3}', "there is no such field"),
    ],
)
def test_wrong_registries_are_refused_with_their_line(registry: str, complaint: str) -> None:
    """Each mistake is named with the line that it stands in."""
    said = mistakes(f"providers:\n  registries:\n    - {registry}\n")
    assert said.startswith("c.yaml:5: providers.registries.0")
    assert complaint in said


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        ("when: Never", "allowed: Flagged, Always"),
        ("timeout: 31s", "from 10ms to 30s"),
        ("timeout: 2", "no timeout"),
        ("maxConcurrency: 0", "whole numbers 1 to 1000"),
        ("maxBytes: 4000", "no size"),
        ("maxBytes: 65Mi", "no size"),
        ("allowPrivate: [10.0.0.1/8]", "a network is written"),
        ("allowPrivate: [7]", "a network is a text"),
        ('vulnerabilities: {url: "https://osv.example.org/{name}"}', "the same for every package"),
        ('vulnerabilities: {url: "http://osv.example.org/", tokenFile: /t}', "over https"),
        ('vulnerabilities: {url: "http://169.254.169.254/"}', "is not public"),
    ],
)
def test_wrong_fields_are_refused(field: str, complaint: str) -> None:
    """Each mistake says what is allowed."""
    assert complaint in mistakes(f"providers:\n  {field}\n")


def test_numbers_that_are_not_public_need_leave() -> None:
    """A number is judged where it is written, and may be allowed."""
    registry = 'registries: [{ecosystem: PyPI, url: "http://[::ffff:127.0.0.1]:8080/{name}"}]'
    assert "registries.0.url: ::ffff:7f00:1 is not public" in mistakes(f"providers:\n  {registry}\n")
    allowed = f"providers:\n  allowPrivate: [127.0.0.0/8]\n  {registry}\n"
    assert parse_settings((HEAD + allowed).encode(), "c.yaml").providers.configured


def test_names_are_told_apart() -> None:
    """Two providers of one name would be one in metrics and caches."""
    two = 'registries: [{ecosystem: PyPI, url: "https://a.example/{name}"}, {ecosystem: PyPI, url: "https://b.example/{name}"}]'
    assert "there is a provider PyPI already" in mistakes(f"providers:\n  {two}\n")
