"""Allow-lists: what they clear, what they don't, and how a wrong one is refused."""

from dataclasses import replace

import pytest

from judging import HEAD, concluded
from typosentinel_server.errors import ConfigurationInvalid, NameRefused
from typosentinel_server.listdocuments import parse_allow_list
from typosentinel_server.scan.conclusion import Knowledge
from typosentinel_server.scan.context.malware import MalwareList, Record
from typosentinel_server.scan.context.patterns import Matcher, parse_pattern
from typosentinel_server.scan.model import Ecosystem, Verdict

TOP = HEAD + "AllowList\nentries:\n"


def allowing(*entries: str) -> Knowledge:
    """An allow-list of these entries, each in YAML's flow style without the braces."""
    document = TOP + "".join(f"- {{{entry}}}\n" for entry in entries)
    return Knowledge(allow_list=parse_allow_list(document.encode(), "a.yaml"))


def test_allowed_name_is_clean_and_the_evidence_stays() -> None:
    """The answer names the entry, its reason and its end; any spelling of the package is meant."""
    found = concluded("reqeusts", "requests", knowledge=allowing("ecosystem: pypi, name: ReqEusts, reason: ours"))

    assert (found.verdict, found.score, found.targets) == (Verdict.CLEAN, 0.0, ())
    assert [(f.target, f.cleared, f.score > 0.9) for f in found.findings] == [("requests", True, True)]
    assert [(a.entry, a.reason, a.expires, a.expired) for a in found.allowances] == [("ReqEusts", "ours", None, False)]


@pytest.mark.parametrize(("day", "verdict"), [("2026-11-21", Verdict.CLEAN), ("2026-11-20", Verdict.SUSPICIOUS)])
def test_entry_holds_through_its_last_day_and_then_says_that_it_has_ended(day: str, verdict: Verdict) -> None:
    """The answer keeps naming an ended entry, so that somebody renews it or takes it out."""
    entry = f"ecosystem: PyPI, name: reqeusts, reason: ours, expires: {day}"
    found = concluded("reqeusts", "requests", knowledge=allowing(entry))

    assert found.verdict is verdict
    assert [(str(a.expires), a.expired) for a in found.allowances] == [(day, verdict is Verdict.SUSPICIOUS)]


def test_entry_with_a_target_clears_that_resemblance_alone() -> None:
    """Somebody who vouched for a name next to one package has not seen the other."""
    popular = ("requests", "reqeustz")
    whole = concluded("reqeusts", *popular)
    entry = "ecosystem: PyPI, name: reqeusts, target: Requests, reason: renamed"
    found = concluded("reqeusts", *popular, knowledge=allowing(entry))

    assert set(whole.targets) == {"requests", "reqeustz"}
    assert found.targets == ("reqeustz",)
    assert found.verdict is Verdict.SUSPICIOUS
    assert found.score == max(f.score for f in whole.findings if f.target == "reqeustz")
    assert [f.cleared for f in found.findings] == sorted(f.target == "requests" for f in found.findings)


def test_other_names_are_left_alone() -> None:
    """Neither another name nor the same one elsewhere profits."""
    knowledge = allowing("ecosystem: npm, name: reqeusts, reason: x", "ecosystem: PyPI, name: reqests, reason: x")
    found = concluded("reqeusts", "requests", knowledge=knowledge)

    assert found == concluded("reqeusts", "requests")


def test_namespace_does_not_clear_known_malware_and_a_name_does() -> None:
    """Who vouches for a namespace has not seen the package that turned bad; who names it has."""
    malware = MalwareList({(Ecosystem.NPM, "@acme/tool"): Record(None)})
    entries = ("ecosystem: npm, name: '@acme/*', reason: ours", "ecosystem: npm, name: '@acme/tool', reason: mended")
    verdicts = [
        concluded(
            "@acme/tool", "lodash", ecosystem=Ecosystem.NPM, knowledge=replace(allowing(entry), malware=malware)
        ).verdict
        for entry in entries
    ]

    assert verdicts == [Verdict.MALICIOUS, Verdict.CLEAN]


@pytest.mark.parametrize(
    ("ecosystem", "pattern", "inside", "outside"),
    [
        (Ecosystem.NPM, "@acme/*", "@acme/tool", "@acme2/tool"),
        (Ecosystem.NPM, "acme-*", "acme-tool", "acmetool"),
        (Ecosystem.MAVEN, "com.acme:*", "com.acme:tool", "com.acme.sub:tool"),
        (Ecosystem.MAVEN, "com.acme.*", "com.acme.sub:tool", "com.acmes:tool"),
        (Ecosystem.GO, "github.com/acme/*", "github.com/acme/tool/v2", "github.com/acme2/tool"),
        (Ecosystem.PYPI, "Acme_*", "acme.tool", "acm-e-tool"),
        (Ecosystem.NUGET, "Acme.*", "ACME.Tool", "Acme"),
        (Ecosystem.CRATES, "acme_*", "acme-tool", "acme"),
    ],
)
def test_namespaces_are_compared_as_the_registry_compares_names(
    ecosystem: Ecosystem, pattern: str, inside: str, outside: str
) -> None:
    """Up to a separator, in any spelling of it that the registry takes for the same."""
    matcher = Matcher([(parse_pattern(ecosystem, pattern), True)])
    found = [matcher.get(ecosystem, parse_pattern(ecosystem, name).key) for name in (inside, outside)]

    assert found == [[True], []]


