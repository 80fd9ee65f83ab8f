"""What is claimed of every judgement, whatever was asked."""

from typosentinel_server.errors import DomainError
from typosentinel_server.scan.model import ScanResult, Technique, Verdict

MOST_FINDINGS = 32


class Broken(Exception):
    """A claim does not hold."""


def claim(what: str, *, holds: bool) -> None:
    """Raises Broken where it does not hold."""
    if not holds:
        raise Broken(what)


def claim_judgement(result: ScanResult) -> None:
    """Claims of a result: scores, verdict and findings fit together, and there are not too many."""
    scores = [finding.score for finding in result.findings]
    claim("a score is from 0 to 1", holds=all(0 <= score <= 1 for score in (result.score, *scores)))
    claim("findings are few", holds=len(scores) <= MOST_FINDINGS)
    claim("the strongest comes first", holds=scores == sorted(scores, reverse=True))
    claim("a listed name is clean", holds=not result.known or result.verdict is Verdict.CLEAN)
    claim("what alerts has a target", holds=result.verdict is Verdict.CLEAN or bool(result.targets))
    claim("a name alone is never malicious", holds=result.verdict is not Verdict.MALICIOUS)
    for finding in result.findings:
        claim("a technique is one of ours", holds=finding.technique in Technique)
        claim("a finding has its reasons", holds=bool(finding.message and finding.contributions))


def claim_refusal(error: DomainError) -> None:
    """Claims of a refusal: it says what is wrong and what to do, in text that any terminal can print."""
    texts = (error.code, error.message, error.suggestion)
    claim("a refusal is whole", holds=all(texts))
    claim("a refusal is printable", holds=all(text.isprintable() for text in texts))
