"""What users of other scanners complain of, each with the names that they give.

Sources: issues and pull requests of tankpkg/tank (447), depkeep/ossrisk (8), NVIDIA/SkillSpector (104),
ocurrent/opam-repo-ci (378, 383), gadievron/raptor (706), DataDog/guarddog (71, 81, 131); Spracklen et al., "We Have a
Package for You!", USENIX Security 2025.
"""

import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from judging import builtin, concluded, engine_of, judged
from typosentinel_server.errors import NameRefused
from typosentinel_server.scan import deletions, index, lexicon
from typosentinel_server.scan.conclusion import Knowledge
from typosentinel_server.scan.context.indexfiles import read_index
from typosentinel_server.scan.deletions import Codes, Hashes
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Technique, Verdict
from typosentinel_server.scan.multimap import Multimap
from typosentinel_server.scan.naming import RULES

# Compiling all lists on board takes a while on a busy machine.
pytestmark = pytest.mark.timeout(30)

MAX_PROBES = 4000
FILLER = tuple(f"filler-number-{n}" for n in range(200))


def asked(name: str, ecosystem: Ecosystem) -> ScanResult:
    """The judgement of a name by the lists on board."""
    return builtin().scan(Package(ecosystem, name))


@pytest.mark.parametrize(
    ("one", "other", "ecosystem"),
    [
        ("react", "preact", Ecosystem.NPM),
        ("next", "nuxt", Ecosystem.NPM),
        ("redis", "redux", Ecosystem.NPM),
        ("pip", "six", Ecosystem.PYPI),
    ],
)
def test_popular_names_do_not_alert_at_each_other(one: str, other: str, ecosystem: Ecosystem) -> None:
    """In either direction, however near."""
    for name in (one, other):
        found = asked(name, ecosystem)
        assert (found.known, found.verdict, found.findings) == (True, Verdict.CLEAN, ())


def test_the_target_is_the_same_every_time_and_in_every_process(tmp_path: Path) -> None:
    """Of several equally near, by popularity and then by name; no order of a set or a dictionary shows through."""
    popular = ("paramikow", "paramikoz", "paramikob", "preact-router", "react-router", "redis", "reddit")
    rows = "".join(f"1,{name},protected\n" for name in popular)
    (tmp_path / "pypi.csv").write_text(f"rank,name,tier\n{rows}")
    command = [sys.executable, "-m", "typosentinel_server", "scan", "--corpus", str(tmp_path), "--ecosystem", "PyPI"]
    names = ("paramikom", "eact-router", "raect-router", "router-react", "redids")
    said = []
    for seed in "123":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([*command, "--format", "json", *names], env=environment, capture_output=True, check=True)
        said.append(done.stdout)

    assert said[0] == said[1] == said[2]
    found = json.loads(said[0])[0]
    assert (found["verdict"], found["targets"]) == ("suspicious", ["paramikob", "paramikow", "paramikoz"])


@pytest.mark.parametrize(
    ("name", "popular", "ecosystem"),
    [
        ("asap", "tsup", Ecosystem.NPM),
        ("tsup", "asap", Ecosystem.NPM),
        ("clsx", "tsx", Ecosystem.NPM),
        ("tsx", "clsx", Ecosystem.NPM),
        ("task", "flask", Ecosystem.PYPI),
        ("mask", "flask", Ecosystem.PYPI),
    ],
)
def test_two_slips_are_half_of_a_short_name(name: str, popular: str, ecosystem: Ecosystem) -> None:
    """An absolute distance means nothing there; the same two slips in a long name do."""
    assert judged(name, popular, *FILLER, ecosystem=ecosystem).findings == ()
    assert judged("reqeustss", "requests", *FILLER).verdict is Verdict.SUSPICIOUS


def test_short_honest_names_stay_clean_beside_the_lists_on_board() -> None:
    """Short words are near to some popular name or other."""
    assert asked("task", Ecosystem.PYPI).findings == ()
    for name in ("dune", "alcotest", "menhir", "mirage", "bos"):
        assert asked(name, Ecosystem.NPM).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    ("name", "ecosystem"),
    [
        ("zope.interface", Ecosystem.PYPI),
        ("Zope_Interface", Ecosystem.PYPI),
        ("python_dateutil", Ecosystem.PYPI),
        ("Python--Dateutil", Ecosystem.PYPI),
        ("ruamel-yaml", Ecosystem.PYPI),
        ("ruamel._.yaml", Ecosystem.PYPI),
        ("proc_macro2", Ecosystem.CRATES),
        ("Proc-Macro2", Ecosystem.CRATES),
    ],
)
def test_another_spelling_of_a_package_is_that_package(name: str, ecosystem: Ecosystem) -> None:
    """What the registry holds to be the same is never a squat of itself."""
    found = asked(name, ecosystem)

    assert (found.known, found.verdict, found.findings) == (True, Verdict.CLEAN, ())


SCOPED = (
    "@types/react", "@types/node", "@astrojs/react", "@astrojs/node", "@astrojs/tailwind", "@wix/sdk", "@wix/react",
    "@wix/dashboard", "@wix/essentials", "@wix/data", "@acme/core", "@acme/utils", "@acme/client", "@bar/utils",
    "@foo/utils",
)  # fmt: skip


@pytest.mark.parametrize("name", SCOPED)
def test_packages_of_a_scope_are_not_compared_by_what_they_are_called_within(name: str) -> None:
    """Only the owner publishes there, and everybody has a core, a client and utils."""
    assert asked(name, Ecosystem.NPM).verdict in {Verdict.CLEAN, Verdict.ADVISORY}
    assert not {f.technique for f in asked(name, Ecosystem.NPM).findings} & {Technique.SCOPE, Technique.AFFIX}