@pytest.mark.parametrize(
    "text", ["*", "a*", "@*", "acme*", "-*", "a*b-*", "@acme/*/*", "acme -*", "\u0430cme-*", "a/*"]
)
def test_what_is_no_namespace(text: str) -> None:
    """A star that would let in what somebody else may register is refused."""
    with pytest.raises(NameRefused):
        parse_pattern(Ecosystem.PYPI, text)


ENTRY = "- ecosystem: PyPI\n  name: a\n  reason: x\n"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("entries: []\n", "a.yaml:1: apiVersion: it is missing; allowed: typosentinel.io/v1alpha1"),
        (HEAD + "PrivateNames\nentries: []\n", 'a.yaml:2: kind: "PrivateNames" is not read here; allowed: AllowList'),
        (HEAD + "AllowList\n", "a.yaml:1: entries: it is missing"),
        (HEAD + "AllowList\nentries: 5\n", "a.yaml:3: entries: this is no list"),
        (HEAD + "AllowList\nentires: []\n", "a.yaml:3: entires: there is no such field. Did you mean entries? Allowed"),
        (TOP + "- a\n", "a.yaml:4: entries.0: this is no mapping; allowed: ecosystem, name, target, reason, expires"),
        (TOP + "- ecosystem: PyPI\n  name: a\n", "a.yaml:4: entries.0: reason is missing"),
        (TOP + ENTRY + "- ecosystem: PyPI\n  name: a\n  reason: ''\n", "a.yaml:9: entries.1.reason: it is empty"),
        (TOP + ENTRY.replace("reason: x", "reason: 5"), "a.yaml:6: entries.0.reason: this is no text"),
        (TOP + ENTRY.replace("reason: x", "reason: 'a\u202eb'"), "a.yaml:6: entries.0.reason: this has line breaks or"),
        (TOP + ENTRY.replace("reason: x", "reason: " + "x" * 301), "a.yaml:6: entries.0.reason: this has more than"),
        (TOP + ENTRY.replace("PyPI", "pypy"), 'a.yaml:4: entries.0.ecosystem: there is no ecosystem "pypy". Did you'),
        (TOP + ENTRY.replace("PyPI", "[PyPI]"), "a.yaml:4: entries.0.ecosystem: an ecosystem is a text"),
        (TOP + ENTRY.replace("name: a", "name: a b"), "a.yaml:5: entries.0.name: the name holds the character U+0020"),
        (TOP + ENTRY.replace("name: a", "name: 'a\u202eb'"), "a.yaml:5: entries.0.name: this has line breaks or invis"),
        (TOP + ENTRY.replace("name: a", "name: acme*"), 'a.yaml:5: entries.0.name: "acme*" is neither a name nor a n'),
        (TOP + ENTRY.replace("name: a", "name: r\u0435quests"), 'a.yaml:5: entries.0.name: "r\\u0435quests" has let'),
        (TOP + ENTRY + "  target: a b\n", "a.yaml:7: entries.0.target: the name holds the character U+0020"),
        (TOP + ENTRY + "  target:\n", "a.yaml:7: entries.0.target: it is empty"),
        (TOP + ENTRY + "  expires: soon\n", "a.yaml:7: entries.0.expires: this is no date; write it as 2027-05-31"),
        (TOP + ENTRY + "  expires: 2027-05-31 10:00:00\n", "a.yaml:7: entries.0.expires: this is no date"),
        (TOP + ENTRY + "  expires:\n", "a.yaml:7: entries.0.expires: this is no date"),
        (TOP + ENTRY + "  expires: 2027-02-30\n", "a.yaml:7: this value cannot be read"),
        (TOP + ENTRY + "  until: 2027-05-31\n", "a.yaml:7: entries.0.until: there is no such field. Allowed: eco"),
        (TOP + ENTRY + "  name: b\n", 'a.yaml:7: the key "name" stands here a second time'),
        (TOP + "- &a {}\n", "a.yaml:4: anchors and aliases are not allowed here"),
        ("[" * 5000, "a.yaml:1: this is nested more than 20 deep"),
        ("", "a.yaml:1: the document is not a mapping"),
    ],
)  # fmt: skip
def test_wrong_documents_are_refused_with_file_line_and_field(document: str, said: str) -> None:
    """Whoever made the mistake can go to it."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_allow_list(document.encode(), "a.yaml")

    assert refused.value.message.startswith(said)
    assert refused.value.message.isascii()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: \x00", b"#" * (2**20 + 1)])
def test_bytes_that_are_no_document_are_refused(content: bytes) -> None:
    """Neither other encodings nor control characters nor huge files."""
    with pytest.raises(ConfigurationInvalid, match=r"a\.yaml:1: "):
        parse_allow_list(content, "a.yaml")


def test_every_mistake_is_named_up_to_twenty() -> None:
    """A list of a thousand mistakes is no message."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_allow_list((TOP + "- {ecosystem: PyPI, name: a}\n" * 25).encode(), "a.yaml")

    assert len(refused.value.message.splitlines()) == 21
    assert refused.value.message.endswith("\nand 5 more")
