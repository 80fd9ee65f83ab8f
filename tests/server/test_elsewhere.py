"""Names that are popular in another registry: what is told of them, what is left alone, and how little it weighs."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from commanding import Run
from judging import TODAY, builtin, corpus_of
from running import Start, ask
from typosentinel_server.engines import Library, build_engines
from typosentinel_server.errors import CorpusUnreadable
from typosentinel_server.scan.conclusion import Knowledge, conclude
from typosentinel_server.scan.context.metadata import Facts, Metadata
from typosentinel_server.scan.elsewhere import Elsewhere, compile_elsewhere
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.evidence import Group
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Technique, Verdict
from typosentinel_server.scan.naming import parse_name
from typosentinel_server.scan.scorecard import fitted, logistic

C = Technique.CROSS_ECOSYSTEM
PYPI = ("typing-extensions", "requests", "beautifulsoup4", "attrs", "six", "lxml-stubs", "numpy", "zzyzxlib")
NPM = ("lodash", "numpy-one", "numpy-two", "numpy-three", "Zzyzx-Lib", "@acme/qwertylib", "lxmlish", "react-dom")


def table(**lists: tuple[str, ...]) -> Elsewhere:
    """The table of some lists, by the names of the enumeration's members."""
    indexes = {
        ecosystem: Index.of(corpus_of(*names, ecosystem=ecosystem))
        for ecosystem, names in ((Ecosystem[name], names) for name, names in lists.items())
    }
    return Elsewhere(memoryview(compile_elsewhere(indexes, ["requests"])))


@pytest.mark.parametrize(
    ("flat", "ecosystem", "target", "origin", "rank"),
    [
        ("typingextensions", Ecosystem.NPM, "typing-extensions", Ecosystem.PYPI, 1),
        ("beautifulsoup4", Ecosystem.NPM, "beautifulsoup4", Ecosystem.PYPI, 3),
        ("reactdom", Ecosystem.PYPI, "react-dom", Ecosystem.NPM, 8),
        ("reactdom", Ecosystem.GO, "react-dom", Ecosystem.NPM, 8),
        # The better rank of two.
        ("zzyzxlib", Ecosystem.GO, "Zzyzx-Lib", Ecosystem.NPM, 5),
    ],
)
def test_popular_name_of_another_registry_is_known(
    flat: str, ecosystem: Ecosystem, target: str, origin: Ecosystem, rank: int
) -> None:
    """With its spelling, its registry and its rank there."""
    namesake = table(PYPI=PYPI, NPM=NPM).namesake(flat, ecosystem)

    assert namesake is not None
    assert (namesake.name, namesake.ecosystem, namesake.rank) == (target, origin, rank)
    assert namesake.number < 0


@pytest.mark.parametrize(
    ("flat", "ecosystem"),
    [
        ("typingextensions", Ecosystem.PYPI),  # its own
        ("zzyzxlib", Ecosystem.NPM),  # listed in both
        ("requests", Ecosystem.NPM),  # an English word
        ("six", Ecosystem.NPM),  # short
        ("numpy", Ecosystem.NPM),  # a usual word there
        ("acmeqwertylib", Ecosystem.PYPI),  # of an owner
        ("qwertylib", Ecosystem.PYPI),
        ("typingextension", Ecosystem.NPM),  # another name
        ("typing\u00ebxtensions", Ecosystem.NPM),
        ("", Ecosystem.NPM),
    ],
)
def test_what_says_little_is_left_alone(flat: str, ecosystem: Ecosystem) -> None:
    """Names of too many things, and names that the registry has itself."""
    assert table(PYPI=PYPI, NPM=NPM).namesake(flat, ecosystem) is None


def test_names_in_the_lower_part_of_a_list_are_no_namesakes(tmp_path: Path) -> None:
    """Only the top of each list is so popular that somebody looks for it elsewhere."""
    (tmp_path / "pypi.csv").write_text("rank,name,tier\n1,typing-extensions,known\n2,botocore,protected\n")
    (tmp_path / "npm.csv").write_text("rank,name,tier\n1,lodash,protected\n")
    engine = build_engines(Library(tmp_path)).engine(Ecosystem.NPM)

    assert engine.scan(Package(Ecosystem.NPM, "typing-extensions")).findings == ()
    assert engine.scan(Package(Ecosystem.NPM, "botocore")).targets == ("botocore",)


def test_list_alone_knows_no_other_registry(tmp_path: Path) -> None:
    """Nothing to be confused with."""
    (tmp_path / "npm.csv").write_text("rank,name,tier\n1,lodash,protected\n")

    found = build_engines(Library(tmp_path)).engine(Ecosystem.NPM).scan(Package(Ecosystem.NPM, "typing-extensions"))

    assert found.findings == ()


def test_lists_without_such_names_make_an_empty_table() -> None:
    """Short names only."""
    assert table(PYPI=("six",), NPM=("ws",)).namesake("typingextensions", Ecosystem.GO) is None


