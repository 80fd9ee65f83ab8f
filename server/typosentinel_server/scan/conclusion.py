"""From what a name's letters say, and what else is known of it, to the answer."""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from typosentinel_server.scan.context.allowlist import AllowList, Grant
from typosentinel_server.scan.context.evidence import Asked, Judged, Source, with_more
from typosentinel_server.scan.context.malware import MalwareList, Reported
from typosentinel_server.scan.context.metadata import Facts, Metadata, weigh
from typosentinel_server.scan.context.patterns import same_package
from typosentinel_server.scan.context.privatenames import PrivateNames
from typosentinel_server.scan.context.registryindex import RegistryIndex
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Ecosystem, Finding, ScanResult, Technique, Verdict
from typosentinel_server.scan.naming import Name
from typosentinel_server.scan.scorecard import Scorecard


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The lists that whoever runs the scanner brings; empty ones say nothing.

    Attributes:
        allow_list: names that somebody vouches for.
        private_names: names of one's own registry.
        malware: known malware.
        registries: all names of a registry, by ecosystem.
    """

    allow_list: AllowList = field(default_factory=AllowList)
    private_names: PrivateNames = field(default_factory=PrivateNames)
    malware: MalwareList = field(default_factory=MalwareList)
    registries: Mapping[Ecosystem, RegistryIndex] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(len(self.allow_list) or len(self.private_names) or len(self.malware) or self.registries)

    @property
    def sizes(self) -> dict[str, int]:
        """Entries by list, and names by registry's index."""
        own: dict[str, Sized] = {
            "allowList": self.allow_list,
            "privateNames": self.private_names,
            "malware": self.malware,
        }
        return {kind: len(held) for kind, held in own.items()} | {
            f"registryIndex.{ecosystem}": len(index) for ecosystem, index in self.registries.items()
        }

    def sources(self, ecosystem: Ecosystem) -> tuple[Source, ...]:
        """What has findings of its own about names of an ecosystem."""
        index = self.registries.get(ecosystem)
        return tuple(s for s in (self.private_names, self.malware, index) if s is not None and len(s))


def conclude(
    result: ScanResult,
    name: Name,
    knowledge: Knowledge,
    metadata: Metadata | None,
    today: date,
    engine: Engine,
    reported: Reported | None = None,
) -> ScanResult:
    """The answer to a question.

    Args:
        result: the judgement by name alone, for the asker's own package.
        name: the same name in its registry's forms.
        knowledge: the lists.
        metadata: what the asker knows of the package.
        today: the date in UTC, for ages and expiries.
        engine: what judged the name.
        reported: what somebody who was asked about the package knows of it as malware.
    """
    if metadata is None and not knowledge and reported is None:
        return result
    ecosystem = result.package.ecosystem
    exists = metadata is not None and metadata.package.exist
    asked = Asked(name, result, partial(engine.resembled, name), exists)
    card = engine.scorecard
    judged = _of_letters(result, card)
    for source in knowledge.sources(ecosystem):
        judged += source.findings(asked)
    if reported is not None and not any(one.verdict is Verdict.MALICIOUS for one in judged):
        judged += reported.findings(asked)
    if metadata is not None:
        judged = [_weighed(one, result, metadata, today) for one in judged]
    grants = knowledge.allow_list.grants(ecosystem, name.identity, today)
    if not judged and not grants:
        return result
    decided = sorted((_decided(_cleared(one, grants), card) for one in judged), key=_counting_and_strongest_first)
    counting = [(finding, verdict) for finding, verdict in decided if not finding.cleared]
    return replace(
        result,
        verdict=counting[0][1] if counting else Verdict.CLEAN,
        score=max((finding.score for finding, _ in counting), default=0.0),
        findings=tuple(finding for finding, _ in decided),
        allowances=tuple(grant.allowance for grant in grants),
    )


def _of_letters(result: ScanResult, card: Scorecard) -> list[Judged]:
    # Where the engine holds its verdict below what the score would give, more evidence doesn't lift it above that.
    lowered = card.verdict_of(result.score).severity > result.verdict.severity
    at_most = result.verdict if lowered else Verdict.SUSPICIOUS
    # Many a project is published in several registries: what is popular in another one is at most worth a look.
    capped = min(at_most, Verdict.ADVISORY, key=lambda verdict: verdict.severity)
    return [Judged(f, at_most=capped if f.target_ecosystem else at_most) for f in result.findings]


def _weighed(judged: Judged, result: ScanResult, metadata: Metadata, today: date) -> Judged:
    finding = judged.finding
    if finding.target == result.normalized and not finding.target_ecosystem:
        return judged
    target = metadata.target if _is_target(result, metadata, finding) else Facts()
    return replace(judged, finding=with_more(finding, weigh(metadata.package, target, today)))


def _is_target(result: ScanResult, metadata: Metadata, finding: Finding) -> bool:
    # Having an owner in common excuses next to what is imitated, not next to malware; a package of the same name in
    # another registry is another package.
    if metadata.target_name is None or finding.technique is Technique.NEAR_MALWARE or finding.target_ecosystem:
        return False
    return same_package(result.package.ecosystem, metadata.target_name, finding.target)


def _cleared(judged: Judged, grants: Iterable[Grant]) -> Judged:
    if not any(grant.clears(judged) for grant in grants):
        return judged
    return replace(judged, finding=replace(judged.finding, cleared=True))


def _decided(judged: Judged, card: Scorecard) -> tuple[Finding, Verdict]:
    by_score = min(card.verdict_of(judged.finding.score), judged.at_most, key=lambda verdict: verdict.severity)
    return judged.finding, judged.verdict or by_score


def _counting_and_strongest_first(decided: tuple[Finding, Verdict]) -> tuple[bool, int, float]:
    finding, verdict = decided
    return (finding.cleared, -verdict.severity, -finding.score)