def test_honest_neighbours_of_popular_names_are_not_blocked() -> None:
    """Distance alone gave nothing but false alarms; words that are words are no slips."""
    for name, popular in (("simpy", "sympy"), ("nose2", "nose"), ("boto", "boto3"), ("angstrom", "armstrong")):
        assert judged(name, popular, *FILLER).verdict is Verdict.CLEAN
    for name, popular in (("pyaml", "pyyaml"), ("ounit", "ounit2"), ("menhir", "mender"), ("mirage", "image")):
        assert judged(name, popular, *FILLER).verdict in {Verdict.CLEAN, Verdict.ADVISORY}


def test_an_invented_name_is_told_where_the_registry_is_known() -> None:
    """Half of them are six and more edits away from any package, so that no likeness shows them."""
    names = read_index(Ecosystem.PYPI, io.BytesIO(b"requests\nhuggingface-hub\n"), "i.txt")
    knowledge = Knowledge(registries={Ecosystem.PYPI: names})
    found = concluded("graph-summary-helpers", "requests", knowledge=knowledge)

    assert [f.technique for f in found.findings] == [Technique.UNKNOWN_NAME]
    assert (found.verdict, found.targets) == (Verdict.ADVISORY, ())
    assert concluded("graph-summary-helpers", "requests").findings == ()
    assert concluded("huggingface_hub", "requests", knowledge=knowledge).findings == ()


FOREIGN = ("é", "м", "\uff57", "\ufb01", "\ufdfa", "漢", "\U0001d430", "e\u0301")


@pytest.mark.parametrize("ecosystem", list(Ecosystem))
@pytest.mark.parametrize("letter", [*FOREIGN, "\U0001f600", "\ud800", "\u202e", "\u0130", "\u2126", "\x00"])
def test_letters_of_all_scripts_get_a_verdict_or_a_refusal(ecosystem: Ecosystem, letter: str) -> None:
    """Never a crash: alone, within a name, and up to the greatest length that the registry has."""
    engine = engine_of("lodash:lodash" if ecosystem is Ecosystem.MAVEN else "lodash", ecosystem=ecosystem)
    longest = RULES[ecosystem].max_length
    for name in (letter, f"lo{letter}ash", f"lodash{letter}", letter * (longest // len(letter)), f"g:{letter}"):
        # Any other error fails the test.
        with suppress(NameRefused):
            assert 0 <= engine.scan(Package(ecosystem, name)).score < 1


class Counter:
    """Counts the probes of an engine: look-ups in its tables, comparisons, and tokens asked of the lexicon."""

    def __init__(self, patch: pytest.MonkeyPatch, engine: Engine) -> None:
        self.probes = 0
        # Loops in C cannot be counted; tests of their own hold them against these.
        for room in (index, lexicon):
            patch.setattr(room, "INNER", None)
        for table in vars(engine._index).values():
            if isinstance(table, Multimap):
                self._count(patch, table, "get")
        for owner, name in ((engine._index, "lettered"), (Index, "target"), (index, "edits")):
            self._count(patch, owner, name)
        remainders = deletions.remainders

        def counted(codes: Codes) -> Hashes:
            found = remainders(codes)
            self.probes += np.size(found)
            return found

        patch.setattr(deletions, "remainders", counted)
        patch.setattr(engine._lexicon, "costs", _Counted(self, engine._lexicon.costs))

    def _count(self, patch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        asked_of = getattr(owner, name)

        def counted(*arguments: object) -> object:
            self.probes += 1
            return asked_of(*arguments)

        patch.setattr(owner, name, counted)


class _Counted(dict[str, float]):
    """Costs that count how often they are asked for."""

    def __init__(self, counter: Counter, costs: dict[str, float]) -> None:
        super().__init__(costs)
        self._counter = counter

    def get(self, *arguments: object) -> object:  # type: ignore[override]
        """As in a dictionary."""
        self._counter.probes += 1
        return super().get(*arguments)  # type: ignore[call-overload]


WORDS = (
    "react", "native", "plugin", "node", "cli", "test", "json", "js", "api", "core", "dev", "tools", "http", "server",
)  # fmt: skip


def worst_names(longest: int) -> list[str]:
    """Names that cost other scanners most: many words, many neighbours, letters that unfold, all of the length."""
    words = ["-".join(WORDS), "-".join(reversed(WORDS)), "-".join(islice(cycle("abcdefgh"), 100))]
    near = [
        "react-router-domm",
        "babel-plugin-syntax-jsxx",
        "eslint-plugin-reactt",
        "aiohttp-corss",
        "aaaaaaaaaaaaaaaaaaaa",
    ]
    long = ["".join(islice(cycle(text), longest)) for text in ("a", "lodash", "a-", "1l0o", *FOREIGN)]
    return [name[:longest].rstrip("-") for name in (*words, *near, *long)]


@pytest.mark.parametrize("ecosystem", builtin().ecosystems)
def test_cost_of_a_name_is_bounded(ecosystem: Ecosystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are sorted and not permuted (14 have 87,178,291,200 orders), and no list is walked."""
    engine = builtin().engine(ecosystem)
    counter = Counter(monkeypatch, engine)
    costs = {}
    before = "g:" if ecosystem is Ecosystem.MAVEN else ""
    for name in worst_names(RULES[ecosystem].max_length - len(before)):
        counter.probes = 0
        with suppress(NameRefused):
            engine.scan(Package(ecosystem, before + name))
        costs[name] = counter.probes

    assert len(costs) > 15
    assert 100 < max(costs.values()) <= MAX_PROBES
