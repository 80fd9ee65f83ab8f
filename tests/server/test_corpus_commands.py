"""`typosentinel corpus build | info | update | diff`."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from commanding import Run
from origin import CREATED, Origin, archive, bundle_files
from typosentinel_server.bundles.archive import pack
from typosentinel_server.engines import Library
from typosentinel_server.scan.model import Ecosystem

NAMES = "requests\n# the next one is the same\nNumPy\nnumpy\nno name\n\nflask\nsix\n"
TABLE = "rank,name,tier,downloads\n2,react,known,9\n1,lodash,protected,10\n,left-pad,known,\n"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A directory with lists as people have them."""
    (tmp_path / "top.txt").write_text(NAMES)
    (tmp_path / "npm.csv").write_text(TABLE)
    return tmp_path


def listed(directory: Path, ecosystem: Ecosystem) -> list[tuple[str, int | None, bool]]:
    """Name, rank and protection of a list's entries."""
    entries = Library(directory).read(ecosystem).entries
    return [(entry.name.raw, entry.rank, entry.protected) for entry in entries]


def test_build_normalises_drops_and_says_so(run: Run, given: Path) -> None:
    """Plain names in order, CSV by its ranks and tiers; what is left out is counted and shown."""
    out = given / "out"
    done = run("corpus", "build", "--out", str(out), f"pypi={given / 'top.txt'}", f"npm={given / 'npm.csv'}")

    assert done.exit_code == 0, done.stderr
    assert "PyPI: 4 names, 2 of them protected (the first 2)" in done.stdout
    assert "1 left out: there already" in done.stdout
    assert '1 left out: no names of packages there, such as "no name"' in done.stdout
    assert listed(out, Ecosystem.PYPI) == [
        ("requests", 1, True),
        ("NumPy", 2, True),
        ("flask", 5, False),
        ("six", 6, False),
    ]
    assert listed(out, Ecosystem.NPM) == [("lodash", 1, True), ("react", 2, False), ("left-pad", None, False)]
    facts = json.loads((out / "manifest.json").read_text())["corpora"]["PyPI"]
    assert facts["sources"] == [{"name": "top.txt", "sha256": hashlib.sha256(NAMES.encode()).hexdigest()}]


def test_build_can_be_told_better(run: Run, given: Path) -> None:
    """Share of protected names, lists without an order, lists far from complete, and the date."""
    out = given / "out"
    options = ("--protected", "50", "--unordered", "pypi", "--partial", "npm", "--created", "2026-05-01")
    done = run("corpus", "build", "--out", str(out), *options, f"pypi={given / 'top.txt'}", f"npm={given / 'npm.csv'}")
    npm = Library(out).read(Ecosystem.NPM)

    assert done.exit_code == 0, done.stderr
    assert {(rank, protected) for _, rank, protected in listed(out, Ecosystem.PYPI)} == {(None, True)}
    assert [entry.protected for entry in npm.entries] == [True, False, False]
    assert (npm.created, npm.partial) == (CREATED, True)


def test_build_makes_an_archive_with_its_checksum(run: Run, given: Path) -> None:
    """Ready to be put on a web server; `sha256sum -c` agrees; the same input gives the same bytes."""
    seen = []
    for name in ("a.tar", "b.tar"):
        options = ("--created", "2026-05-01T00:00:00Z")
        done = run("corpus", "build", "--out", str(given / name), *options, f"pypi={given / 'top.txt'}")
        assert done.exit_code == 0, done.stderr
        seen.append((given / name).read_bytes())
        said = f"{hashlib.sha256(seen[-1]).hexdigest()}  {name}\n"
        assert (given / f"{name}.sha256").read_text() == said

    assert seen[0] == seen[1]
    assert "verified by manifest.json" in run("corpus", "info", "--corpus", str(given / "a.tar")).stdout


