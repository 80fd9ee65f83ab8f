"""The engines that a process serves: one an ecosystem, built once, swapped as a whole."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from typosentinel_server import __version__
from typosentinel_server.bundles.bundle import Bundle
from typosentinel_server.bundles.errors import SHRUNKEN
from typosentinel_server.errors import CorpusUnreadable, DomainError, EcosystemUnknown, NameRefused
from typosentinel_server.scan import corpus, elsewhere, forms, lexicon
from typosentinel_server.scan.compiling import LAYOUT, compile_corpus
from typosentinel_server.scan.corpus import FILE_STEMS, Corpus, CorpusFacts, RawList
from typosentinel_server.scan.elsewhere import Elsewhere
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Verdict, parse_ecosystem
from typosentinel_server.scan.naming import comparable
from typosentinel_server.scan.scorecard import fitted
from typosentinel_server.shelf import Shelf

KEY_DIGITS = 16


class Library:
    """Where lists of popular names come from: the package, a directory that the user names, or another bundle.

    Args:
        directory: holds files such as `pypi.csv`; None for the lists that the package carries.
        bundle: an opened one, instead of a directory.

    Attributes:
        shelf: where this process keeps compiled lists; in memory only, until the program says otherwise.

    Raises:
        CorpusUnreadable: the directory holds no list, or not what its manifest says.
    """

    shelf: ClassVar[Shelf] = Shelf(None)

    def __init__(self, directory: Path | None = None, *, bundle: Bundle | None = None) -> None:
        self.directory = directory
        self._bundle = Bundle.of_directory(directory) if directory else bundle

    @property
    def bundle(self) -> Bundle:
        """Its files, for those who look at lists as texts."""
        return self._bundle or Bundle.of_package()

    @property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """Those that there is a list for."""
        return self._bundle.ecosystems if self._bundle is not None else corpus.on_board()

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
        digest = hashlib.sha256("".join(f"{raw.ecosystem}:{raw.digest}\n" for raw in raws).encode()).hexdigest()
        found = self.shelf.take(
            f"lexicon-{digest[:KEY_DIGITS]}-{__version__}-{LAYOUT}.typo",
            partial(_compile_lexicon, indexes),
            lexicon.open_lexicon,
        )
        # A list alone has no other registries.
        others = Elsewhere()
        if len(indexes) > 1:
            others = self.shelf.take(
                f"elsewhere-{digest[:KEY_DIGITS]}-{__version__}-{LAYOUT}.typo",
                partial(_compile_elsewhere, indexes),
                Elsewhere,
            )
        return {ecosystem: Engine(indexes[ecosystem], found, elsewhere=others) for ecosystem in wanted}

    def _raw(self, ecosystem: Ecosystem) -> RawList:
        if ecosystem not in self.ecosystems:
            raise no_list(ecosystem, self.ecosystems)
        return corpus.raw_builtin(ecosystem) if self._bundle is None else self._bundle.raw(ecosystem)

    def _index(self, raw: RawList) -> Index:
        return self.shelf.take(
            f"{FILE_STEMS[raw.ecosystem]}-{raw.digest[:KEY_DIGITS]}-{__version__}-{LAYOUT}.typo",
            lambda: compile_corpus(raw.parse()),
            lambda content: Index(content, raw.created, partial=raw.partial, where=raw.where),
        )


def _compile_lexicon(indexes: Mapping[Ecosystem, Index]) -> bytes:
    names = [forms.base(e, comparable(e, name)) for e, index in indexes.items() for name in index.names]
    return lexicon.compile_lexicon(names, lexicon.english())


def _compile_elsewhere(indexes: Mapping[Ecosystem, Index]) -> bytes:
    return elsewhere.compile_elsewhere(indexes, lexicon.english())


class Engines:
    """A set of engines that does not change.

    Args:
        engines: one an ecosystem.
    """

    def __init__(self, engines: Mapping[Ecosystem, Engine]) -> None:
        # Ecosystems are texts, and those in their own spelling need no parsing.
        self._engines: dict[str, Engine] = dict(engines.items())

    @property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """The ecosystems that are served, in the order of the enumeration."""
        return tuple(e for e in Ecosystem if e in self._engines)

    @property
    def corpora(self) -> tuple[CorpusFacts, ...]:
        """The lists in use."""
        return tuple(self._engines[e].corpus for e in self.ecosystems)

    @property
    def listings(self) -> tuple[Engine, ...]:
        """The engines, which know whose names are popular."""
        return tuple(self._engines[e] for e in self.ecosystems)

    @property
    def bases(self) -> tuple[str, ...]:
        """What their judgements rest on."""
        return tuple(self._engines[e].basis for e in self.ecosystems)

    def engine(self, ecosystem: str) -> Engine:
        """The engine for an ecosystem, named in any spelling. Raises EcosystemUnknown."""
        found = self._engines.get(ecosystem)
        if found is None:
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

    def scan_many(self, packages: Sequence[Package]) -> list[ScanResult | DomainError]:
        """The judgements of packages, in their order; for one that cannot be judged, why.

        One ecosystem is done after another: what its index touches stays in the processor's cache, which makes it a
        tenth faster than asking in turns.
        """
        order = sorted(range(len(packages)), key=[package.ecosystem for package in packages].__getitem__)
        found: dict[int, ScanResult | DomainError] = {}
        for place in order:
            package = packages[place]
            try:
                found[place] = self.engine(package.ecosystem).scan(package)
            except (EcosystemUnknown, NameRefused) as error:
                found[place] = error
        return [found[place] for place in range(len(packages))]

    def verdict_of(self, score: float) -> Verdict:
        """The verdict that a score, 0 to 1, stands for."""
        return fitted().verdict_of(score)


def build_engines(library: Library, wanted: Iterable[Ecosystem] | None = None) -> Engines:
    """Engines for the wanted ecosystems, all of the library's where None.

    Takes about 0.3 s for 10,000 names, and next to nothing where the compiled lists are on the shelf. Raises
    CorpusUnreadable, or EcosystemUnknown for one without a list.
    """
    return Engines(library.engines(library.ecosystems if wanted is None else wanted))


def refresh_engines(library: Library, wanted: Iterable[Ecosystem], held: Engines, max_loss_percent: int) -> Engines:
    """Engines for what a library holds now; those held where its lists are the same.

    Args:
        library: the lists.
        wanted: the ecosystems to build for, each of which the library has a list for.
        held: the engines in use, of the same library as it was before.
        max_loss_percent: how much of its names a list may have lost.

    Raises:
        CorpusUnreadable: a list cannot be read, is not what was vouched for, or has lost too many names.
    """
    engines = build_engines(library, wanted)
    refuse_loss(_sizes(held.corpora), _sizes(engines.corpora), max_loss_percent)
    return held if engines.bases == held.bases and engines.corpora == held.corpora else engines


def refuse_loss(before: Mapping[Ecosystem, int], after: Mapping[Ecosystem, int], max_loss_percent: int) -> None:
    """Raises CorpusUnreadable where a list has lost more than so much of its names; one that has gone has lost all."""
    for ecosystem, names in before.items():
        left = after.get(ecosystem, 0)
        if (names - left) * 100 > names * max_loss_percent:
            raise CorpusUnreadable(
                SHRUNKEN,
                f"the list for {ecosystem} shrank from {names} to {left} names, and may lose {max_loss_percent} %",
                "If that is meant, allow a greater loss; else look at where the list comes from.",
            )


def sizes_of(library: Library) -> dict[Ecosystem, int]:
    """How many names each list of a library holds. Raises CorpusUnreadable."""
    return {ecosystem: len(library.read(ecosystem).entries) for ecosystem in library.ecosystems}


def _sizes(lists: Iterable[CorpusFacts]) -> dict[Ecosystem, int]:
    return {facts.ecosystem: facts.size for facts in lists}


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
