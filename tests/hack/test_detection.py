import json
from pathlib import Path
from typing import Any

import pytest
from hack.bench.data import NotRun
from hack.detection import learn, listed, runs, tables
from hack.detection.design import DESIGN, STATED
from hack.detection.fitting import Fit

from typosentinel_server.engines import Library
from typosentinel_server.scan.evidence import Group
from typosentinel_server.scan.model import Ecosystem

ROWS = [
    {"ecosystem": "pypi", "name": "reqeusts", "target": "Requests", "label": "1", "target_listed": "0"},
    {"ecosystem": "pypi", "name": "nunpy", "target": "numpy", "label": "1", "target_listed": "1"},
    {"ecosystem": "nuget", "name": "Jsonn", "target": "Json", "label": "1", "target_listed": "1"},
    {"ecosystem": "pypi", "name": "requests", "target": "", "label": "0", "target_listed": "1"},
    {"ecosystem": "pypi", "name": "lonely", "target": "", "label": "0", "target_listed": "0"},
    {"ecosystem": "github_actions", "name": "a/b", "target": "", "label": "0", "target_listed": "0"},
]
SCORED: dict[str, Any] = {
    "rows": 3,
    "recall": {"listed": 0.5},
    "fpr": {"tail": 0.02, "analyst": None},
    "by_category": {"edit2": [1, 2], "homoglyph": [0, 1]},
}


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A directory with one list."""
    place = tmp_path / "lists"
    place.mkdir()
    (place / "pypi.csv").write_text("rank,name,tier\n1,requests,protected\n")
    return place


@pytest.fixture
def on_list(lists: Path) -> listed.Listed:
    """Whether a name is on that list."""
    return listed.on([Library(lists).read(Ecosystem.PYPI)])


def test_listedness_is_said_anew_for_attacks(on_list: listed.Listed) -> None:
    """A target is listed in any spelling; other ecosystems and what is no name are not; other rows stay."""
    found = listed.relisted(ROWS, on_list)
    assert [row["target_listed"] for row in found] == ["1", "0", "0", "1", "0", "0"]
    assert [row["name"] for row in found] == [row["name"] for row in ROWS]
    assert not on_list("pypi", "")


def test_unseen_names_are_those_that_must_be_judged(on_list: listed.Listed) -> None:
    """Names on the list and ecosystems without one are left out."""
    found = listed.unseen(ROWS, on_list, [Ecosystem.PYPI])
    assert [row["name"] for row in found] == ["reqeusts", "nunpy", "lonely"]


def test_a_bench_that_was_written_reads_the_same(tmp_path: Path) -> None:
    """A bench that was written reads the same."""
    assert runs.rows_of(listed.write(ROWS, tmp_path / "new" / "bench.csv")) == ROWS


def test_the_command_line_makes_predictions(tmp_path: Path, lists: Path) -> None:
    """All rows that are scored get a line, under the spelling of the bench."""
    bench = listed.write(ROWS, tmp_path / "bench.csv")
    runs.scanned(lists)(bench, tmp_path / "bench.ndjson")
    answers = runs.answers_in(tmp_path / "bench.ndjson")
    assert list(answers) == [(row["ecosystem"], row["name"]) for row in ROWS[:-1]]
    assert answers["pypi", "reqeusts"]["targets"] == ["requests"]
    assert "verdict" not in answers["nuget", "Jsonn"]


def test_a_scan_that_fails_says_why(tmp_path: Path) -> None:
    """Where the command line fails, its own words are in the message."""
    bench = listed.write(ROWS, tmp_path / "bench.csv")
    with pytest.raises(NotRun, match=r"typosentinel scan ended with 2:(.|\n)*it holds no list"):
        runs.scanned(tmp_path / "none")(bench, tmp_path / "bench.ndjson")


def test_the_scorer_is_a_program_of_its_own(tmp_path: Path) -> None:
    """The scorer is given bench and predictions; what it prints is the score, and its failure is said."""
    scorer = tmp_path / "score.py"
    scorer.write_text("import json, sys; print(json.dumps({'given': sys.argv[1:]}))")
    bench, predictions = tmp_path / "b.csv", tmp_path / "p.ndjson"
    assert runs.score(scorer, bench, predictions) == {"given": [str(bench), str(predictions)]}
    scorer.write_text("raise SystemExit('no such column')")
    with pytest.raises(NotRun, match=r"score\.py ended with 1:\nno such column"):
        runs.score(scorer, bench, predictions)
    scorer.write_text("print('hello')")
    with pytest.raises(NotRun, match=r"score\.py printed no JSON"):
        runs.score(scorer, bench, predictions)


def test_figures_have_dotted_names() -> None:
    """Figures have dotted names; counts are no figures."""
    assert tables.figures_of(SCORED) == {"rows": 3, "recall.listed": 0.5, "fpr.tail": 0.02, "fpr.analyst": None}


def test_only_a_run_with_bounds_is_marked() -> None:
    """What is wanted stands once; only figures of a run with bounds are marked."""
    figures = tables.figures_of(SCORED)
    table = tables.score_table([("ours", figures, tables.WANTED), ("other", figures, {})]).splitlines()
    assert table[0].split() == ["figure", "wanted", "ours", "other"]
    assert [line.split() for line in table[2:]] == [
        ["rows", "3", "3"],
        ["recall.listed", "at", "least", "0.78", "0.5000", "SHORT", "0.5000"],
        ["fpr.tail", "at", "most", "0.01", "0.0200", "SHORT", "0.0200"],
        ["fpr.analyst", "at", "most", "0.03", "-", "-"],
    ]


def test_counts_stand_side_by_side() -> None:
    """Counts of all runs stand side by side, also of a class that one of them has not."""
    other = {"by_category": {"homoglyph": [1, 1]}}
    assert tables.counts_table("class", "by_category", [("a", SCORED), ("b", other)]).splitlines() == [
        "class           a       b",
        "-------------------------",
        "edit2      1 of 2       -",
        "homoglyph  0 of 1  1 of 1",
    ]


def synth(*rows: tuple[str, str, str | None]) -> tables.Shares:
    """Shares of generated names, given as category, ecosystem and verdict (None: refused)."""
    asked = [{"ecosystem": e, "name": f"n{n}", "category": f"synth_{c}"} for n, (c, e, _) in enumerate(rows)]
    said = [json.dumps({} if verdict is None else {"verdict": verdict}) for _, _, verdict in rows]
    answers = {(e, f"n{n}"): json.loads(said[n]) for n, (_, e, _) in enumerate(rows)}
    return tables.shares(asked, answers)


def test_a_refusal_and_a_missing_answer_are_no_flags() -> None:
    """Suspicious counts in both shares, an advisory in the second; clean, refused and missing in neither."""
    verdicts = ["suspicious", "malicious", "advisory", "clean", None]
    found = synth(*(("omission", "go", verdict) for verdict in verdicts))
    assert found == {"omission": {"go": (0.4, 0.6)}}
    assert tables.shares([{"ecosystem": "go", "name": "x", "category": "synth_plural"}], {}) == {
        "plural": {"go": (0.0, 0.0)}
    }


def test_single_edits_are_bounded_where_no_labels_exist() -> None:
    """Single edits of crates, Go, Maven and NuGet have bounds; other classes and ecosystems have none."""
    found = synth(
        ("omission", "go", "clean"),
        ("omission", "npm", "clean"),
        ("edit2", "go", "clean"),
        ("homoglyph", "maven", "suspicious"),
    )
    assert tables.single_edits(found) == {"synth.omission.go": 0.0, "synth.homoglyph.maven": 1.0}
    assert [line.split() for line in tables.synth_table(found).splitlines()[2:]] == [
        ["omission", "0.00/0.00*", "0.00/0.00", "-"],
        ["edit2", "0.00/0.00", "-", "-"],
        ["homoglyph", "-", "-", "1.00/1.00"],
    ]


def test_every_group_is_fitted_or_stated() -> None:
    """One or the other; what is stated is written as it stands, a weight for each range."""
    fits = {
        group: Fit(1.0, {name: (0.5,) * (len(column.cuts) + 1) for name, column in signs.items()})
        for group, signs in DESIGN.items()
    }
    cards = learn.scorecard(fits).cards

    assert (set(cards), set(DESIGN) & set(STATED)) == (set(Group), set())
    for group, (start, signs) in STATED.items():
        assert cards[group].start == start
        assert {name: sign.weights for name, sign in cards[group].signs.items()} == {
            n: w for n, (_, w) in signs.items()
        }
        assert all(len(weights) == len(column.cuts) + 1 for column, weights in signs.values())
