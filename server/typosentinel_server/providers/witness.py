"""What strangers say of a name in question: whom to ask, when, and what it comes to for the engine."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Final

from typosentinel_server.breaker import Breaker
from typosentinel_server.clock import Clock
from typosentinel_server.providers.asking import NO_SUCH_NAME
from typosentinel_server.providers.collector import ProviderCollector
from typosentinel_server.providers.conversations import with_registry, with_vulnerabilities
from typosentinel_server.providers.gathering import Evidence, Gatherer
from typosentinel_server.providers.gleaned import Gleaned, State
from typosentinel_server.providers.peer import Bounds, Peer
from typosentinel_server.providers.pins import Lookup, system_lookup
from typosentinel_server.providers.provider import Provider, Role
from typosentinel_server.providers.store import Store
from typosentinel_server.scan.context.malware import Reported
from typosentinel_server.scan.context.metadata import Facts, Metadata
from typosentinel_server.scan.context.patterns import same_package
from typosentinel_server.scan.model import ScanResult, Technique, Verdict
from typosentinel_server.sections.providers import ProviderSettings, When

Notice = Callable[[Evidence], None]

# What is no sign of anything wrong.
QUIET: Final = frozenset({State.USED, State.ABSENT})
MAX_NOTICED: Final = 1000


@dataclass(frozen=True, slots=True)
class Testimony:
    """What was gathered for one name.

    Attributes:
        metadata: facts about it and its target, the asker's own first; None where there are none.
        reported: what is known of it as malware; None where nothing is.
        evidence: what became of each question.
        seconds: how long it took.
    """

    metadata: Metadata | None
    reported: Reported | None
    evidence: tuple[Evidence, ...]
    seconds: float


class Witness:
    """Gathers evidence for names in question, from the providers of the configuration in effect.

    Args:
        clock: both clocks.
        store: keeps evidence between questions.
        notice: is told of each reason why a provider gave nothing, the first time that it is given.
        lookup: gives a host's addresses.

    Attributes:
        configured: whether there is anybody to ask.
        collector: counts.
    """

    def __init__(self, clock: Clock, store: Store, notice: Notice, lookup: Lookup = system_lookup) -> None:
        self._clock = clock
        self._store = store
        self._notice = notice
        self._noticed: set[tuple[str, str]] = set()
        self._lookup = lookup
        self._settings = ProviderSettings()
        self._retiring: set[asyncio.Task[None]] = set()
        self.configured = self._settings.configured
        self.collector = ProviderCollector(lambda: self._gatherer.providers)
        self._gatherer = self._made(self._settings)

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """One for each provider."""
        return tuple(provider.breaker for provider in self._gatherer.providers)

    def use(self, settings: ProviderSettings) -> None:
        """Asks the providers of these settings from now on; the ones before are closed when they have answered.

        Nothing changes where the settings are the same: breakers and pinned addresses stay.
        """
        if settings == self._settings:
            return
        old, self._gatherer, self._settings = self._gatherer, self._made(settings), settings
        self.configured = settings.configured
        self._noticed.clear()
        for provider in old.providers:
            task = asyncio.create_task(provider.retire(), name=f"closing of {provider.role.name}")
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        """Closes every connection once what is under way has its answer or its deadline."""
        await asyncio.gather(*(provider.retire() for provider in self._gatherer.providers), *self._retiring)

    def wanted(self, result: ScanResult) -> bool:
        """Whether evidence is gathered for a name.

        What is malware for certain needs none. Names of one's own registry stay in the house.
        """
        if not self._gatherer.knowing(result.package.ecosystem) or result.verdict is Verdict.MALICIOUS:
            return False
        if _is_private(result, result.normalized):
            return False
        return self._settings.when is When.ALWAYS or result.verdict is not Verdict.CLEAN

    async def testify(self, result: ScanResult, own: Metadata | None) -> Testimony:
        """What is known of a name and of what it may be taken for. Never fails, and takes no longer than configured.

        Args:
            result: the judgement without evidence, for the asker's own package.
            own: what the asker told; none of it is overruled.
        """
        started = self._clock.monotonic()
        package, gatherer = result.package, self._gatherer
        target_name = own.target_name if own and own.target_name else _target_of(result)
        questions = [gatherer.about(package.ecosystem, package.name)]
        if target_name is not None and not _is_private(result, target_name):
            questions.append(gatherer.about(package.ecosystem, target_name, facts_only=True))
        about_package, *rest = await asyncio.gather(*questions)
        about_target = rest[0] if rest else []
        today = datetime.fromtimestamp(self._clock.wall(), UTC).date()
        of_package, of_target = _together(about_package), _together(about_target)
        metadata = Metadata(
            _completed(own.package if own else Facts(), of_package, today),
            _completed(own.target if own else Facts(), of_target, today),
            target_name,
        )
        evidence = (*about_package, *about_target)
        for piece in evidence:
            self.collector.had(piece.provider, piece.state)
            self._tell(piece)
        nothing = own is None and metadata.package == Facts() and metadata.target == Facts()
        reported = Reported(of_package.malware) if of_package.malware else None
        seconds = self._clock.monotonic() - started
        return Testimony(None if nothing else metadata, reported, evidence, seconds)

    def _tell(self, piece: Evidence) -> None:
        # A provider that redirects, say, does so for every package, and one line tells whoever configured it.
        said = (piece.provider, piece.reason)
        if (
            piece.state in QUIET
            or piece.reason == NO_SUCH_NAME
            or said in self._noticed
            or len(self._noticed) >= MAX_NOTICED
        ):
            return
        self._noticed.add(said)
        self._notice(piece)

    def _made(self, settings: ProviderSettings) -> Gatherer:
        bounds = Bounds(settings.timeout, settings.max_bytes, settings.max_concurrency, settings.allow_private)
        providers = [
            self._provider(
                Role(one.known_as, _key(one.known_as, one.kind, one.url), one.ecosystem, with_registry(one)),
                one.token_file,
                bounds,
            )
            for one in settings.registries
        ]
        known = settings.vulnerabilities
        if known is not None:
            role = Role(known.name, _key(known.name, "osv", known.url), None, with_vulnerabilities(known.url))
            providers.append(self._provider(role, known.token_file, bounds))
        return Gatherer(providers, self._store, settings.timeout, self._clock)

    def _provider(self, role: Role, token_file: str | None, bounds: Bounds) -> Provider:
        peer = Peer(bounds, Path(token_file) if token_file else None, self._clock, self._lookup)
        return Provider(role, peer, bounds, self._clock, self.collector.tally)


def _target_of(result: ScanResult) -> str | None:
    """The first suspected target that the same registry holds."""
    elsewhere = {finding.target for finding in result.findings if finding.target_ecosystem}
    return next((one for one in result.targets if one not in elsewhere and not _is_private(result, one)), None)


def _is_private(result: ScanResult, name: str) -> bool:
    """Whether the findings name it as one of one's own registry, in whatever spelling."""
    ecosystem = result.package.ecosystem
    return any(
        finding.technique is Technique.DEPENDENCY_CONFUSION and same_package(ecosystem, finding.target, name)
        for finding in result.findings
    )


def _key(name: str, kind: str, url: str) -> str:
    return f"{name}-{hashlib.sha256(f'{kind} {url}'.encode()).hexdigest()[:16]}"


def _together(evidence: list[Evidence]) -> Gleaned:
    return reduce(Gleaned.or_else, (piece.gleaned for piece in evidence), Gleaned())


def _completed(own: Facts, gleaned: Gleaned, today: date) -> Facts:
    found = gleaned.facts(today)
    return replace(
        own,
        first_release=own.first_release or found.first_release,
        downloads=found.downloads if own.downloads is None else own.downloads,
        maintainers=own.maintainers or found.maintainers,
        repository=own.repository or found.repository,
    )
