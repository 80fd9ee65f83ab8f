"""The engines that a process serves: one an ecosystem, built once, swapped as a whole."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from typosentinel_server.bundles.bundle import Bundle
from typosentinel_server.bundles.errors import SHRUNKEN
from typosentinel_server.errors import CorpusUnreadable, EcosystemUnknown
from typosentinel_server.scan import corpus
from typosentinel_server.scan.corpus import Corpus
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem


class Library:
    """Where lists of popular names come from: the package, a directory that the user names, or another bundle.

    Args:
        directory: holds files such as `pypi.csv`; None for the lists that the package carries.
        bundle: an opened one, instead of a directory.

    Raises:
        CorpusUnreadable: the directory holds no list, or not what its manifest says.
    """

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
        if ecosystem not in self.ecosystems:
            raise no_list(ecosystem, self.ecosystems)
        if self._bundle is None:
            return corpus.read_builtin(ecosystem)
        return self._bundle.read(ecosystem)


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


def build_engines(library: Library, wanted: Iterable[Ecosystem] | None = None, reuse: Engines | None = None) -> Engines:
    """Engines for the wanted ecosystems, all of the library's where None; takes over those of `reuse`.

    Takes about 0.1 s for 5,000 names. Raises CorpusUnreadable, or EcosystemUnknown for one without a list.
    """
    engines = {}
    for ecosystem in library.ecosystems if wanted is None else wanted:
        held = reuse.get(ecosystem) if reuse else None
        engines[ecosystem] = held or Engine(Index(library.read(ecosystem)))
    return Engines(engines)


def refresh_engines(library: Library, wanted: Iterable[Ecosystem], held: Engines, max_loss_percent: int) -> Engines:
    """Engines for what a library holds now; those whose list is the same as before are the same ones.

    Args:
        library: the lists.
        wanted: the ecosystems to build for, each of which the library has a list for.
        held: the engines in use, of the same library as it was before.
        max_loss_percent: how much of its names a list may have lost.

    Raises:
        CorpusUnreadable: a list cannot be read, is not what was vouched for, or has lost too many names.
    """
    lists = {ecosystem: library.read(ecosystem) for ecosystem in wanted}
    refuse_loss({read.ecosystem: names_in(read) for read in held.corpora}, _sizes(lists), max_loss_percent)
    engines = {}
    for ecosystem, read in lists.items():
        before = held.get(ecosystem)
        engines[ecosystem] = before if before and _same(before.corpus, read) else Engine(Index(read))
    return Engines(engines)


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
    return _sizes({ecosystem: library.read(ecosystem) for ecosystem in library.ecosystems})


def names_in(read: Corpus) -> int:
    """How many names a list holds."""
    return len(read.entries)


def _same(one: Corpus, other: Corpus) -> bool:
    facts = [(read.version, read.created, read.partial) for read in (one, other)]
    return facts[0] == facts[1]


def _sizes(lists: Mapping[Ecosystem, Corpus]) -> dict[Ecosystem, int]:
    return {ecosystem: names_in(read) for ecosystem, read in lists.items()}


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
