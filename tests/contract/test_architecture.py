"""What holds of the whole tree."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400
SOURCES = sorted(path for folder in ("operator", "server") for path in (ROOT / folder).rglob("*.py"))
OPERATOR = "typosentinel_operator"
SERVER = "typosentinel_server"


def tracked() -> list[Path]:
    """Every file that git knows and that is there."""
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).is_file()]


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_there_are_sources() -> None:
    """An empty list would make the other tests say nothing."""
    assert len([path for path in SOURCES if OPERATOR in path.parts]) > 20
    assert len([path for path in SOURCES if SERVER in path.parts]) > 20


def test_no_room_is_too_long() -> None:
    """Above 400 lines nobody can say what a file is about."""
    too_long = {str(path.relative_to(ROOT)) for path in SOURCES if len(path.read_text().splitlines()) > LONGEST}
    assert too_long == set()


@pytest.mark.parametrize(("package", "other"), [(OPERATOR, SERVER), (SERVER, OPERATOR)])
def test_operator_and_server_never_import_each_other(package: str, other: str) -> None:
    """They meet only in data, so that either can be replaced."""
    guilty = [path for path in SOURCES if package in path.parts and other in imported(path)]
    assert guilty == []


def test_no_package_is_called_operator() -> None:
    """It would shadow the standard library's."""
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert not (ROOT / "server" / "__init__.py").exists()


def test_nothing_points_to_one_machine_or_one_registry() -> None:
    """A path of somebody's workplace or the address of a package index means nothing to anybody else."""
    paths = [f"/{folder}/" for folder in ("work", "root")]
    hosts = [
        ".".join(parts)
        for parts in (
            ("pypi", "org"),
            ("registry", "npmjs", "org"),
            ("proxy", "golang", "org"),
            ("deb", "debian", "org"),
            ("files", "pythonhosted", "org"),
        )
    ]
    # A path begins a word; within one it belongs to a longer path.
    patterns = [rf"(?<![\w.}}~-]){re.escape(path)}" for path in paths] + [rf"\b{re.escape(host)}\b" for host in hosts]
    pattern = re.compile("|".join(patterns))
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = enumerate(text.splitlines(), 1)
        found += [f"{path.relative_to(ROOT)}:{n}: {line.strip()[:120]}" for n, line in lines if pattern.search(line)]
    assert found == []


def test_nothing_is_left_to_do_later() -> None:
    """What is not done is an issue, not a comment."""
    marks = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
    suffixes = {".py", ".yaml", ".yml", ".tpl", ".sh", ".go"}
    guilty = [path for path in tracked() if path.suffix in suffixes and marks.search(path.read_text())]
    assert [path for path in guilty if path != ROOT / "pyproject.toml"] == []


def test_wheels_hold_what_the_packages_read() -> None:
    """A file beside the modules that no glob names is there in a checkout, and missing where it is installed."""
    globs = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for folder, package in (("operator", OPERATOR), ("server", SERVER)):
        top = ROOT / folder / package
        data = [path for path in tracked() if path.is_relative_to(top) and path.suffix not in {".py", ".c"}]
        assert data
        for path in data:
            assert any(path.relative_to(top).match(glob) for glob in globs[package]), path
