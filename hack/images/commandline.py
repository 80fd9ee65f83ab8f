"""The commands of ``python3 hack/images``."""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hack.cluster import packages
from hack.cluster.commandline import choose as choose_cluster
from hack.cluster.commandline import docker_answers
from hack.cluster.failures import ClusterError
from hack.cluster.local import LocalCluster
from hack.cluster.progress import Steps, say
from hack.cluster.state import cache_directory, give_to, locked, person
from hack.images import builders, wheels
from hack.images.recipe import RECIPES, Recipe, project_version

PROGRAM = Path(__file__).resolve().parent
KEPT_PER_IMAGE = 3


class Images:
    """The images of this checkout and the archives that hold them."""

    def __init__(self, cache: Path) -> None:
        """Choose the builder that works on this machine."""
        self.cache = cache
        self.directory = cache / "images"
        self.docker = docker_answers()
        self.builder = builders.choose(self.directory, docker=self.docker)
        # Once: sources that are edited while this runs must not change the names half way.
        self.images = {recipe: recipe.image(self.builder.base) for recipe in RECIPES}

    def names(self) -> dict[str, str]:
        """Return each image's name."""
        return {recipe.name: image for recipe, image in self.images.items()}

    def archive(self, recipe: Recipe) -> Path:
        """Return where an image's archive is, or will be once built."""
        return self.directory / f"{recipe.name}-{self.images[recipe].rsplit(':', 1)[1]}.tar"

    def build(self, arguments: Sequence[str]) -> None:
        """Build what is missing."""
        wanted = [recipe for recipe in RECIPES if not self.archive(recipe).exists()]
        if not wanted:
            return
        needed = [] if self.docker else builders.missing_packages()
        steps = Steps(2 + len(wanted) + bool(needed))
        self.directory.mkdir(parents=True, exist_ok=True)
        give_to(person(), self.cache, self.directory)
        with steps.step("wheels: locked dependencies and the project's own", "20 s the first time"):
            folders = {recipe: wheels.gathered(recipe, self.cache) for recipe in wanted}
        if any(recipe.image(self.builder.base) != self.images[recipe] for recipe in wanted):
            raise ClusterError("the sources changed while they were being packed", advice="Run the same command again.")
        if not self.docker:
            builders.become_root(PROGRAM, arguments)
        if needed:
            with steps.step(f"installing {', '.join(needed)}", "about 30 s"):
                packages.install(needed)
        with locked(self.directory / "lock", "building images"):
            try:
                with steps.step(f"base image {self.builder.base}", "about 1 min the first time"):
                    self.builder.prepare()
                for recipe in wanted:
                    with steps.step(f"image {self.images[recipe]}", "about 15 s"):
                        self._build(recipe, folders[recipe])
            finally:
                self.builder.close()

    def _build(self, recipe: Recipe, folders: Mapping[str, Path]) -> None:
        target = self.archive(recipe)
        with tempfile.TemporaryDirectory(prefix="typosentinel-context-") as folder:
            builders.gather(Path(folder), folders)
            containerfile = Path(folder, "Containerfile")
            containerfile.write_bytes((PROGRAM.parents[1] / recipe.containerfile).read_bytes())
            image = self.images[recipe]
            self.builder.build(image, containerfile, Path(folder), project_version())
            self.builder.save(image, target, builders.look(recipe))
        old = sorted(self.directory.glob(f"{recipe.name}-*.tar"), key=lambda file: -file.stat().st_mtime)
        for file in old[KEPT_PER_IMAGE:]:
            file.unlink()

    def load(self, arguments: Sequence[str]) -> None:
        """Load into the cluster what is missing there."""
        if not self.docker:
            builders.become_root(PROGRAM, arguments)
        cluster = choose_cluster(self.cache)
        # kind itself passes over what it has.
        wanted = [
            recipe
            for recipe in RECIPES
            if not (isinstance(cluster, LocalCluster) and cluster.has_image(self.images[recipe]))
        ]
        steps = Steps(len(wanted))
        for recipe in wanted:
            with steps.step(f"loading {self.images[recipe]} into the cluster", "about 5 s"):
                cluster.load([self.archive(recipe)])


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    top = argparse.ArgumentParser(prog="python3 hack/images", description="The product's container images.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="build the images that are missing")
    build.add_argument("--load", action="store_true", help="load them into the local cluster too")
    commands.add_parser("names", help="print the images' names as JSON")
    options = top.parse_args(arguments)
    try:
        images = Images(cache_directory())
        if options.command == "build":
            images.build(arguments)
            if options.load:
                images.load(arguments)
            for recipe in RECIPES:
                size = images.archive(recipe).stat().st_size / 1e6
                say(f"{images.images[recipe]}  {size:.0f} MB")
        print(json.dumps(images.names()))
    except ClusterError as error:
        say(error.report())
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on where this one stopped")
        return 130
    except OSError as error:
        say(f"error: {error}")
        return 1
    return 0
