"""The look into a finished image: what it finds, and what becomes of an image of which it finds something."""

import subprocess
import sys
from pathlib import Path

import pytest
from hack.cluster.failures import ClusterError
from hack.images.builders import demand_nothing, look
from hack.images.recipe import RECIPES, Recipe
from hack.images.within import unimportable, unstartable


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package of a name of its own, with nothing in it yet."""
    folder = tmp_path / f"looked_into_{tmp_path.name}"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_all_is_there(package: Path) -> None:
    """Modules within packages, too."""
    (package / "inner").mkdir()
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "leaf.py").write_text("import json")
    assert unimportable(package.name) == {}
    assert f"{package.name}.inner.leaf" in sys.modules


def test_what_is_missing_is_named_once(package: Path) -> None:
    """However many want it, and whatever else is wrong beside it."""
    (package / "inner").mkdir()
    (package / "inner" / "__init__.py").write_text("import no_such_module")
    (package / "last.py").write_text("from no_such_module.part import thing")
    (package / "other.py").write_text("from json import no_such_name")
    (package / "wrong.py").write_text("raise OSError('no file')")
    found = unimportable(package.name)
    assert found["module no_such_module is missing"] == f"{package.name}.inner"
    assert found["OSError: no file"] == f"{package.name}.wrong"
    assert [why.split(":")[0] for why in found] == ["module no_such_module is missing", "ImportError", "OSError"]


def test_a_package_that_is_not_there() -> None:
    """Is what is missing."""
    assert unimportable("no_such_package") == {"module no_such_package is missing": "no_such_package"}


def test_programs_start_or_say_why_not(tmp_path: Path) -> None:
    """With their last words, or the system's."""
    assert unstartable(Path(sys.executable)) is None
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho click is missing >&2\nexit 3\n")
    broken.chmod(0o755)
    assert unstartable(broken) == "ended with 3: click is missing"
    assert "No such file" in str(unstartable(tmp_path / "nowhere"))


@pytest.mark.parametrize("recipe", RECIPES, ids=[recipe.name for recipe in RECIPES])
def test_the_look_runs_by_itself(recipe: Recipe, tmp_path: Path) -> None:
    """From its text alone, as in an image, which has no `hack/`; this environment has all but the program's place."""
    _, *arguments = look(recipe)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=tmp_path, check=True)
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"/opt/typosentinel/bin/{recipe.program} does not start: ")


def test_an_image_of_which_something_is_amiss_is_refused() -> None:
    """In words that name it."""
    demand_nothing("localhost/x:1", "\n")
    with pytest.raises(ClusterError) as error:
        demand_nothing("localhost/x:1", "module async_timeout is missing (importing typosentinel_server.redislink)\n")
    assert "localhost/x:1" in error.value.report()
    assert "module async_timeout is missing" in error.value.report()
