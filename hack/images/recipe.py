"""What goes into each image, and the name that follows from it.

The tag is a hash over all of that, so a name always means the same contents: nothing is ever tagged anew, and an image
that is there need not be built again.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_BASE = "docker.io/library/debian:bookworm-slim"
PROJECT_FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE")
PROJECT_FOLDERS = ("operator", "server")
NOT_SOURCE = (".so", "__pycache__", ".egg-info", ".mypy_cache", ".ruff_cache")


@dataclass(frozen=True)
class Recipe:
    """One image.

    Attributes:
        name: the last part of the image's own.
        containerfile: from which it is built.
        requirements: which are locked.
        package: what its program is made of.
        program: what it runs.
    """

    name: str
    containerfile: str
    requirements: str
    package: str
    program: str

    def tag(self, base: str, root: Path = REPOSITORY) -> str:
        """Return the tag: a hash over base, Containerfile, locked requirements and the project's sources."""
        files = [root / self.containerfile, root / self.requirements, root / IMAGES_REQUIREMENTS, *sources(root)]
        return digest(root, files, base)

    def image(self, base: str, root: Path = REPOSITORY) -> str:
        """Return the full image name; without a registry's name before it, it would be looked up at a public one."""
        return f"localhost/typosentinel-{self.name}:{self.tag(base, root)}"


IMAGES_REQUIREMENTS = "requirements/images.txt"
RECIPES = (
    Recipe(
        "operator",
        "Containerfile.operator",
        "requirements/operator.txt",
        "typosentinel_operator",
        "typosentinel-operator",
    ),
    Recipe("server", "Containerfile.server", "requirements/server.txt", "typosentinel_server", "typosentinel"),
)


def sources(root: Path = REPOSITORY) -> list[Path]:
    """Return the files that the project's own wheel is made of."""
    found = [root / name for name in PROJECT_FILES if (root / name).exists()]
    for folder in PROJECT_FOLDERS:
        found += [path for path in (root / folder).rglob("*") if path.is_file() and is_source(path)]
    return sorted(found)


def is_source(path: Path) -> bool:
    """Tell sources from what tools leave beside them."""
    return not any(part.endswith(NOT_SOURCE) for part in path.parts)


def digest(root: Path, files: Iterable[Path], *more: str) -> str:
    """Hash files by their place and content, and some words, into the length of a tag."""
    total = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        total.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    for word in more:
        total.update(f"\0{word}".encode())
    return total.hexdigest()[:12]


def project_version(root: Path = REPOSITORY) -> str:
    """Read the project's version."""
    found = re.search(r'^version = "([^"]+)"', (root / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else "0"
