"""The project's own wheel: compiled where that works, as it is written where not, and never without a word."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hack.cluster.failures import ClusterError
from hack.images import wheels
from hack.images.recipe import REPOSITORY


class Pip:
    """Builds empty wheels, and none that are to be compiled where there is no compiler."""

    def __init__(self, *, compiler: bool) -> None:
        self.compiler = compiler
        self.asked: list[bool] = []

    def __call__(self, arguments: Sequence[str], what: str, environment: Mapping[str, str] | None = None) -> None:
        """As `_pip`."""
        compiled = (environment or {}).get("TYPOSENTINEL_COMPILE") == "1"
        self.asked.append(compiled)
        if compiled and not self.compiler:
            raise ClusterError(f"{what}: pip ended with 1")
        folder = Path(arguments[arguments.index("--wheel-dir") + 1])
        folder.mkdir()
        Path(folder, "typosentinel-0-py3-none-any.whl").touch()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of one file."""
    root = tmp_path / "checkout"
    root.mkdir()
    shutil.copy(REPOSITORY / "setup.py", root)
    monkeypatch.setattr(wheels, "REPOSITORY", root)
    monkeypatch.setattr(wheels, "sources", lambda: [root / "setup.py"])
    environment = root / ".venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").touch()
    return root


@pytest.mark.parametrize("compiler", [True, False])
def test_without_a_compiler_the_sources_are_packed_and_that_is_said(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, compiler: bool
) -> None:
    """An image is better than none."""
    monkeypatch.setattr(wheels, "PYTHON", "{}.{}".format(*sys.version_info))
    pip = Pip(compiler=compiler)
    monkeypatch.setattr(wheels, "_pip", pip)
    folder = wheels.project(tmp_path / "cache")
    assert [file.name for file in folder.iterdir()] == ["typosentinel-0-py3-none-any.whl"]
    assert pip.asked == ([True] if compiler else [True, False])
    said = capsys.readouterr()
    assert ("Is there a C compiler?" in said.out + said.err) is not compiler


def test_for_another_python_nothing_is_compiled(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mypyc makes is for one version."""
    monkeypatch.setattr(wheels, "PYTHON", "3.2")
    pip = Pip(compiler=True)
    monkeypatch.setattr(wheels, "_pip", pip)
    wheels.project(tmp_path / "cache")
    assert pip.asked == [False]
