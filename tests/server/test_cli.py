"""The command line, as a user and as a script see it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commanding import Run

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"


def test_text_is_aligned_and_says_why(run: Run) -> None:
    """Name, verdict, score, sentence; a clean name says why it is clean."""
    result = run.scan("reqeusts", "requests", "entirely-different", "a/b")

    assert result.stdout == (
        'reqeusts            suspicious 0.99  two neighbouring letters of "requests" (rank 2) are swapped\n'
        "requests            clean      0.00  on the list (rank 2)\n"
        "entirely-different  clean      0.00  not known as popular, nothing similar found\n"
        'a/b                 refused       -  "a/b" cannot be a package in PyPI. PyPI names are letters, digits, '
        "'.', '_' and '-', with a letter or digit at both ends.\n"
    )
    assert result.exit_code == 0


def test_clean_name_near_a_popular_one_has_its_excuse_told(run: Run) -> None:
    """Somebody who looks twice at a clean name learns what was seen and why it was let pass."""
    assert re.fullmatch(
        r'flak  clean      0\.\d\d  "s" is left out of "flask" \(rank 6\), but .+\n', run.scan("flak").stdout
    )


def test_json_holds_everything(run: Run) -> None:
    """Findings and contributions, in one array."""
    found = json.loads(run.scan("-e", "npm", "--format", "json", "lodahs").stdout)

    assert [(f["ecosystem"], f["name"], f["verdict"], f["targets"]) for f in found] == [
        ("npm", "lodahs", "suspicious", ["lodash"])
    ]
    assert found[0]["findings"][0]["technique"] == "transposition"
    assert found[0]["findings"][0]["contributions"]


def test_standard_input_is_a_stream_of_lines(run: Run) -> None:
    """Ecosystems per line, spelt as the asker spells them; a line without one takes the option's."""
    result = run.scan("--stdin", stdin="pypi\treqeusts\r\nnpm\tlodash\n\nflask\nnowhere\tx\nnpm\ta b\n")

    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(f["ecosystem"], f["name"], f.get("verdict")) for f in found] == [
        ("pypi", "reqeusts", "suspicious"),
        ("npm", "lodash", "clean"),
        ("PyPI", "flask", "clean"),
        ("nowhere", "x", None),
        ("npm", "a b", None),
    ]
    assert found[0]["targets"] == ["requests"]
    assert (found[1]["known"], found[1]["score"]) == (True, 0.0)
    assert [f["refusal"]["code"] for f in found[3:]] == ["UNKNOWN_ECOSYSTEM", "NAME_HAS_INVISIBLE_CHARACTER"]
    assert result.exit_code == 0


def test_any_bytes_on_standard_input_are_answered_line_by_line(run: Run) -> None:
    """Broken UTF-8, NUL and endless names are refusals, and the lines after them are judged."""
    result = run.scan("--stdin", stdin=b"npm\t\xff\xfe\nnpm\ta\x00\nnpm\t" + b"a" * 100_000 + b"\nnpm\tlodahs\n")

    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert ["refusal" in f for f in found] == [True, True, True, False]
    assert found[3]["verdict"] == "suspicious"


@pytest.mark.parametrize(
    ("fail_on", "name", "code"),
    [
        ("never", "reqeusts", 0),
        ("suspicious", "reqeusts", 1),
        ("advisory", "reqeusts", 1),
        ("malicious", "reqeusts", 0),
        ("advisory", "requests", 0),
        ("malicious", "req\u200buests", 1),
        ("suspicious", "a/b", 1),
        ("never", "a/b", 0),
    ],
)
def test_exit_code_follows_fail_on(run: Run, fail_on: str, name: str, code: int) -> None:
    """From the given verdict on the exit code is 1, for names and for standard input."""
    assert run.scan("--fail-on", fail_on, name).exit_code == code
    assert run.scan("--fail-on", fail_on, "--stdin", stdin=f"PyPI\t{name}\nPyPI\trequests\n").exit_code == code


def test_names_that_nobody_judged_are_counted_where_it_matters(run: Run) -> None:
    """With --fail-on they count as reaching it, which standard error says; without it they are no failure."""
    for form in ("json", "ndjson", "text"):
        strict = run.scan("--stdin", "--format", form, "--fail-on", "suspicious", stdin="nowhere\ta\nPyPI\trequests\n")
        assert (strict.exit_code, strict.stderr) == (1, "refused names, which count as reaching --fail-on: 1\n")
    loose = run.scan("--stdin", stdin="nowhere\ta\n")

    assert (loose.exit_code, loose.stderr) == (0, "")


def test_mark_of_byte_order_is_no_part_of_a_name(run: Run) -> None:
    """Some editors begin a file with it."""
    found = [json.loads(line) for line in run.scan("--stdin", stdin=b"\xef\xbb\xbfreqeusts\n").stdout.splitlines()]

    assert [(f["name"], f["verdict"]) for f in found] == [("reqeusts", "suspicious")]


