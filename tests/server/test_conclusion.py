"""How what is known besides the name comes together with what the name says."""

from dataclasses import replace

import pytest

from judging import TODAY, concluded, engine_of, judged
from typosentinel_server.scan.conclusion import Knowledge, conclude
from typosentinel_server.scan.context.malware import MalwareList, Record
from typosentinel_server.scan.context.metadata import Facts, Metadata
from typosentinel_server.scan.context.patterns import parse_pattern
from typosentinel_server.scan.context.privatenames import PrivateNames
from typosentinel_server.scan.context.registryindex import RegistryIndex
from typosentinel_server.scan.model import Ecosystem, Verdict
from typosentinel_server.scan.naming import parse_name

POPULAR = ("requests", "urllib3", "flask", "python-dateutil")
NAMES = ("reqeusts", "flsk", "requests", "flask2", "pythondateutil", "something-else", "urllib")
UNRELATED = Knowledge(malware=MalwareList({(Ecosystem.NPM, "x"): Record(None)}))


@pytest.mark.parametrize("name", NAMES)
def test_lists_that_say_nothing_of_a_name_change_nothing(name: str) -> None:
    """Verdict, score, order and evidence are those of the name."""
    assert concluded(name, *POPULAR, knowledge=UNRELATED) == judged(name, *POPULAR)
    assert concluded(name, *POPULAR, metadata=Metadata(Facts())) == judged(name, *POPULAR)


def test_verdict_that_was_held_down_is_not_lifted_by_metadata() -> None:
    """Where the engine says at most so much of a kind of likeness, a young package does not make it more."""
    held = replace(judged("requestz", "requests"), verdict=Verdict.ADVISORY)
    name = parse_name(Ecosystem.PYPI, "requestz")
    young, old = (
        conclude(held, name, Knowledge(), Metadata(facts), TODAY, engine_of("requests")).verdict
        for facts in (Facts(TODAY, 0), Facts(TODAY.replace(year=2010), 10**7))
    )

    assert (young, old) == (Verdict.ADVISORY, Verdict.CLEAN)


def test_worst_finding_decides_and_stands_first() -> None:
    """A slip that is malware, private and in no index is malware first of all."""
    knowledge = Knowledge(
        private_names=PrivateNames([parse_pattern(Ecosystem.PYPI, "reqeusts")]),
        malware=MalwareList({(Ecosystem.PYPI, "reqeusts"): Record(None)}),
        registries={Ecosystem.PYPI: RegistryIndex(Ecosystem.PYPI, [["other"]])},
    )
    found = concluded("reqeusts", "requests", knowledge=knowledge)

    assert (found.verdict, found.score, found.targets) == (Verdict.MALICIOUS, 1.0, ("requests",))
    assert [f.technique for f in found.findings] == [
        "known-malware",
        "transposition",
        "dependency-confusion",
        "unknown-name",
    ]


def test_metadata_does_not_excuse_private_names_and_malware() -> None:
    """An old and much used package is no less one of those."""
    knowledge = Knowledge(
        private_names=PrivateNames([parse_pattern(Ecosystem.PYPI, "billing-*")]),
        malware=MalwareList({(Ecosystem.PYPI, "bad"): Record(None)}),
    )
    metadata = Metadata(Facts(TODAY.replace(year=2010), 10**7))
    verdicts = [
        concluded(name, "requests", knowledge=knowledge, metadata=metadata).verdict for name in ("billing-core", "bad")
    ]

    assert verdicts == [Verdict.SUSPICIOUS, Verdict.MALICIOUS]


def test_sizes_count_what_each_list_holds() -> None:
    """Under the names that the configuration has for them."""
    knowledge = replace(UNRELATED, registries={Ecosystem.NPM: RegistryIndex(Ecosystem.NPM, [["a", "b"]])})

    assert knowledge.sizes == {"allowList": 0, "privateNames": 0, "malware": 1, "registryIndex.npm": 2}
