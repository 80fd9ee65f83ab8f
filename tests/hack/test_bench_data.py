from pathlib import Path

import pytest
from hack.bench import data
from hack.bench.data import NotRun

from typosentinel_server.errors import CorpusUnreadable


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    """A directory with all files that are wanted, empty."""
    for name in data.FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_complete_directory_is_found(complete: Path) -> None:
    """A complete directory is found."""
    found = data.locate({"BENCH_DATA": str(complete)})
    assert found.dev == complete / "bench_dev.csv"
    assert found.corpora == complete / "corpora"


@pytest.mark.parametrize("environment", [{}, {"BENCH_DATA": ""}])
def test_an_unset_variable_says_what_to_set(environment: dict[str, str]) -> None:
    """Without the variable the message says what to set, and to what."""
    with pytest.raises(NotRun, match=r"BENCH_DATA is not set(.|\n)*bench_dev.csv.*score.py.*corpora/maven.csv"):
        data.locate(environment)


def test_an_incomplete_directory_names_what_it_lacks(complete: Path) -> None:
    """Of an incomplete directory the message names what it lacks."""
    (complete / "score.py").unlink()
    (complete / "corpora" / "go.csv").unlink()
    with pytest.raises(NotRun, match=r"has no score.py, corpora/go.csv\."):
        data.locate({"BENCH_DATA": str(complete)})


def test_what_was_not_run_ends_with_2_and_says_so(
    complete: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without data, without a tool and with a damaged list a target ends with 2 and a message; else with 0."""
    asked: list[data.Data] = []

    def fails(_: data.Data) -> None:
        raise CorpusUnreadable("CORPUS_UNREADABLE", "the list is damaged", "Mend it.")

    monkeypatch.delenv("BENCH_DATA", raising=False)
    assert data.main("bench-x", asked.append) == 2
    assert capsys.readouterr().err.startswith("*** make bench-x was NOT RUN: BENCH_DATA is not set.")
    monkeypatch.setenv("BENCH_DATA", str(complete))
    assert data.main("bench-x", fails) == 2
    assert "NOT RUN: the list is damaged.\nMend it.\n" in capsys.readouterr().err
    assert asked == []
    assert data.main("bench-x", asked.append) == 0
    assert [found.directory for found in asked] == [complete]
