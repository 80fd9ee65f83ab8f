"""`typosentinel benchmark`, as a user and as a script see it."""

import json
from pathlib import Path

import pytest

from commanding import Run

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "docs" / "examples" / "benchmark.csv"
CONTENT = """\
ecosystem,name,target,label,category
pypi,reqeusts,requests,1,swap
npm,lodahs,lodash,1,swap
npm,lodash-helper,lodash,1,word
PyPI,flask,,0,popular
pypy,x,y,1,swap
npm,moment,,maybe,popular
nuget,Newtonsoft.Json,,0,popular
PyPI,a b,,0,popular
"""
COUNTS = """\
5 names judged: 3 attacks, 2 honest
refused by their registry's rules, counted as not flagged: 1
left out, for there is no list for NuGet: 1
wrong rows left out: 2

                        suspicious                or advisory
precision               1.0000 (3 of 3)           1.0000 (3 of 3)
recall                  1.0000 (3 of 3)           1.0000 (3 of 3)
false positives         0.0000 (0 of 2)           0.0000 (0 of 2)
right target first      1.0000 (3 of 3)           1.0000 (3 of 3)

CATEGORY  LABEL     ROWS  SUSPICIOUS  OR ADVISORY
swap      attack       2       1.000        1.000
word      attack       1       1.000        1.000
popular   honest       2       0.000        0.000

ECOSYSTEM  LABEL     ROWS  SUSPICIOUS  OR ADVISORY
PyPI       attack       1       1.000        1.000
npm        attack       2       1.000        1.000
PyPI       honest       2       0.000        0.000

speed: """


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file with right and wrong rows."""
    path = tmp_path / "names.csv"
    path.write_text(CONTENT, encoding="utf-8")
    return path


def test_text_says_all_there_is_to_say(run: Run, lists: Path, data: Path) -> None:
    """Counts, figures, tables, speed; wrong rows by line on standard error."""
    result = run("benchmark", "--data", str(data), "--corpus", str(lists))

    assert result.exit_code == 0
    assert result.stdout.startswith(COUNTS)
    assert result.stdout.endswith("(3 names that are on no list)\n")
    assert result.stderr == (
        'line 6 is left out: there is no ecosystem "pypy"\n'
        'line 7 is left out: the label is "maybe"; it is 1 for an attack, 0 for an honest name\n'
    )


def test_json_says_the_same(run: Run, lists: Path, data: Path) -> None:
    """With numbers for programs."""
    found = json.loads(run("benchmark", "--data", str(data), "--corpus", str(lists), "--format", "json").stdout)

    assert (found["attacks"], found["honest"], found["refused"], found["notJudged"]) == (3, 2, 1, {"NuGet": 1})
    assert found["wrongRows"]["count"] == 2
    assert found["wrongRows"]["first"][0] == {"line": 6, "reason": 'there is no ecosystem "pypy"'}
    assert found["suspicious"] == {
        "precision": 1.0,
        "recall": 1.0,
        "falsePositiveRate": 0.0,
        "targetFirst": 1.0,
        "truePositives": 3,
        "falsePositives": 0,
    }
    assert found["categories"][1] == {"name": "word", "label": 1, "rows": 1, "suspicious": 1.0, "advisory": 1.0}
    assert found["speed"]["names"] == 3
    assert 0 < found["speed"]["p50Microseconds"] <= found["speed"]["p99Microseconds"]
    assert found["speed"]["namesPerSecond"] > 0


def test_methods_restrict_what_counts(run: Run, lists: Path, data: Path) -> None:
    """Spaces after a comma are no part of a name."""
    arguments = ("benchmark", "--data", str(data), "--corpus", str(lists), "--format", "json", "--methods")
    none, both = (json.loads(run(*arguments, m).stdout) for m in ("omission", "omission, transposition"))

    assert (none["suspicious"]["recall"], none["suspicious"]["precision"]) == (0.0, None)
    assert both["suspicious"]["recall"] == 0.66667


def test_many_wrong_rows_are_counted_not_listed(run: Run, lists: Path, tmp_path: Path) -> None:
    """Nobody reads thousands of lines."""
    path = tmp_path / "names.csv"
    path.write_text("ecosystem,name,target,label\nnpm,x,,0\n" + "pypy,x,,0\n" * 1000, encoding="utf-8")
    lines = run("benchmark", "--data", str(path), "--corpus", str(lists)).stderr.splitlines()

    assert (len(lines), lines[-1]) == (21, "and 980 more wrong rows are left out")


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, (), "No such file or directory"),
        ("name\nx\n", (), "it has no column called ecosystem, target, label"),
        ("ecosystem,name,target,label\n", (), "no row of"),
        ("ecosystem,name,target,label\nnuget,x,y,1\n", (), "no row of"),
        (CONTENT, ("--methods", "omision"), "Did you mean omission?"),
        (CONTENT, ("--methods", ""), 'there is no method ""'),
        (CONTENT, ("--corpus", "/nowhere"), "cannot read popular names from /nowhere"),
    ],
)
def test_wrong_calls_exit_with_2_and_say_what_to_do(
    run: Run, lists: Path, tmp_path: Path, content: str | None, arguments: tuple[str, ...], said: str
) -> None:
    """Nothing on standard output, no traceback."""
    path = tmp_path / "names.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = run("benchmark", "--data", str(path), "--corpus", str(lists), *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.timeout(30)
def test_sample_that_newcomers_try_works(run: Run) -> None:
    """All its rows are right, and single edits are found on the built-in lists without alarms on honest names."""
    result = run("benchmark", "--data", str(SAMPLE), "--format", "json")
    found = json.loads(result.stdout)
    recall = {group["name"]: group["suspicious"] for group in found["categories"] if group["label"]}

    assert (result.exit_code, result.stderr, found["refused"], found["notJudged"]) == (0, "", 0, {})
    assert min(recall.pop(name) for name in ("transposition", "omission", "repetition")) > 0.8
    assert found["suspicious"]["falsePositiveRate"] < 0.05
    assert found["suspicious"]["targetFirst"] > 0.9
