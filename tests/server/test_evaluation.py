"""What is made of verdicts on labelled names."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from judging import engine_of, judged
from typosentinel_server.engines import Engines
from typosentinel_server.evaluation import MAX_GROUPS, Evaluation, Report, Share, counted
from typosentinel_server.labelled import Row
from typosentinel_server.scan.model import Ecosystem, Package, Technique, Verdict

T = Technique
ENGINES = Engines({Ecosystem.PYPI: engine_of("requests", "urllib3", "setuptools", "flask")})
ROWS = (
    Row(Package(Ecosystem.PYPI, "reqeusts"), attack=True, target="Requests", category="swap"),
    Row(Package(Ecosystem.PYPI, "setuptoosl"), attack=True, target="urllib3", category="swap"),
    Row(Package(Ecosystem.PYPI, "urlib3"), attack=True, category="drop"),
    Row(Package(Ecosystem.PYPI, "requests-helper-x"), attack=True, target="requests", category="word"),
    Row(Package(Ecosystem.PYPI, "in valid"), attack=True, target="requests", category="word"),
    Row(Package(Ecosystem.PYPI, "requestss"), attack=False, category="near"),
    Row(Package(Ecosystem.PYPI, "flask"), attack=False),
    Row(Package(Ecosystem.PYPI, "entirely-different"), attack=False),
    Row(Package(Ecosystem.NUGET, "Newtonsoft.Json"), attack=False),
)


def ticking(*durations: float) -> Iterator[float]:
    """A clock that shows a beginning and an end for each of the durations."""
    for n, duration in enumerate(durations):
        yield n * 10.0
        yield n * 10.0 + duration


def evaluated(*rows: Row, methods: frozenset[Technique] | None = None) -> Report:
    """The report on rows, judged on a small list."""
    evaluation = Evaluation(ENGINES, lambda: 0.0, methods)
    evaluation.add(rows)
    return evaluation.report()


def test_figures_are_those_that_one_counts_by_hand() -> None:
    """Three of five attacks flagged, one of three honest names, one of two known targets right."""
    report = evaluated(*ROWS)
    level = report.levels[Verdict.SUSPICIOUS]

    assert (report.attacks, report.honest, report.refused) == (5, 3, 1)
    assert report.not_judged == {Ecosystem.NUGET: 1}
    assert level.precision == Share(3, 4)
    assert level.recall == Share(3, 5)
    assert level.false_positives == Share(1, 3)
    assert level.target_first == Share(1, 2)


def test_advisories_count_at_their_own_level_only() -> None:
    """What is worth a look is no alert."""
    row = Row(Package(Ecosystem.PYPI, "requests-helper"), attack=True, target="requests")
    assert ENGINES.scan(row.package).verdict is Verdict.ADVISORY
    levels = evaluated(row).levels

    assert (levels[Verdict.SUSPICIOUS].recall, levels[Verdict.ADVISORY].recall) == (Share(0, 1), Share(1, 1))


def test_groups_come_by_category_and_by_ecosystem() -> None:
    """Attacks first, each with the share that is flagged."""
    report = evaluated(*ROWS)

    assert [(g.name, g.attack, g.flagged[Verdict.SUSPICIOUS]) for g in report.categories] == [
        ("drop", True, Share(1, 1)),
        ("swap", True, Share(2, 2)),
        ("word", True, Share(0, 2)),
        ("(none)", False, Share(0, 2)),
        ("near", False, Share(1, 1)),
    ]
    assert [(g.name, g.attack, g.flagged[Verdict.ADVISORY]) for g in report.ecosystems] == [
        ("PyPI", True, Share(3, 5)),
        ("PyPI", False, Share(1, 3)),
    ]


def test_groups_are_not_without_end() -> None:
    """Beyond the largest, all are one, so that a report stays small."""
    rows = [
        Row(Package(Ecosystem.PYPI, "flask"), attack=False, category=str(n))
        for n in range(MAX_GROUPS + 50)
        for _ in range(2 if n < MAX_GROUPS else 1)
    ]
    categories = evaluated(*rows).categories

    assert len(categories) == MAX_GROUPS + 1
    assert [g.flagged[Verdict.SUSPICIOUS] for g in categories if g.name == "(other)"] == [Share(0, 50)]


def test_chosen_methods_alone_count() -> None:
    """The others' findings flag nothing."""
    level = evaluated(*ROWS, methods=frozenset({T.OMISSION})).levels[Verdict.SUSPICIOUS]

    assert (level.recall, level.false_positives) == (Share(1, 5), Share(0, 3))


def test_finding_of_a_chosen_method_decides_with_its_own_score() -> None:
    """Where a stronger one does not count, its verdict and target don't either."""
    result = judged("paramikom", "paramikow", "paramiko-m")
    assert {f.technique for f in result.findings} >= {T.DELIMITER, T.SUBSTITUTION}
    weaker = next(f for f in result.findings if f.technique is T.SUBSTITUTION)
    cautious = replace(result, verdict=Verdict.ADVISORY)

    assert counted(ENGINES, result, None) == (Verdict.SUSPICIOUS, "paramiko-m")
    assert counted(ENGINES, result, frozenset({T.SUBSTITUTION}))[1] == weaker.target
    assert counted(ENGINES, result, frozenset({T.OMISSION})) == (Verdict.CLEAN, "")
    assert counted(ENGINES, cautious, frozenset({T.DELIMITER})) == (Verdict.ADVISORY, "paramiko-m")


def test_speed_is_that_of_unlisted_names_by_the_given_clock() -> None:
    """Listed names end early, so their times are left out; percentiles are by nearest rank."""
    times = ticking(0.002, 5.0, 0.001, 0.003)
    evaluation = Evaluation(ENGINES, lambda: next(times))
    evaluation.add([Row(Package(Ecosystem.PYPI, name), attack=False) for name in ("a-b", "flask", "c-d", "e-f")])
    speed = evaluation.report().speed

    assert speed.names == 3
    assert [speed.p50, speed.p99] == pytest.approx([0.002, 0.003])
    assert speed.names_per_second == pytest.approx(500)


def test_nothing_has_no_figures() -> None:
    """Neither zero nor one, and no division by it."""
    report = evaluated()

    assert report.levels[Verdict.SUSPICIOUS].recall.value is None
    assert (report.speed.names, report.speed.p50, report.categories) == (0, None, ())
