"""Running the checks over a name and adding up what they say.

A finding's score is the logistic of a sum of named contributions in log-odds: the technique's own, how
long the name is (one edit in a short name is likely another word), and how popular the target is
(nobody squats on what nobody installs). Every contribution is in the evidence.
"""

from math import exp, log10

from typosentinel_server.scan.checks import CHECKS
from typosentinel_server.scan.corpus import Corpus, Entry
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.model import (
    Contribution,
    Ecosystem,
    Finding,
    Package,
    ScanResult,
    Technique,
    Verdict,
)
from typosentinel_server.scan.naming import Name, owner, parse_name, refusal
from typosentinel_server.scan.query import Match, Query

SUSPICIOUS_FROM = 0.6
ADVISORY_FROM = 0.4
MAX_FINDINGS = 8
# Log-odds by the length of the shorter name; longer names take the last.
LENGTH_WEIGHTS = {1: -9.0, 2: -8.0, 3: -6.0, 4: -3.8, 5: -2.0, 6: -0.8, 7: 0.0, 8: 0.4, 9: 0.6, 10: 0.8, 11: 1.0}
SAME_OWNER_WEIGHT = -6.5
# Techniques in which the letters are the same, so that a short name is less of an excuse.
LETTERS_ALIKE = frozenset({Technique.DELIMITER, Technique.HOMOGLYPH, Technique.LETTER_CASE})


class Engine:
    """Judges names of one ecosystem. Holds no state but its index; safe to share between threads.

    Args:
        index: the popular names to compare with.
    """

    def __init__(self, index: Index) -> None:
        self._index = index

    @property
    def ecosystem(self) -> Ecosystem:
        """Whose names are judged."""
        return self._index.corpus.ecosystem

    @property
    def corpus(self) -> Corpus:
        """The list that names are compared with; its version is part of every cache key."""
        return self._index.corpus

    def scan(self, package: Package) -> ScanResult:
        """The judgement of one name. Bound: linear in its length, at most 64 candidates a check.

        Raises:
            NameRefused: the registry could hold no package of that name.
        """
        return self.judge(package, parse_name(package.ecosystem, package.name))

    def judge(self, package: Package, name: Name) -> ScanResult:
        """As `scan`, for a name that is already parsed."""
        known = self._index.known(name)
        if known is not None:
            return self._result(package, name, known, ())
        query = Query(name, tuple(self._index.near(name.text)), self._index)
        matches = [match for check in CHECKS for match in check(query)]
        findings = sorted((_finding(package, name, match) for match in matches), key=_strongest_first)
        if not findings and not name.raw.isascii():
            raise refusal(package.ecosystem, name.raw)
        return self._result(package, name, None, tuple(findings[:MAX_FINDINGS]))

    def _result(self, package: Package, name: Name, known: Entry | None, findings: tuple[Finding, ...]) -> ScanResult:
        score = findings[0].score if findings else 0.0
        return ScanResult(
            package=package,
            normalized=name.identity,
            known=known is not None,
            rank=known.rank if known else None,
            verdict=verdict_of(score),
            score=score,
            findings=findings,
            corpus_version=self.corpus.version,
        )


def verdict_of(score: float) -> Verdict:
    """The verdict that a score, 0 to 1, stands for; a name alone is never malicious."""
    if score >= SUSPICIOUS_FROM:
        return Verdict.SUSPICIOUS
    return Verdict.ADVISORY if score >= ADVISORY_FROM else Verdict.CLEAN


def _finding(package: Package, name: Name, match: Match) -> Finding:
    target = match.target
    found = [*match.contributions, _of_length(name, match), _of_popularity(target)]
    held_by = owner(package.ecosystem, target.name.text)
    if held_by and held_by == owner(package.ecosystem, name.text):
        found.append(Contribution(f"only the owner of {held_by} can publish either", SAME_OWNER_WEIGHT))
    reasons = sorted(found, key=lambda r: -abs(r.weight))
    score = round(1 / (1 + exp(-sum(r.weight for r in reasons))), 4)
    quoted = f'"{target.name.raw}"' + (f" (rank {target.rank})" if target.rank else "")
    return Finding(
        technique=match.technique,
        target=target.name.raw,
        rank=target.rank,
        message=match.evidence.replace("{target}", quoted),
        score=score,
        contributions=tuple(reasons),
    )


def _of_length(name: Name, match: Match) -> Contribution:
    shorter = min(len(name.text), len(match.target.name.text))
    weight = LENGTH_WEIGHTS.get(shorter, 1.2)
    if match.technique in LETTERS_ALIKE:
        weight /= 2
    return Contribution(f"the shorter name has {shorter} characters", weight)


def _of_popularity(target: Entry) -> Contribution:
    if target.rank is None:
        return Contribution("the target is popular, its rank unknown", 0.9 if target.protected else 0.3)
    weight = max(0.0, 3.0 - 0.75 * log10(target.rank))
    return Contribution(f"the target has rank {target.rank}", round(weight, 3))


def _strongest_first(finding: Finding) -> tuple[float, int, str, str]:
    return (-finding.score, finding.rank or 1 << 30, finding.target, finding.technique)
