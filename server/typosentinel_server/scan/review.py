"""Looking for squats on a list of popular names, where nothing would ever alert about them again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Ecosystem, Package, Verdict
from typosentinel_server.scan.naming import parse_name

# A squat lives off its target, so it is far behind; two packages of equal rank are two packages.
DEFAULT_TIMES: Final = 20
# Names between two words about progress.
STEP: Final = 200


@dataclass(frozen=True, slots=True)
class Doubt:
    """A listed name that would be suspicious if it were not listed.

    Attributes:
        ecosystem: whose name it is.
        name: as the list has it.
        rank: its own.
        target: the name far more popular that it is like.
        target_rank: that name's.
        score: 0 to 1, the probability that a name alone gives.
        reasons: a sentence for each technique that leads from the target to it.
    """

    ecosystem: Ecosystem
    name: str
    rank: int
    target: str
    target_rank: int | None
    score: float
    reasons: tuple[str, ...]


def review(engine: Engine, times: int, advance: Callable[[int], None]) -> list[Doubt]:
    """The doubtful names of one list, the most doubtful first; names without a rank are passed over.

    Takes 0.1 ms a name.

    Args:
        engine: over the list.
        times: how many times better a target's rank must be, 2 or more.
        advance: is told how many names were just looked at.
    """
    found = []
    for count, name in enumerate(engine.names, start=1):
        doubt = _doubt(engine, name, times)
        if doubt is not None:
            found.append(doubt)
        if count % STEP == 0:
            advance(STEP)
    return sorted(found, key=lambda doubt: (-doubt.score, doubt.rank, doubt.name))


def _doubt(engine: Engine, listed: str, times: int) -> Doubt | None:
    ecosystem = engine.ecosystem
    result = engine.doubt(Package(ecosystem, listed), parse_name(ecosystem, listed), times)
    if result.verdict is not Verdict.SUSPICIOUS or result.rank is None:
        return None
    first = result.findings[0]
    reasons = dict.fromkeys(finding.message for finding in result.findings if finding.target == first.target)
    return Doubt(ecosystem, listed, result.rank, first.target, first.rank, first.score, tuple(reasons))