def npm() -> Engine:
    """The engine of npm over the lists on board."""
    return builtin().engine(Ecosystem.NPM)


def judged(name: str) -> ScanResult:
    """The judgement by the lists on board."""
    return npm().scan(Package(Ecosystem.NPM, name))


def test_finding_says_which_registry() -> None:
    """In words, and in a field."""
    result = judged("typing_extensions")
    (finding,) = result.findings

    assert finding.message == f'"typing-extensions" is a popular package of PyPI (rank {finding.rank}), not of npm'
    assert (finding.technique, finding.target_ecosystem) == (C, Ecosystem.PYPI)
    assert (result.verdict, result.targets) == (Verdict.ADVISORY, ("typing-extensions",))


def test_name_itself_is_a_target_where_it_is_another_registrys() -> None:
    """What alerts has a target, even one that is written just so."""
    assert judged("typing-extensions").targets == ("typing-extensions",)


def test_targets_of_the_same_registry_come_first() -> None:
    """Whatever is stronger: those can be installed by mistake from the registry that is asked."""
    result = judged("typing-extensions")
    (other,) = result.findings
    same = [replace(other, target=name, target_ecosystem=None) for name in ("one", "two")]

    mixed = replace(result, findings=(other, *same))

    assert mixed.targets == ("one", "two", "typing-extensions")


def test_hints_together_are_never_suspicious() -> None:
    """The weights of the package, whatever signs a name has; of these three it has one."""
    card = fitted().cards[Group.HINTS]
    one_of = {"kin_form", "kin_meaning", "namesake"}
    strongest = max(sum(card.signs[name].weights) for name in one_of)
    most = card.start + strongest + sum(max(sign.weights) for name, sign in card.signs.items() if name not in one_of)

    assert most < 0
    assert fitted().suspicious_from == logistic(0)


def test_contributions_add_up() -> None:
    """Also where a card is set by hand."""
    (finding,) = judged("typing-extensions").findings

    assert finding.score == pytest.approx(logistic(sum(c.weight for c in finding.contributions)), abs=0.001)
    assert finding.contributions[0].reason == "most names of this kind are honest"


@pytest.mark.parametrize("name", ["typing-extensions", "typing_extensions"])
def test_metadata_makes_no_more_of_it(name: str) -> None:
    """A new package nobody uses may be an honest port; an old one in use is in order."""
    ecosystem = Ecosystem.NPM
    result, parsed = judged(name), parse_name(ecosystem, name)
    young, old = (
        conclude(result, parsed, Knowledge(), Metadata(facts), TODAY, npm()).verdict
        for facts in (Facts(TODAY, 0), Facts(TODAY.replace(year=2010), 10**7))
    )

    assert (young, old) == (Verdict.ADVISORY, Verdict.CLEAN)


def test_facts_about_a_target_are_about_this_registrys() -> None:
    """A package of the same name in another registry is another package: its maintainers vouch for nobody here."""
    facts = Facts(maintainers=frozenset({"ann"}))
    metadata = Metadata(facts, facts, "typing-extensions")
    result = judged("typing-extensions")
    parsed = parse_name(Ecosystem.NPM, "typing-extensions")

    assert conclude(result, parsed, Knowledge(), metadata, TODAY, npm()).score == result.score


def test_damaged_table_is_refused() -> None:
    """As any compiled list is."""
    content = bytearray(compile_elsewhere({Ecosystem.NPM: Index.of(corpus_of(*NPM, ecosystem=Ecosystem.NPM))}, []))
    content[-1] ^= 1
    with pytest.raises(CorpusUnreadable, match="damaged or of another version"):
        Elsewhere(memoryview(content))


def test_other_ranks_make_another_basis(tmp_path: Path) -> None:
    """Or a cache would keep what the lists no longer say."""
    (tmp_path / "pypi.csv").write_text("rank,name,tier\n1,botocore,protected\n2,typing-extensions,protected\n")
    (tmp_path / "npm.csv").write_text("rank,name,tier\n1,lodash,protected\n")
    first = build_engines(Library(tmp_path)).engine(Ecosystem.NPM).basis
    (tmp_path / "pypi.csv").write_text("rank,name,tier\n2,botocore,protected\n1,typing-extensions,protected\n")

    assert build_engines(Library(tmp_path)).engine(Ecosystem.NPM).basis != first


async def test_registry_is_told_by_server_client_and_command_line(start: Start, run: Run) -> None:
    """The same field from all; findings about this registry's packages don't have it."""
    server = await start()
    api = await ask(server, ecosystem="npm", name="python-dateutil")
    local = json.loads(run.scan("-e", "npm", "--format", "json", "python-dateutil").stdout)
    arguments = ("scan", "--server", server.url, "-e", "npm", "--format", "json", "python-dateutil", "lodahs")
    remote, slip = json.loads((await asyncio.to_thread(run, *arguments)).stdout)

    assert [f.get("targetEcosystem") for found in (api, *local, remote) for f in found["findings"]] == ["PyPI"] * 3
    assert "targetEcosystem" not in slip["findings"][0]
