"""Rights granted less rights used, and the other way round. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rightsaudit.record import Use
from rightsaudit.right import Right


@dataclass(frozen=True, slots=True)
class Findings:
    """What the comparison comes to.

    Attributes:
        used: rights of the chart that were used, and how often.
        unused: rights of the chart that were not.
        denied: what was asked for without the right to it, and how often.
        unexplained: of the unused ones those without a reason.
        denied_unexplained: of the denied ones those without a reason.
        stale: explanations of what is used, is not granted or is not denied.
    """

    used: Counter[Right]
    unused: tuple[Right, ...]
    denied: Counter[Right]
    unexplained: tuple[Right, ...]
    denied_unexplained: tuple[Right, ...]
    stale: tuple[Right, ...]

    @property
    def good(self) -> bool:
        """Whether every right is used or explained, and nothing is denied without a reason."""
        return not (self.unexplained or self.denied_unexplained or self.stale)


def compare(
    granted: Iterable[Right],
    uses: Counter[Use],
    unused_reasons: Mapping[Right, str],
    denied_reasons: Mapping[Right, str],
) -> Findings:
    """Hold what is granted against what was used.

    Args:
        granted: by the chart.
        uses: by the operator's account.
        unused_reasons: why a right that nobody uses is granted.
        denied_reasons: why something is asked for that is not granted.
    """
    granted = sorted(granted)
    used: Counter[Right] = Counter()
    denied: Counter[Right] = Counter()
    for use, times in uses.items():
        if not use.allowed:
            denied[use.right] += times
            continue
        for right in granted:
            if right.covers(use.right):
                used[right] += times
    unused = tuple(right for right in granted if right not in used)
    stale = [right for right in unused_reasons if right not in unused]
    stale += [right for right in denied_reasons if right not in denied]
    return Findings(
        used=used,
        unused=unused,
        denied=denied,
        unexplained=tuple(right for right in unused if right not in unused_reasons),
        denied_unexplained=tuple(right for right in sorted(denied) if right not in denied_reasons),
        stale=tuple(stale),
    )
