"""Answers for programs: short objects, one a line, or everything in one array."""

import json
import re
from collections.abc import Sequence
from typing import Any

from typosentinel_server.answers import Answer, Question, Refusal
from typosentinel_server.scan.model import Allowance, Finding

SURROGATES = re.compile("[\ud800-\udfff]")


def short(question: Question, answer: Answer | Refusal) -> dict[str, Any]:
    """What a stream holds for each name; ecosystem and name are the asker's own spelling, as far as it is text."""
    asked = {"ecosystem": _text(question.ecosystem), "name": _text(question.name)}
    if isinstance(answer, Refusal):
        return asked | {"refusal": {"code": answer.code, "reason": answer.reason}}
    found: dict[str, Any] = asked | {
        "verdict": answer.verdict.value,
        "score": answer.score,
        "targets": list(answer.targets),
        "known": answer.known,
    }
    if answer.allowances:
        found["allowances"] = [_allowance(allowance) for allowance in answer.allowances]
    return found


def full(question: Question, answer: Answer | Refusal) -> dict[str, Any]:
    """A short object and everything that led to it."""
    if isinstance(answer, Refusal):
        found = short(question, answer)
        found["refusal"]["suggestion"] = answer.suggestion
        return found
    return short(question, answer) | {
        "rank": answer.rank,
        "findings": [_finding(finding) for finding in answer.findings],
        "corpusVersion": answer.compared_with,
        "servedBy": answer.served_by,
    }


def line(question: Question, answer: Answer | Refusal) -> str:
    """One short object on one line of pure ASCII."""
    return json.dumps(short(question, answer))


def document(answers: Sequence[tuple[Question, Answer | Refusal]]) -> str:
    """All full objects in one array."""
    return json.dumps([full(question, answer) for question, answer in answers], indent=2)


def _finding(finding: Finding) -> dict[str, Any]:
    found: dict[str, Any] = {
        "technique": finding.technique.value,
        "target": finding.target,
        "targetRank": finding.rank,
        "message": finding.message,
        "score": finding.score,
        "contributions": [{"reason": c.reason, "weight": c.weight} for c in finding.contributions],
        "cleared": finding.cleared,
    }
    if finding.target_ecosystem is not None:
        found["targetEcosystem"] = finding.target_ecosystem.value
    return found


def _allowance(allowance: Allowance) -> dict[str, Any]:
    return {
        "entry": allowance.entry,
        "reason": allowance.reason,
        "expires": allowance.expires and allowance.expires.isoformat(),
        "target": allowance.target,
        "expired": allowance.expired,
    }


def _text(given: str) -> str:
    # Bytes that are no UTF-8 arrive as lone surrogates, and strict readers refuse JSON that holds one.
    return SURROGATES.sub("\ufffd", given)
