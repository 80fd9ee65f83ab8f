"""The engines that a process serves: one an ecosystem, built once, swapped as a whole."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from typosentinel_server.errors import EcosystemUnknown
from typosentinel_server.scan import corpus
from typosentinel_server.scan.corpus import Corpus
from typosentinel_server.scan.engine import Engine, verdict_of
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Verdict, parse_ecosystem


class Library:
    """Where lists of popular names come from: the package, or a directory that the user names.

    Args:
        directory: holds files such as `pypi.csv`; None for the lists that the package carries.

    Raises:
        CorpusUnreadable: the directory holds no list.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._files = corpus.files_in(directory) if directory else None

    @property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """Those that there is a list for."""
        return tuple(self._files) if self._files is not None else corpus.on_board()

    def read(self, ecosystem: Ecosystem) -> Corpus:
        """The list of one ecosystem. Raises CorpusUnreadable, or EcosystemUnknown where there is none."""
        if ecosystem not in self.ecosystems:
            raise no_list(ecosystem, self.ecosystems)
        if self._files is None:
            return corpus.read_builtin(ecosystem)
        return corpus.read_file(ecosystem, self._files[ecosystem])


class Engines:
    """A set of engines that does not change.

    Args:
        engines: one an ecosystem.
    """

    def __init__(self, engines: Mapping[Ecosystem, Engine]) -> None:
        self._engines = dict(engines)

    @property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """The ecosystems that are served, in the order of the enumeration."""
        return tuple(e for e in Ecosystem if e in self._engines)

    @property
    def corpora(self) -> tuple[Corpus, ...]:
        """The lists in use."""
        return tuple(self._engines[e].corpus for e in self.ecosystems)

    def engine(self, ecosystem: str) -> Engine:
        """The engine for an ecosystem, named in any spelling. Raises EcosystemUnknown."""
        wanted = parse_ecosystem(ecosystem)
        found = self._engines.get(wanted)
        if found is None:
            raise not_served(wanted, self.ecosystems)
        return found

    def get(self, ecosystem: Ecosystem) -> Engine | None:
        """The engine for an ecosystem, None where it is not served."""
        return self._engines.get(ecosystem)

    def scan(self, package: Package) -> ScanResult:
        """The judgement of a package by its ecosystem's engine. Raises EcosystemUnknown, NameRefused."""
        return self.engine(package.ecosystem).scan(package)

    def verdict_of(self, score: float) -> Verdict:
        """The verdict that a score, 0 to 1, stands for."""
        return verdict_of(score)


def build_engines(library: Library, wanted: Iterable[Ecosystem] | None = None, reuse: Engines | None = None) -> Engines:
    """Engines for the wanted ecosystems, all of the library's where None; takes over those of `reuse`.

    Takes about 0.1 s for 5,000 names. Raises CorpusUnreadable, or EcosystemUnknown for one without a list.
    """
    engines = {}
    for ecosystem in library.ecosystems if wanted is None else wanted:
        held = reuse.get(ecosystem) if reuse else None
        engines[ecosystem] = held or Engine(Index(library.read(ecosystem)))
    return Engines(engines)


def not_served(ecosystem: Ecosystem, served: Iterable[Ecosystem]) -> EcosystemUnknown:
    """The refusal of an ecosystem that exists and is switched off or has no list here."""
    return EcosystemUnknown(
        "ECOSYSTEM_NOT_SERVED",
        f"{ecosystem} is not served here",
        f"Served are {', '.join(served)}; the configuration's field ecosystems decides.",
    )


def no_list(ecosystem: Ecosystem, listed: Iterable[Ecosystem]) -> EcosystemUnknown:
    """The refusal of an ecosystem for which there is nothing to compare with."""
    return EcosystemUnknown(
        "ECOSYSTEM_WITHOUT_CORPUS",
        f"there is no list of popular names for {ecosystem}",
        f"There are lists for {', '.join(listed)}; others come with --corpus DIR.",
    )
