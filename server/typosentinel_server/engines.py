"""The engines that a process serves: one an ecosystem, built once, swapped as a whole."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from typosentinel_server.errors import EcosystemUnknown
from typosentinel_server.scan import corpus, forms, lexicon
from typosentinel_server.scan.compiling import LAYOUT, compile_corpus
from typosentinel_server.scan.corpus import FILE_STEMS, Corpus, CorpusFacts, RawList
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Verdict, parse_ecosystem
from typosentinel_server.scan.naming import comparable
from typosentinel_server.scan.scorecard import fitted
from typosentinel_server.shelf import Shelf

KEY_DIGITS = 16


class Library:
    """Where lists of popular names come from: the package, or a directory that the user names.

    Args:
        directory: holds files such as `pypi.csv`; None for the lists that the package carries.
        shelf: where compiled lists are kept; in memory only where None.

    Raises:
        CorpusUnreadable: the directory holds no list.
    """

    def __init__(self, directory: Path | None = None, shelf: Shelf | None = None) -> None:
        self._files = corpus.files_in(directory) if directory else None
        self._shelf = shelf or Shelf(None)

    @property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """Those that there is a list for."""
        return tuple(self._files) if self._files is not None else corpus.on_board()

    def read(self, ecosystem: Ecosystem) -> Corpus:
        """The list of one ecosystem. Raises CorpusUnreadable, or EcosystemUnknown where there is none."""
        return self._raw(ecosystem).parse()

    def engines(self, wanted: Iterable[Ecosystem]) -> dict[Ecosystem, Engine]:
        """Engines for some ecosystems; all lists teach them what words look like.

        Raises:
            CorpusUnreadable: a list cannot be read.
            EcosystemUnknown: there is no list for one of them.
        """
        wanted = tuple(wanted)
        for ecosystem in wanted:
            if ecosystem not in self.ecosystems:
                raise no_list(ecosystem, self.ecosystems)
        raws = [self._raw(ecosystem) for ecosystem in self.ecosystems]
        indexes = {raw.ecosystem: self._index(raw) for raw in raws}
        digest = hashlib.sha256("".join(raw.digest for raw in raws).encode()).hexdigest()
        found = self._shelf.take(
            f"lexicon-{digest[:KEY_DIGITS]}-{LAYOUT}.typo", partial(_compile_lexicon, indexes), lexicon.open_lexicon
        )
        return {ecosystem: Engine(indexes[ecosystem], found) for ecosystem in wanted}

    def _raw(self, ecosystem: Ecosystem) -> RawList:
        if ecosystem not in self.ecosystems:
            raise no_list(ecosystem, self.ecosystems)
        if self._files is None:
            return corpus.raw_builtin(ecosystem)
        return corpus.raw_file(ecosystem, self._files[ecosystem])

    def _index(self, raw: RawList) -> Index:
        return self._shelf.take(
            f"{FILE_STEMS[raw.ecosystem]}-{raw.digest[:KEY_DIGITS]}-{LAYOUT}.typo",
            lambda: compile_corpus(raw.parse()),
            lambda content: Index(content, raw.created, partial=raw.partial, where=raw.where),
        )


def _compile_lexicon(indexes: Mapping[Ecosystem, Index]) -> bytes:
    names = [forms.base(e, comparable(e, name)) for e, index in indexes.items() for name in index.names]
    return lexicon.compile_lexicon(names, lexicon.english())


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
    def corpora(self) -> tuple[CorpusFacts, ...]:
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
        return fitted().verdict_of(score)


def build_engines(library: Library, wanted: Iterable[Ecosystem] | None = None) -> Engines:
    """Engines for the wanted ecosystems, all of the library's where None.

    Takes about 0.3 s for 10,000 names, and next to nothing where the compiled lists are on the shelf. Raises
    CorpusUnreadable, or EcosystemUnknown for one without a list.
    """
    return Engines(library.engines(library.ecosystems if wanted is None else wanted))


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
