"""The nouns of the scanning core."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from typosentinel_server.errors import EcosystemUnknown, did_you_mean, shown


class Ecosystem(StrEnum):
    """A package registry, spelled as OSV spells it."""

    PYPI = "PyPI"
    NPM = "npm"
    CRATES = "crates.io"
    RUBYGEMS = "RubyGems"
    NUGET = "NuGet"
    GO = "Go"
    MAVEN = "Maven"


ALIASES = {member.value.lower(): member for member in Ecosystem} | {
    "crates": Ecosystem.CRATES,
    "cargo": Ecosystem.CRATES,
    "gem": Ecosystem.RUBYGEMS,
    "golang": Ecosystem.GO,
}


def parse_ecosystem(text: str) -> Ecosystem:
    """The ecosystem of that name, in any letter case, aliases such as `crates` included.

    Raises:
        EcosystemUnknown: there is none; the suggestion names the closest and all of them.
    """
    found = ALIASES.get(text.strip().lower())
    if found is None:
        raise EcosystemUnknown(
            "UNKNOWN_ECOSYSTEM",
            f"there is no ecosystem {shown(text)}",
            f"{did_you_mean(text, ALIASES)}Use one of {', '.join(Ecosystem)}.",
        )
    return found


class Verdict(StrEnum):
    """What a scan says, from harmless to certain.

    `malicious` is never said on the evidence of a name alone: it takes a list of known malware.
    """

    CLEAN = "clean"
    ADVISORY = "advisory"
    SUSPICIOUS = "suspicious"
    MALICIOUS = "malicious"

    @property
    def severity(self) -> int:
        """0 for clean up to 3 for malicious."""
        return list(Verdict).index(self)


class Technique(StrEnum):
    """How a name comes to be taken for another."""

    TRANSPOSITION = "transposition"
    OMISSION = "omission"
    INSERTION = "insertion"
    REPETITION = "repetition"
    SUBSTITUTION = "substitution"
    DELIMITER = "delimiter"
    BIT_FLIP = "bit-flip"
    HOMOGLYPH = "homoglyph"
    LETTER_CASE = "letter-case"
    PLURAL = "plural"
    COMPOUND = "compound"
    WORD_ORDER = "word-order"
    VERSION = "version"
    AFFIX = "affix"
    COMBOSQUAT = "combosquat"
    MISSPELT = "misspelt-combosquat"
    SEMANTIC = "semantic"
    SCOPE = "scope"
    CROSS_ECOSYSTEM = "cross-ecosystem"
    DEPENDENCY_CONFUSION = "dependency-confusion"
    UNKNOWN_NAME = "unknown-name"
    KNOWN_MALWARE = "known-malware"
    NEAR_MALWARE = "near-known-malware"


# What no list of popular names leads to: these come from lists that the operator of the scanner brings.
FROM_CONTEXT = frozenset(
    {Technique.DEPENDENCY_CONFUSION, Technique.UNKNOWN_NAME, Technique.KNOWN_MALWARE, Technique.NEAR_MALWARE}
)


@dataclass(frozen=True, slots=True)
class Package:
    """What a caller asks about. The version is carried along; names alone are judged."""

    ecosystem: Ecosystem
    name: str
    version: str | None = None


# Not frozen, though nobody changes them: freezing costs a quarter of a microsecond a field, at every scan.
@dataclass(slots=True, unsafe_hash=True)
class Contribution:
    """One reason and the log-odds that it adds to a finding's score (negative: speaks for the name)."""

    reason: str
    weight: float


@dataclass(slots=True, unsafe_hash=True)
class Finding:
    """One technique that leads from a popular name to this one, or one list that speaks of this one.

    Attributes:
        technique: how the two are confused.
        target: the popular name, in its registry's spelling, or the known malware that the name is like; the name
            itself where the finding is about no other.
        rank: the target's place on its list, 1 the most popular; None where the list has no order.
        message: a sentence that a person can act on.
        score: 0 to 1; the logistic of the sum of the contributions.
        contributions: what the score is made of, strongest first.
        cleared: whether an allowance takes it out of verdict and score; it stays as evidence.
        target_ecosystem: the registry of the target, where that is another than the name's; None where it is not.
    """

    technique: Technique
    target: str
    rank: int | None
    message: str
    score: float
    contributions: tuple[Contribution, ...]
    cleared: bool = False
    target_ecosystem: Ecosystem | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Somebody's word that a name is in order.

    Attributes:
        entry: the name or pattern on the allow-list.
        reason: why, in that person's words.
        expires: the last day, in UTC, on which it holds; None without an end.
        target: the only target that it is about; None for all that is found.
        expired: whether that day has passed, so that it clears nothing any more.
    """

    entry: str
    reason: str
    expires: date | None
    target: str | None
    expired: bool


@dataclass(slots=True, unsafe_hash=True)
class ScanResult:
    """The judgement of one name.

    Attributes:
        package: what was asked.
        normalized: the name as its registry holds it to be the same.
        known: whether the name is on a list of popular names; those never alert.
        rank: the name's own rank where it is known and the list has an order.
        verdict: what to think of it.
        score: 0 to 1, the highest of the findings that are not cleared.
        findings: strongest first; also the weak ones that leave the verdict clean.
        corpus_version: which list it was compared with.
        allowances: what the allow-list says of the name, expired entries included.
    """

    package: Package
    normalized: str
    known: bool
    rank: int | None
    verdict: Verdict
    score: float
    findings: tuple[Finding, ...]
    corpus_version: str
    allowances: tuple[Allowance, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The suspected targets, most likely first, other registries' last, each once; none for a clean name.

        Known malware is none: nobody should be told that it may be what they meant.
        """
        if self.verdict is Verdict.CLEAN:
            return ()
        counting = [f for f in self.findings if not f.cleared and f.technique is not Technique.NEAR_MALWARE]
        suspected = [f.target for f in counting if not f.target_ecosystem and f.target != self.normalized]
        return tuple(dict.fromkeys([*suspected, *(f.target for f in counting if f.target_ecosystem)]))
