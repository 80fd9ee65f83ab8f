from pathlib import Path

import pytest
from hack.images import rootfs
from hack.images.recipe import RECIPES, REPOSITORY, project_version, sources


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout to name images for."""
    for name, text in {
        "Containerfile.operator": "FROM x",
        "Containerfile.server": "FROM y",
        "requirements/operator.txt": "a==1",
        "requirements/server.txt": "b==1",
        "requirements/images.txt": "pip==1",
        "pyproject.toml": 'version = "1.2.3"\n',
        "operator/typosentinel_operator/main.py": "1",
        "server/typosentinel_server/main.py": "2",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_same_contents_have_the_same_name(checkout: Path) -> None:
    """The same contents have the same name."""
    operator = RECIPES[0]
    assert operator.image("base", checkout) == operator.image("base", checkout)
    assert operator.image("base", checkout).startswith("localhost/typosentinel-operator:")
    assert len(operator.tag("base", checkout)) == 12


@pytest.mark.parametrize(
    "changed",
    [
        "Containerfile.operator",
        "requirements/operator.txt",
        "requirements/images.txt",
        "pyproject.toml",
        "operator/typosentinel_operator/main.py",
        "server/typosentinel_server/new.py",
    ],
)
def test_whatever_goes_in_changes_the_name(checkout: Path, changed: str) -> None:
    """Whatever goes in changes the name."""
    before = RECIPES[0].image("base", checkout)
    (checkout / changed).write_text("other")
    assert RECIPES[0].image("base", checkout) != before


def test_another_base_changes_the_name(checkout: Path) -> None:
    """Another base changes the name."""
    assert RECIPES[1].tag("a", checkout) != RECIPES[1].tag("b", checkout)


def test_what_tools_leave_behind_does_not(checkout: Path) -> None:
    """What tools leave behind does not."""
    before = RECIPES[0].image("base", checkout)
    for left in ("operator/typosentinel_operator/__pycache__/main.pyc", "server/typosentinel.egg-info/PKG-INFO"):
        (checkout / left).parent.mkdir(parents=True)
        (checkout / left).write_text("left")
    (checkout / "docs.md").write_text("not in the image")
    assert RECIPES[0].image("base", checkout) == before


def test_the_other_images_requirements_do_not_matter(checkout: Path) -> None:
    """The other images requirements do not matter."""
    before = RECIPES[0].image("base", checkout)
    (checkout / "requirements/server.txt").write_text("b==2")
    assert RECIPES[0].image("base", checkout) == before


def test_the_project_s_version_is_read(checkout: Path) -> None:
    """The project's version is read."""
    assert project_version(checkout) == "1.2.3"
    assert project_version() != "0"


def test_every_recipe_s_files_are_there() -> None:
    """Every recipe's files are there."""
    for recipe in RECIPES:
        assert (REPOSITORY / recipe.containerfile).is_file()
        assert (REPOSITORY / recipe.requirements).is_file()
    assert any(path.name == "py.typed" for path in sources())


def test_the_mirror_is_the_machine_s_own() -> None:
    """The mirror is the machine's own."""
    listed = (
        "Other bookworm main https://other.example/debian/\n"
        "Debian bookworm-updates main https://mirror.example/debian/\n"
        "Debian bookworm contrib https://mirror.example/contrib/\n"
        "Debian bookworm main https://mirror.example/debian/\n"
    )
    assert rootfs.parse_mirror(listed) == "https://mirror.example/debian/"
    assert rootfs.parse_mirror("Other bookworm main https://other.example/debian/") is None
    assert rootfs.parse_mirror("") is None


def test_stripping_leaves_programs_and_folders(tmp_path: Path) -> None:
    """Stripping leaves programs and folders."""
    for name in ("usr/bin/python3", "usr/share/doc/x/copyright", "var/lib/apt/lists/a", "tmp/t", "etc/hostname"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    rootfs.strip(tmp_path)
    assert (tmp_path / "usr/bin/python3").exists()
    assert (tmp_path / "tmp").is_dir()
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["usr/bin/python3"]
