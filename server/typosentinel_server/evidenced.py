"""A scan with evidence from providers: the name alone first, then, where it matters, what others know."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from typosentinel_server.errors import EcosystemUnknown
from typosentinel_server.providers.gathering import Evidence
from typosentinel_server.providers.witness import Witness
from typosentinel_server.scan.context.metadata import Metadata
from typosentinel_server.scan.model import Package
from typosentinel_server.service import Outcome, ScanService
from typosentinel_server.verdictjson import Rendered

AGE_DIGITS = 1


async def with_evidence(
    service: ScanService, witness: Witness, outcome: Outcome, package: Package, metadata: Metadata | None
) -> Outcome:
    """The outcome of a scan, concluded anew where providers have something to say, and with what became of asking them.

    Args:
        service: what judged the name.
        witness: who is asked.
        outcome: the judgement without evidence.
        package: the asker's own; a cached judgement may be another's.
        metadata: what the asker told; none of it is overruled.
    """
    before = replace(outcome.result, package=package)
    if not witness.wanted(before):
        return replace(outcome, rendered=outcome.rendered.also("evidence", []))
    testimony = await witness.testify(before, metadata)
    result = before
    if testimony.metadata is not None or testimony.reported is not None:
        # The configuration may have changed meanwhile; what was judged stays judged.
        with suppress(EcosystemUnknown):
            result = service.reconsidered(before, testimony.metadata, testimony.reported)
    witness.collector.decided(before.verdict.value, result.verdict.value)
    rendered = outcome.rendered if result is before else Rendered.of(result)
    told = [_told(piece) for piece in testimony.evidence]
    return replace(
        outcome,
        result=result,
        rendered=rendered.also("evidence", told),
        seconds=outcome.seconds + testimony.seconds,
    )


def _told(piece: Evidence) -> dict[str, Any]:
    return {
        "provider": piece.provider,
        "package": piece.package,
        "state": piece.state.value,
        "ageSeconds": None if piece.age is None else round(piece.age, AGE_DIGITS),
        "stale": piece.stale,
        "vulnerabilities": piece.gleaned.vulnerabilities,
    }
