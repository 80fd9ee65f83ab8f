"""Engines of a few names."""

from datetime import UTC, datetime

from typosentinel_server.scan.corpus import Corpus, parse
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult

CREATED = datetime(2026, 6, 1, tzinfo=UTC)


def corpus_of(*names: str, ecosystem: Ecosystem = Ecosystem.PYPI) -> Corpus:
    """A list of these names, ranked in this order, all protected."""
    rows = "".join(f"{n},{name},protected\n" for n, name in enumerate(names, start=1))
    return parse(ecosystem, f"rank,name,tier\n{rows}".encode(), CREATED, where="a test")


def judged(name: str, *popular: str, ecosystem: Ecosystem = Ecosystem.PYPI) -> ScanResult:
    """The judgement of a name next to these popular ones."""
    return Engine(Index(corpus_of(*popular, ecosystem=ecosystem))).scan(Package(ecosystem, name))
