"""How well names are judged, and how fast: labelled names in, figures out."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from typosentinel_server.errors import EcosystemUnknown, NameRefused
from typosentinel_server.labelled import Row
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult, Technique, Verdict
from typosentinel_server.scan.naming import parse_name

LEVELS = (Verdict.SUSPICIOUS, Verdict.ADVISORY)
MAX_GROUPS = 200


class Judge(Protocol):
    """What gives verdicts."""

    def scan(self, package: Package) -> ScanResult:
        """The judgement of a package. Raises NameRefused, and EcosystemUnknown where there is no list."""
        ...

    def verdict_of(self, score: float) -> Verdict:
        """The verdict that a score stands for."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """0 to 1; None of nothing."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Level:
    """The figures where names count as flagged from one verdict on.

    Attributes:
        precision: of the flagged, those that are attacks.
        recall: of the attacks, those that are flagged.
        false_positives: of the honest names, those that are flagged.
        target_first: of the flagged attacks with a known target, those whose first target is that one.
    """

    precision: Share
    recall: Share
    false_positives: Share
    target_first: Share


@dataclass(frozen=True, slots=True)
class Group:
    """The names of one label that have something in common.

    Attributes:
        name: what they have in common.
        attack: their label.
        flagged: how many count as flagged, by level.
    """

    name: str
    attack: bool
    flagged: dict[Verdict, Share]


@dataclass(frozen=True, slots=True)
class Speed:
    """Of names that are not on the lists: listed ones end early. Times in seconds, None without any name."""

    names: int
    names_per_second: float | None
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything found out about the rows.

    Attributes:
        attacks: rows judged that are labelled so.
        honest: the other rows judged.
        refused: of both, those whose registry could hold no such name; they count as not flagged.
        not_judged: rows left out because there is no list for their ecosystem.
        levels: the figures by the verdict from which a name counts as flagged.
        categories: the rows by category, attacks first; beyond the 200 largest all are one.
        ecosystems: the rows by ecosystem, attacks first.
        speed: of the judging alone.
    """

    attacks: int
    honest: int
    refused: int
    not_judged: dict[Ecosystem, int]
    levels: dict[Verdict, Level]
    categories: tuple[Group, ...]
    ecosystems: tuple[Group, ...]
    speed: Speed


@dataclass(frozen=True, slots=True)
class _Judged:
    row: Row
    verdict: Verdict
    right_target: bool


class Evaluation:
    """Judges labelled names and keeps count.

    Args:
        judge: gives the verdicts.
        monotonic: the clock, in seconds.
        methods: the techniques whose findings count; None for all.
    """

    def __init__(
        self, judge: Judge, monotonic: Callable[[], float], methods: frozenset[Technique] | None = None
    ) -> None:
        self._judge = judge
        self._monotonic = monotonic
        self._methods = methods
        self._judged: list[_Judged] = []
        self._seconds: list[float] = []
        self._refused = 0
        self._not_judged: Counter[Ecosystem] = Counter()

    def add(self, rows: Iterable[Row]) -> None:
        """Judges more rows."""
        for row in rows:
            started = self._monotonic()
            try:
                result = self._judge.scan(row.package)
            except NameRefused:
                self._refused += 1
                self._judged.append(_Judged(row, Verdict.CLEAN, right_target=False))
                continue
            except EcosystemUnknown:
                self._not_judged[row.package.ecosystem] += 1
                continue
            seconds = self._monotonic() - started
            if not result.known:
                self._seconds.append(seconds)
            verdict, target = counted(self._judge, result, self._methods)
            self._judged.append(_Judged(row, verdict, right_target=bool(target) and _is(row, target)))

    def report(self) -> Report:
        """The figures so far."""
        attacks = [j for j in self._judged if j.row.attack]
        honest = [j for j in self._judged if not j.row.attack]
        return Report(
            attacks=len(attacks),
            honest=len(honest),
            refused=self._refused,
            not_judged=dict(self._not_judged),
            levels={level: _level(level, attacks, honest) for level in LEVELS},
            categories=_groups(self._judged, lambda row: row.category or "(none)"),
            ecosystems=_groups(self._judged, lambda row: row.package.ecosystem.value),
            speed=_speed(self._seconds),
        )


def counted(judge: Judge, result: ScanResult, methods: frozenset[Technique] | None) -> tuple[Verdict, str]:
    """The verdict and the first target, empty without one, where only some techniques' findings count."""
    if methods is None:
        return result.verdict, next(iter(result.targets), "")
    strongest = next((f for f in result.findings if f.technique in methods), None)
    if strongest is None:
        return Verdict.CLEAN, ""
    # Never worse than all findings together: the engine may have had its reasons to hold back.
    verdict = min(result.verdict, judge.verdict_of(strongest.score), key=lambda v: v.severity)
    return verdict, strongest.target if verdict is not Verdict.CLEAN else ""


def _is(row: Row, target: str) -> bool:
    ecosystem = row.package.ecosystem
    try:
        return parse_name(ecosystem, row.target).text == parse_name(ecosystem, target).text
    except NameRefused:
        return False


def _level(level: Verdict, attacks: list[_Judged], honest: list[_Judged]) -> Level:
    hits, alarms = _flagged(attacks, level), _flagged(honest, level)
    aimed = [j for j in hits if j.row.target]
    return Level(
        precision=Share(len(hits), len(hits) + len(alarms)),
        recall=Share(len(hits), len(attacks)),
        false_positives=Share(len(alarms), len(honest)),
        target_first=Share(sum(j.right_target for j in aimed), len(aimed)),
    )


def _flagged(judged: list[_Judged], level: Verdict) -> list[_Judged]:
    return [j for j in judged if j.verdict.severity >= level.severity]


def _groups(judged: list[_Judged], name_of: Callable[[Row], str]) -> tuple[Group, ...]:
    largest = dict(Counter(name_of(j.row) for j in judged).most_common(MAX_GROUPS))
    by_name: dict[tuple[bool, str], list[_Judged]] = {}
    for j in judged:
        name = name_of(j.row)
        by_name.setdefault((not j.row.attack, name if name in largest else "(other)"), []).append(j)
    return tuple(
        Group(name, not honest, {level: Share(len(_flagged(some, level)), len(some)) for level in LEVELS})
        for (honest, name), some in sorted(by_name.items())
    )


def _speed(seconds: list[float]) -> Speed:
    if not seconds:
        return Speed(0, None, None, None)
    times, total = sorted(seconds), sum(seconds)
    p50, p99 = (times[ceil(q * len(times)) - 1] for q in (0.5, 0.99))
    return Speed(len(times), len(times) / total if total else None, p50, p99)
