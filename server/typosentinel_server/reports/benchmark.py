"""What a benchmark found, for people and for programs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from typosentinel_server.evaluation import LEVELS, Group, Level, Report, Share, Speed
from typosentinel_server.labelled import Fault
from typosentinel_server.scan.model import Verdict

FAULTS_SHOWN = 20
CELL = 24
LABELS = {True: "attack", False: "honest"}
FIGURES: tuple[tuple[str, Callable[[Level], Share]], ...] = (
    ("precision", lambda level: level.precision),
    ("recall", lambda level: level.recall),
    ("false positives", lambda level: level.false_positives),
    ("right target first", lambda level: level.target_first),
)


def text(report: Report, faults: Sequence[Fault]) -> str:
    """The figures as tables."""
    return "\n".join(
        (
            *_counts(report, faults),
            "",
            _row("", "suspicious", "or advisory"),
            *(_row(name, *(_share(of(report.levels[level])) for level in LEVELS)) for name, of in FIGURES),
            "",
            *_table("CATEGORY", report.categories),
            "",
            *_table("ECOSYSTEM", report.ecosystems),
            "",
            _speed(report.speed),
        )
    )


def wrong_rows(faults: Sequence[Fault]) -> Iterator[str]:
    """The first wrong rows, a line each, and how many more there are."""
    for fault in faults[:FAULTS_SHOWN]:
        yield f"line {fault.line} is left out: {fault.reason}"
    if len(faults) > FAULTS_SHOWN:
        yield f"and {len(faults) - FAULTS_SHOWN} more wrong rows are left out"


def as_dict(report: Report, faults: Sequence[Fault]) -> dict[str, Any]:
    """The figures as JSON has them, on the command line and over HTTP; shares are null of nothing."""
    speed = report.speed
    return {
        "attacks": report.attacks,
        "honest": report.honest,
        "refused": report.refused,
        "notJudged": {ecosystem.value: count for ecosystem, count in report.not_judged.items()},
        "wrongRows": {
            "count": len(faults),
            "first": [{"line": fault.line, "reason": fault.reason} for fault in faults[:FAULTS_SHOWN]],
        },
        **{level.value: _level(report.levels[level]) for level in LEVELS},
        "categories": [_group(group) for group in report.categories],
        "ecosystems": [_group(group) for group in report.ecosystems],
        "speed": {
            "names": speed.names,
            "namesPerSecond": _rounded(speed.names_per_second, 1),
            "p50Microseconds": _microseconds(speed.p50),
            "p99Microseconds": _microseconds(speed.p99),
        },
    }


def _counts(report: Report, faults: Sequence[Fault]) -> Iterator[str]:
    yield f"{report.attacks + report.honest:,} names judged: {report.attacks:,} attacks, {report.honest:,} honest"
    if report.refused:
        yield f"refused by their registry's rules, counted as not flagged: {report.refused:,}"
    for ecosystem, count in report.not_judged.items():
        yield f"left out, for there is no list for {ecosystem}: {count:,}"
    if faults:
        yield f"wrong rows left out: {len(faults):,}"


def _row(name: str, *cells: str) -> str:
    return f"{name:<{CELL}}" + "  ".join(f"{cell:<{CELL}}" for cell in cells).rstrip()


def _share(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.4f} ({share.part:,} of {share.whole:,})"


def _table(head: str, groups: Sequence[Group]) -> Iterator[str]:
    width = max((len(group.name) for group in groups), default=0)
    width = max(width, len(head))
    yield f"{head:<{width}}  LABEL     ROWS  SUSPICIOUS  OR ADVISORY"
    for group in groups:
        alerts, hints = (group.flagged[level] for level in LEVELS)
        first, second = (f"{share.value or 0:.3f}" for share in (alerts, hints))
        yield f"{group.name:<{width}}  {LABELS[group.attack]}  {alerts.whole:>6,}  {first:>10}  {second:>11}"


def _speed(speed: Speed) -> str:
    if speed.p50 is None or speed.p99 is None:
        return "speed: nothing to measure"
    rate = (
        "too fast to measure" if speed.names_per_second is None else f"{speed.names_per_second:,.0f} names per second"
    )
    times = f"p50 {speed.p50 * 1e6:,.0f} µs, p99 {speed.p99 * 1e6:,.0f} µs"
    return f"speed: {rate}; {times} ({speed.names:,} names that are on no list)"


def _level(level: Level) -> dict[str, Any]:
    return {
        "precision": _rounded(level.precision.value),
        "recall": _rounded(level.recall.value),
        "falsePositiveRate": _rounded(level.false_positives.value),
        "targetFirst": _rounded(level.target_first.value),
        "truePositives": level.recall.part,
        "falsePositives": level.false_positives.part,
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "label": int(group.attack),
        "rows": group.flagged[Verdict.SUSPICIOUS].whole,
        **{level.value: _rounded(group.flagged[level].value) for level in LEVELS},
    }


def _rounded(value: float | None, digits: int = 5) -> float | None:
    return None if value is None else round(value, digits)


def _microseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e6, 1)
