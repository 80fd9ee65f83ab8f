import statistics
import sys
import tomllib
from pathlib import Path

import pytest
from hack.bench import contest, engine, rounds, typomania
from hack.bench.data import NotRun
from hack.bench.names import Query

from typosentinel_server.scan.model import Ecosystem

LOCK = """
[[package]]
name = "typomania-bench"
version = "0.0.0"

[[package]]
name = "either"
version = "1.19.0"
checksum = "aa"

[[package]]
name = "bitflip"
version = "0.1.0"
checksum = "bb"
"""
ECHO = """
import sys
print('{"load_ns": 1500000000}', flush=True)
asked = 0
for line in sys.stdin:
    if line.strip():
        asked += 1
    else:
        print(*range(asked), flush=True)
"""


def test_percentiles_are_in_microseconds_and_one_disturbed_round_does_not_count() -> None:
    """Percentiles are medians of the rounds', in microseconds."""
    calm, disturbed = list(range(1000, 102_000, 1000)), [10**9] * 101
    assert rounds.percentile_us([calm], 50) == 51.0
    assert rounds.percentile_us([calm, disturbed, calm], 99) == 100.0


def test_every_question_is_in_one_round() -> None:
    """Every question is in exactly one round."""
    queries = [Query(Ecosystem.PYPI, f"n{n}", f"n{n}") for n in range(13)]
    parts = rounds.chunks(queries, 5)
    assert len(parts) == 5
    assert sorted(query.raw for part in parts for query in part) == sorted(query.raw for query in queries)


def test_a_contestant_answers_chunk_by_chunk() -> None:
    """A contestant says when it is ready, answers chunk by chunk and has a size."""
    with contest.Contestant("echo", [sys.executable, "-c", ECHO]) as echo:
        assert echo.load_s == 1.5
        assert echo.ask([("pypi", "a"), ("pypi", "b"), ("npm", "c")]) == [0, 1, 2]
        assert echo.ask([("pypi", "d")]) == [0, 1, 2, 3]
        assert 1 < echo.rss_mb("RssAnon") < echo.rss_mb() < 100


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "print('{\"load_ns\": 1}'); raise SystemExit(3)"])
def test_a_dead_contestant_is_named(code: str) -> None:
    """A contestant that dies is named with its exit code, whether it was ready or not."""
    with (
        pytest.raises(NotRun, match="echo ended with 3"),
        contest.Contestant("echo", [sys.executable, "-c", code]) as c,
    ):
        c.ask([("pypi", "a")])


def test_bounds_are_the_agreed_ones_and_a_peer_of_the_same_run() -> None:
    """One bound is what typomania took; the figures that were agreed on are all there."""
    played = rounds.Rounds(
        taken={name: [[1000, 2000, 3000]] for name in ("ours", "typomania", "rapidfuzz", "symspellpy")},
        rates=[1.0, 3.0, 2.0],
        grown_mb=(50.0, 40.0),
    )
    figures = engine.figures(played, {"warm": 0.5, "cold": 0.6, "first": 1.6}, {"growth": 1.5})
    agreed = "p50_us p99_us names_per_s load_s grown_mb growth typomania_p50_us rapidfuzz_p50_us symspellpy_p99_us"
    assert set(agreed.split()) <= set(figures)
    assert figures["names_per_s"] == statistics.median([1.0, 3.0, 2.0])
    assert engine.wanted(figures)["p50_us"] == ("at most", 2.0)
    assert set(engine.wanted(figures)) <= set(figures)
    assert engine.peers_table(played).splitlines()[2].split()[:3] == ["ours", "3", "2.000"]


def test_crates_are_compared_with_their_sums() -> None:
    """Another version, another checksum, one too many and one too few: each is named."""
    assert typomania.unexpected(LOCK, "either 1.19.0 aa\nbitflip 0.1.0 bb\n") == []
    assert typomania.unexpected(LOCK, "either 1.19.0 aa\nbitflip 0.1.0 cc\n") == ["bitflip 0.1.0"]
    assert typomania.unexpected(LOCK, "either 1.18.0 aa\nbitflip 0.1.0 bb\n") == ["either 1.18.0", "either 1.19.0"]
    assert typomania.unexpected(LOCK, "either 1.19.0 aa\n") == ["bitflip 0.1.0"]


def test_every_crate_is_pinned_to_the_version_of_its_sum() -> None:
    """Cargo.toml pins exactly the crates and versions that crates.sum has checksums of."""
    manifest = tomllib.loads((typomania.SOURCE / "Cargo.toml").read_text())
    pinned = {name: wanted["version"] for name, wanted in manifest["dependencies"].items()}
    sums = [line.split() for line in (typomania.SOURCE / "crates.sum").read_text().splitlines()]
    assert pinned == {name: f"={version}" for name, version, _ in sums}
    assert all(len(checksum) == 64 for _, _, checksum in sums)


def test_a_missing_cargo_says_what_to_install(tmp_path: Path) -> None:
    """Without cargo the message says so; where it is on the PATH or where rustup puts it, it is found."""
    nowhere = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    with pytest.raises(NotRun, match="cargo, which builds the peer typomania, was not found"):
        typomania.find_cargo(nowhere)
    cargo = tmp_path / ".cargo" / "bin" / "cargo"
    cargo.parent.mkdir(parents=True)
    cargo.write_text("#!/bin/sh\n")
    cargo.chmod(0o755)
    assert typomania.find_cargo(nowhere) == str(cargo)
    assert typomania.find_cargo({"PATH": str(cargo.parent)}) == str(cargo)


@pytest.mark.parametrize("name", ["ours", "ours-batch", "idle"])
def test_our_contestants_answer_on_real_lists(name: str, tmp_path: Path) -> None:
    """Ours give a figure a name, or one a chunk; a name that is refused is answered too."""
    (tmp_path / "pypi.csv").write_text("rank,name,tier\n1,requests,protected\n")
    with contest.python(name, tmp_path) as contestant:
        taken = contestant.ask([("pypi", "reqeusts"), ("pypi", "日本")])
    assert len(taken) == (1 if name == "ours-batch" else 2)
    assert all(figure > 0 for figure in taken) is (name != "idle")


@pytest.mark.parametrize("name", ["rapidfuzz", "symspellpy"])
def test_python_peers_answer_on_normalised_lists(name: str, tmp_path: Path) -> None:
    """Peers answer a figure a name."""
    (tmp_path / "pypi.txt").write_text("requests\nnumpy\n")
    with contest.python(name, tmp_path) as contestant:
        assert all(figure > 0 for figure in contestant.ask([("pypi", "reqeusts"), ("pypi", "zzzzzzzz")]))