def test_build_replaces_an_older_bundle(run: Run, given: Path) -> None:
    """A list that lay there under the other ending does not stay and win."""
    out = given / "out"
    out.mkdir()
    (out / "pypi.csv").write_text("rank,name\n1,old\n")
    run("corpus", "build", "--out", str(out), f"pypi={given / 'top.txt'}")

    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "pypi.csv.xz"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pypi",), "is not of the form ECOSYSTEM=FILE"),
        (("pypy={}/top.txt",), 'there is no ecosystem "pypy"'),
        (("pypi={}/top.txt", "PyPI={}/npm.csv"), "PyPI is named twice"),
        (("pypi={}/nothing",), "No such file"),
        (("pypi={}/top.txt", "--unordered", "npm"), "npm is not among the lists"),
        (("maven={}/top.txt",), "none of its 6 rows is a name that Maven allows"),
        (("pypi={}/empty",), "it is empty"),
        (("pypi={}/bytes",), "it is not UTF-8"),
        (("npm={}/ranks.csv",), 'row 1 has the rank "first", which is no whole number'),
        (("pypi={}/cut.xz",), "cut off"),
        (("pypi={}/top.txt", "--created", "soon"), "soon"),
    ],
)
def test_build_refuses_with_a_reason(run: Run, given: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, a sentence, and nothing is written."""
    (given / "empty").write_bytes(b"")
    (given / "bytes").write_bytes(b"\xff\xfe")
    (given / "ranks.csv").write_text("rank,name\nfirst,react\n")
    (given / "cut.xz").write_bytes(b"\xfd7zXZ\x00\x00")
    done = run("corpus", "build", "--out", str(given / "out"), *(a.format(given) for a in arguments))

    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (given / "out").exists()


def test_info_as_json_says_everything(run: Run, given: Path) -> None:
    """For programs: source, versions, dates, counts, what is partial and what is missing."""
    run("corpus", "build", "--out", str(given / "o"), "--created", "2026-05-01", f"npm={given / 'npm.csv'}")
    found = json.loads(run("corpus", "info", "--corpus", str(given / "o"), "--format", "json").stdout)
    (npm,) = found.pop("lists")

    assert npm | {"version": ""} == {
        "ecosystem": "npm",
        "version": "",
        "createdAt": "2026-05-01T00:00:00Z",
        "names": 3,
        "protected": 1,
        "ranked": True,
        "partial": False,
        "skipped": 0,
    }
    assert found == {
        "source": str(given / "o"),
        "vouchedBy": "manifest.json",
        "missing": ["PyPI", "crates.io", "RubyGems", "NuGet", "Go", "Maven"],
    }


def test_diff_tells_what_came_went_and_moved(run: Run, tmp_path: Path) -> None:
    """As text for people, with a bound, and as JSON for programs."""
    for name, rows in (("a", "1,a\n2,b\n3,c\n"), ("b", "1,b\n2,d\n3,c\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "npm.csv").write_text(f"rank,name,tier\n{rows}".replace("1,b", "1,b,protected"))
    text = run("corpus", "diff", str(tmp_path / "a"), str(tmp_path / "b")).stdout
    (found,) = json.loads(run("corpus", "diff", str(tmp_path / "a"), str(tmp_path / "b"), "--format", "json").stdout)

    assert text.splitlines() == [
        "npm: 3 names before, 3 after",
        "  1 added: d",
        "  1 removed: a",
        "  1 moved: b (2 to 1)",
        "  1 protected now: b",
    ]
    assert found == {
        "ecosystem": "npm",
        "before": 3,
        "after": 3,
        "added": ["d"],
        "removed": ["a"],
        "moved": [{"name": "b", "before": 2, "after": 1}],
        "newlyProtected": ["b"],
        "noLongerProtected": [],
    }


def test_diff_of_the_same_is_nothing(run: Run) -> None:
    """The built-in lists are named by a word."""
    lines = run("corpus", "diff", "builtin", "builtin").stdout.splitlines()

    assert lines[0] == "PyPI: 15000 names before, 15000 after; nothing differs"
    assert all(line.endswith("nothing differs") for line in lines)


def test_diff_is_bounded(run: Run, tmp_path: Path) -> None:
    """A list that is new has many names; two are shown."""
    (tmp_path / "npm.csv").write_text("name\n" + "".join(f"n{n}\n" for n in range(50)))
    (tmp_path / "x.tar").write_bytes(archive(3))
    lines = run("corpus", "diff", str(tmp_path / "x.tar"), str(tmp_path), "--limit", "2").stdout.splitlines()

    assert "  50 added: n0, n1, …" in lines
    assert "  3 removed: rails, package-0, …" in lines


def test_update_from_a_file_swaps_and_keeps_what_it_has(run: Run, tmp_path: Path) -> None:
    """A good archive is taken; damage, another hash and a great loss are not."""
    lists, file = tmp_path / "lists", tmp_path / "new.tar"
    file.write_bytes(archive(10))
    digest = hashlib.sha256(archive(10)).hexdigest()
    assert run("corpus", "update", str(lists), "--file", str(file), "--sha256", digest).exit_code == 0
    refusals = []
    for content, options in (
        (archive(10)[:900], ()),
        (archive(4), ()),
        (archive(12), ("--sha256", digest)),
        (pack(bundle_files(9) | {"manifest.json": bundle_files(8)["manifest.json"]}, CREATED), ()),
    ):
        file.write_bytes(content)
        done = run("corpus", "update", str(lists), "--file", str(file), *options)
        assert (done.exit_code, done.stdout) == (2, "")
        refusals.append(done.stderr)
        assert len(Library(lists).read(Ecosystem.RUBYGEMS).entries) == 10

    for said, wanted in zip(
        refusals, ("cut off", "shrank from 10 to 4", "it should be", "manifest.json says"), strict=True
    ):
        assert wanted in said
    file.write_bytes(archive(4))
    assert run("corpus", "update", str(lists), "--file", str(file), "--max-loss", "100").exit_code == 0
    assert len(Library(lists).read(Ecosystem.RUBYGEMS).entries) == 4


def test_update_replaces_what_cannot_be_read(run: Run, tmp_path: Path) -> None:
    """There is nothing to fall back on, which is said."""
    (tmp_path / "rubygems.csv").write_bytes(b"\xff")
    (tmp_path / "new.tar").write_bytes(archive(10))
    done = run("corpus", "update", str(tmp_path), "--file", str(tmp_path / "new.tar"))

    assert (done.exit_code, "what is there is replaced" in done.stderr) == (0, True)
    assert Library(tmp_path).ecosystems == (Ecosystem.RUBYGEMS,)


async def test_update_by_url_needs_a_checksum(run: Run, tmp_path: Path, origin: Origin) -> None:
    """From beside the archive, or given; without either nothing is taken."""
    origin.publish("/a.tar", archive(10))
    lists = str(tmp_path / "lists")
    done = await asyncio.to_thread(run, "corpus", "update", lists, "--url", origin.url("/a.tar"))
    assert done.exit_code == 0, done.stderr
    assert "1 lists from http://127.0.0.1" in done.stdout
    del origin.answers["/a.tar.sha256"]
    refused = await asyncio.to_thread(run, "corpus", "update", lists, "--url", origin.url("/a.tar"))
    given = ("--sha256", hashlib.sha256(archive(10)).hexdigest())

    assert (refused.exit_code, "a.tar.sha256: it answers 404" in refused.stderr) == (2, True)
    assert (
        await asyncio.to_thread(run, "corpus", "update", lists, "--url", origin.url("/a.tar"), *given)
    ).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --url or --file, and not both"),
        (("--url", "http://a/b", "--file", "c"), "give --url or --file, and not both"),
        (("--url", "file:///etc/passwd"), "is no http:// or https:// address of a file"),
        (("--url", "https://a:b@c/d"), "is no http:// or https:// address of a file"),
        (("--url", "http://a/b", "--sha256", "A" * 64), "64 hexadecimal digits"),
        (("--file", "/nowhere.tar"), "No such file"),
    ],
)
def test_update_refuses_wrong_calls(run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """With a sentence, and without touching the directory."""
    done = run("corpus", "update", str(tmp_path / "lists"), *arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (tmp_path / "lists").exists()
