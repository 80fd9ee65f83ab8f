"""Engines of a few names, and conclusions from more than names."""

from datetime import UTC, date, datetime
from functools import cache

from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.scan import forms, lexicon
from typosentinel_server.scan.conclusion import Knowledge, conclude
from typosentinel_server.scan.context.metadata import Metadata
from typosentinel_server.scan.corpus import Corpus, on_board, parse, read_builtin
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.lexicon import Lexicon
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.scan.naming import parse_name

CREATED = datetime(2026, 6, 1, tzinfo=UTC)
TODAY = date(2026, 11, 21)
HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: "


def corpus_of(*names: str, ecosystem: Ecosystem = Ecosystem.PYPI) -> Corpus:
    """A list of these names, ranked in this order, all protected."""
    rows = "".join(f"{n},{name},protected\n" for n, name in enumerate(names, start=1))
    return parse(ecosystem, f"rank,name,tier\n{rows}".encode(), CREATED, where="a test")


@cache
def words() -> Lexicon:
    """What words look like, learned from all lists on board: a few names alone teach little."""
    lists = [read_builtin(ecosystem) for ecosystem in on_board()]
    names = [forms.base(found.ecosystem, entry.name.text) for found in lists for entry in found.entries]
    return lexicon.open_lexicon(memoryview(lexicon.compile_lexicon(names, lexicon.english())))


@cache
def builtin() -> Engines:
    """Engines over all lists on board."""
    return build_engines(Library())


def engine_of(*popular: str, ecosystem: Ecosystem = Ecosystem.PYPI) -> Engine:
    """An engine over these popular names, ranked in this order, all protected."""
    return Engine(Index.of(corpus_of(*popular, ecosystem=ecosystem)), words())


def judged(name: str, *popular: str, ecosystem: Ecosystem = Ecosystem.PYPI) -> ScanResult:
    """The judgement of a name next to these popular ones."""
    return engine_of(*popular, ecosystem=ecosystem).scan(Package(ecosystem, name))


def concluded(
    name: str,
    *popular: str,
    knowledge: Knowledge | None = None,
    metadata: Metadata | None = None,
    ecosystem: Ecosystem = Ecosystem.PYPI,
    version: str | None = None,
) -> ScanResult:
    """The answer about a name next to these popular ones, with what else is known."""
    engine = engine_of(*popular, ecosystem=ecosystem)
    parsed = parse_name(ecosystem, name)
    result = engine.judge(Package(ecosystem, name, version), parsed)
    return conclude(result, parsed, knowledge or Knowledge(), metadata, TODAY, engine)
