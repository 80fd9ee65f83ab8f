"""Private names: asked of a public registry, they and what looks like them are dependency confusion."""

import pytest

from judging import HEAD, concluded
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.listdocuments import parse_private_names
from typosentinel_server.scan.conclusion import Knowledge
from typosentinel_server.scan.context.nearby import Nearby
from typosentinel_server.scan.model import Ecosystem, ScanResult, Technique, Verdict

DOCUMENT = f"""{HEAD}PrivateNames
names:
  npm: ["@acme-corp/*", "billing-core", "acme-*", "tools", "wallet"]
  pypi: [acme_billing]
  Maven: ["com.acmecorp:*"]
"""


def asked(name: str, ecosystem: Ecosystem = Ecosystem.NPM, popular: str = "lodash") -> ScanResult:
    """The answer about a name with the document above."""
    knowledge = Knowledge(private_names=parse_private_names(DOCUMENT.encode(), "p.yaml"))
    listed = "org.slf4j:slf4j-api" if ecosystem is Ecosystem.MAVEN else popular
    return concluded(name, listed, knowledge=knowledge, ecosystem=ecosystem)


@pytest.mark.parametrize(
    ("ecosystem", "name", "said"),
    [
        (Ecosystem.NPM, "billing-core", "this is one of your private names, and a public registry is asked for it"),
        (Ecosystem.NPM, "@acme-corp/x", 'this is in your private namespace "@acme-corp/*", and a public registry is'),
        (Ecosystem.NPM, "acme-x", 'this is in your private namespace "acme-*", and a public registry is asked for it'),
        (Ecosystem.PYPI, "Acme.Billing", "this is one of your private names, and a public registry is asked for it"),
        (Ecosystem.MAVEN, "com.acmecorp:x", 'this is in your private namespace "com.acmecorp:*", and a public'),
    ],
)
def test_private_name_is_suspicious(ecosystem: Ecosystem, name: str, said: str) -> None:
    """In any spelling of it; it is no target of itself."""
    found = asked(name, ecosystem)

    assert (found.verdict, found.targets, found.score > 0.9) == (Verdict.SUSPICIOUS, (), True)
    assert found.findings[0].technique is Technique.DEPENDENCY_CONFUSION
    assert found.findings[0].message.startswith(said)


@pytest.mark.parametrize(
    ("ecosystem", "name", "verdict", "target"),
    [
        (Ecosystem.NPM, "biling-core", Verdict.SUSPICIOUS, "billing-core"),
        (Ecosystem.NPM, "billing-croe", Verdict.SUSPICIOUS, "billing-core"),
        (Ecosystem.NPM, "walet", Verdict.ADVISORY, "wallet"),
        (Ecosystem.NPM, "tool", Verdict.CLEAN, "tools"),
        (Ecosystem.NPM, "@acmee-corp/x", Verdict.ADVISORY, "@acme-corp"),
        (Ecosystem.MAVEN, "com.acmecorb:x", Verdict.ADVISORY, "com.acmecorp"),
        (Ecosystem.PYPI, "acmebilling", Verdict.SUSPICIOUS, "acme-billing"),
    ],
)
def test_near_miss_of_a_private_name_counts_by_its_length(
    ecosystem: Ecosystem, name: str, verdict: Verdict, target: str
) -> None:
    """One letter in five is another word, one in twelve is not; another namespace is worth a look."""
    found = asked(name, ecosystem)

    assert (found.verdict, found.findings[0].target) == (verdict, target)


@pytest.mark.parametrize("name", ["billing-cores", "billing-oven", "@other/billing-core", "acmex"])
def test_popular_and_other_names_are_left_alone(name: str) -> None:
    """A popular name is nobody's slip of a private one."""
    assert asked(name, popular="billing-cores").findings == ()


def test_private_names_of_one_registry_say_nothing_of_another() -> None:
    """Lists are by ecosystem."""
    assert asked("billing-core", Ecosystem.PYPI).findings == ()


@pytest.mark.parametrize("text", ["abcdf", "abcdefg", "abcedf", "abcdex", "bcdef", "abcdefx", "xabcdef"])
def test_one_edit_is_found(text: str) -> None:
    """A letter left out, put in or replaced, and two swapped, wherever."""
    assert Nearby(["abcdef"]).get(text) == ["abcdef"]


@pytest.mark.parametrize("text", ["abcdef", "abcd", "abcdefgh", "bacdfe", "abdefc", "", "xbcdex"])
def test_none_and_more_than_one_edit_are_not(text: str) -> None:
    """Nor is the text itself."""
    assert Nearby(["abcdef", "a"]).get(text) == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("names: []\n", "p.yaml:3: names: this is no mapping"),
        ("names: {npm: acme}\n", "p.yaml:3: names.npm: this is no list"),
        ("names:\n  nmp: [a]\n", 'p.yaml:4: names.nmp: there is no ecosystem "nmp". Did you mean npm?'),
        ("names:\n  npm:\n  - acme\n  - '*'\n", 'p.yaml:6: names.npm.1: "*" is neither a name nor a namespace. A name'),
        ("names:\n  npm: [5]\n", "p.yaml:4: names.npm.0: this is no text"),
        ("names:\n  npm: ['a\u202eb']\n", "p.yaml:4: names.npm.0: this has line breaks or invisible characters"),
        ("", "p.yaml:1: names: it is missing"),
    ],
)  # fmt: skip
def test_wrong_documents_are_refused_with_file_line_and_field(names: str, said: str) -> None:
    """As with every document."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_private_names(f"{HEAD}PrivateNames\n{names}".encode(), "p.yaml")

    assert refused.value.message.startswith(said)
