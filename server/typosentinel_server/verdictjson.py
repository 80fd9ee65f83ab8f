"""A judgement as JSON, byte for byte what the model `ScanResponse` writes, in a tenth of its time.

Most of the text depends on the judgement alone and is made once; what differs from request to request is put between.
"""

from dataclasses import dataclass
from typing import Any, Self

import orjson

from typosentinel_server.scan.model import Allowance, Finding, ScanResult

MILLISECONDS = 1000
DIGITS = 4


@dataclass(slots=True)
class Rendered:
    """The JSON of one judgement, in the three pieces between which a request's own facts go.

    Attributes:
        ecosystem: from after the id up to the name.
        verdict: from after the name up to the version.
        evidence: from after the version up to whether the answer was cached.
        corpus: what follows the duration.
    """

    ecosystem: bytes
    verdict: bytes
    evidence: bytes
    corpus: bytes

    @classmethod
    def of(cls, result: ScanResult) -> Self:
        """The pieces for a judgement."""
        dumps = orjson.dumps
        # Most names have nothing to tell.
        findings = dumps([_finding(one) for one in result.findings]) if result.findings else b"[]"
        targets = dumps(result.targets) if result.findings else b"[]"
        allowances = dumps([_allowance(one) for one in result.allowances]) if result.allowances else b"[]"
        known = b"true" if result.known else b"false"
        rank = b"null" if result.rank is None else b"%d" % result.rank
        return cls(
            b'","ecosystem":"%b","name":' % result.package.ecosystem.encode(),
            b',"normalizedName":%b,"version":' % dumps(result.normalized),
            b',"verdict":"%b","score":%b,"known":%b,"rank":%b,"targets":%b,"findings":%b,"allowances":%b,"cached":'
            % (result.verdict.encode(), dumps(float(result.score)), known, rank, targets, findings, allowances),
            b',"corpusVersion":%b}' % dumps(result.corpus_version),
        )

    def bytes(self, *, scan_id: str, name: str, version: str | None, cached: bool, seconds: float) -> bytes:
        """One answer.

        Args:
            scan_id: letters, digits and dashes alone.
            name: as the caller wrote it.
            version: the caller's, None where it gave none.
            cached: whether the judgement was known from before.
            seconds: how long the answer took.
        """
        dumps = orjson.dumps
        return b'{"id":"%b%b%b%b%b%b%b,"durationMs":%b%b' % (
            scan_id.encode(),
            self.ecosystem,
            dumps(name),
            self.verdict,
            b"null" if version is None else dumps(version),
            self.evidence,
            b"true" if cached else b"false",
            dumps(round(seconds * MILLISECONDS, DIGITS)),
            self.corpus,
        )

    def also(self, field: str, value: Any) -> "Rendered":
        """The same with one more field at the end."""
        corpus = b'%b,"%b":%b}' % (self.corpus[:-1], field.encode(), orjson.dumps(value))
        return Rendered(self.ecosystem, self.verdict, self.evidence, corpus)


def render(result: ScanResult, *, scan_id: str, name: str, version: str | None, cached: bool, seconds: float) -> bytes:
    """The JSON of one answer; as `Rendered.of` and `Rendered.bytes`."""
    rendered = Rendered.of(result)
    return rendered.bytes(scan_id=scan_id, name=name, version=version, cached=cached, seconds=seconds)


def _finding(finding: Finding) -> dict[str, Any]:
    found = {
        "technique": finding.technique.value,
        "target": finding.target,
        "targetRank": finding.rank,
        "message": finding.message,
        "score": float(finding.score),
        "contributions": [{"reason": one.reason, "weight": float(one.weight)} for one in finding.contributions],
        "cleared": finding.cleared,
    }
    if finding.target_ecosystem is not None:
        found["targetEcosystem"] = finding.target_ecosystem.value
    return found


def _allowance(allowance: Allowance) -> dict[str, Any]:
    return {
        "entry": allowance.entry,
        "reason": allowance.reason,
        "expires": allowance.expires,
        "target": allowance.target,
        "expired": allowance.expired,
    }