def test_stream_is_json_to_strict_readers_whatever_comes_in(run: Run) -> None:
    """No half of a character stands in it alone."""
    result = run.scan("--stdin", stdin=b"npm\t\xff\nno\xff\ta\n")

    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(f["ecosystem"], f["name"]) for f in found] == [("npm", "\ufffd"), ("no\ufffd", "a")]
    assert json.dumps(found, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scan",), "give names, or --stdin, and not both"),
        (("scan", "--stdin", "a"), "give names, or --stdin, and not both"),
        (("scan", "-e", "pypy", "a"), 'there is no ecosystem "pypy"'),
        (("scan", "--corpus", "/nowhere", "a"), "cannot read popular names from /nowhere"),
        (("scan", "--server", "nowhere", "a"), "it is no http:// or https:// address"),
        (("scan", "--server", "http://127.0.0.1:1", "a"), "no answer from"),
        (("serve", "--config", "/nowhere.yaml"), "/nowhere.yaml:1: document: No such file or directory"),
        (("serve", "--port", "70000"), "70000"),
        (("config", "check", "/nowhere.yaml"), "/nowhere.yaml:1: document: No such file or directory"),
        (("scn", "a"), "Did you mean scan?"),
        (("scan", "--corpus", "a" * 300, "a"), "File name too long"),
        (("scan", "--server", "http://exa mple", "a"), "no answer from"),
        (("scan", "--server", "http://a..b/", "a"), "no answer from"),
        (("scan", "--server", "http://127.0.0.1:1/\u00fc", "a"), "no answer from"),
        (("serve", "--host", ""), "0.0.0.0 stands for every one"),
        (("serve", "--name", "a\nb"), "a name is printable ASCII"),
        (("serve", "--name", "n\u00e4me"), "a name is printable ASCII"),
    ],
)
def test_wrong_calls_exit_with_2_and_say_what_to_do(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """A sentence on standard error, nothing on standard output, no traceback."""
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_ecosystem_without_a_list_is_a_failure_not_a_clean_name(run: Run) -> None:
    """Nothing was judged, so a pipeline must not go on."""
    result = run.scan("-e", "nuget", "a")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no list of popular names for NuGet" in result.stderr


def test_terminal_tricks_are_defused(run: Run) -> None:
    """Escape sequences in a name, and in what an error quotes, come out as text."""
    assert "\x1b" not in run.scan("a\x1b[31mb").stdout
    assert run.scan("-e", "a\x07\x1b[31mb\u202e", "c").stderr.startswith(
        'error: there is no ecosystem "a\\x07\\x1b[31mb\\u202e"\n'
    )


def test_corpus_info_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    """Counts, dates and versions, and what vouches for nothing; and loudly what cannot be judged."""
    result = run("corpus", "info")
    (tmp_path / "npm.csv").write_text("rank,name,tier\n1,lodash,known\n", "utf-8")
    less = run("corpus", "info", "--corpus", str(tmp_path))

    assert "PyPI         15000      5000  2026-" in result.stdout
    assert "partial, no ranks, none vouched for" in next(line for line in result.stdout.splitlines() if "NuGet" in line)
    assert "No list" not in result.stdout
    assert "No list for PyPI, crates.io, RubyGems, NuGet, Go, Maven: names there cannot be judged." in less.stdout


def test_config_check_approves_and_refuses(run: Run, tmp_path: Path) -> None:
    """The hash is the one that the server reports; a mistake has file, line and field."""
    path = tmp_path / "c.yaml"
    path.write_text(HEAD, encoding="utf-8")
    assert f"{path} is right (sha256:" in run("config", "check", str(path)).stdout
    path.write_text(HEAD + "logLevel: Loud\n", encoding="utf-8")
    refused = run("config", "check", str(path))

    assert refused.exit_code == 2
    assert f'{path}:3: logLevel: "Loud" is no log level' in refused.stderr


def test_every_command_has_help_with_examples(run: Run) -> None:
    """A newcomer finds the way from the help alone."""
    assert run("--version").stdout.startswith("typosentinel, version ")
    for command in ((), ("scan",), ("serve",), ("methods",), ("benchmark",)):
        assert "Examples:" in run(*command, "--help").stdout


def test_scan_loads_no_web_server() -> None:
    """A local scan starts fast because it leaves the heavy parts alone."""
    script = (
        "import sys, time; from typosentinel_server.cli import program; "
        "from typosentinel_server.clock import Clock; "
        "program(['scan', 'requests'], standalone_mode=False, obj=Clock(time.time, time.monotonic)); "
        "print(sorted({'aiohttp', 'pydantic', 'prometheus_client', 'rich', 'structlog'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
