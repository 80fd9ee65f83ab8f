"""Builds images: with Docker where its engine answers, else with buildah in a storage of its own."""

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from hack.cluster import packages, privilege
from hack.cluster.failures import ClusterError
from hack.cluster.processes import run
from hack.cluster.state import give_to, person, write
from hack.images import rootfs
from hack.images.recipe import DEFAULT_BASE, Recipe

BUILD_TIMEOUT_SECONDS = 1200
LAYERS_KEPT = 100
# Where images have their environment, and what looks through it there.
ENVIRONMENT = "/opt/typosentinel/bin"
LOOK = Path(__file__).with_name("within.py")
COMMANDS = {"buildah": "buildah", "debootstrap": "debootstrap"}


class Docker:
    """Builds with the Docker engine."""

    base = DEFAULT_BASE

    def __init__(self, directory: Path) -> None:
        """Docker keeps its own storage; only archives for the cluster go to the folder."""
        self.directory = directory

    def prepare(self) -> None:
        """Nothing to do: Docker pulls the base itself."""

    def build(self, image: str, containerfile: Path, context: Path, version: str) -> None:
        """Build an image."""
        arguments = ["--build-arg", f"BASE={self.base}", "--build-arg", f"VERSION={version}", "--tag", image]
        _run(["docker", "build", "--file", str(containerfile), *arguments, str(context)], f"building {image}")

    def save(self, image: str, target: Path, look: Sequence[str]) -> None:
        """Write an image as an archive once a look into it has found nothing amiss."""
        program, *arguments = look
        run_once = ["docker", "run", "--rm", "--network=none", "--entrypoint", program, image, *arguments]
        demand_nothing(image, _run(run_once, f"looking into {image}"))
        temporary = target.with_name(f".{target.name}.new")
        _run(["docker", "save", "--output", str(temporary), image], f"saving {image}")
        temporary.replace(target)

    def close(self) -> None:
        """Nothing to do."""


class Buildah:
    """Builds with buildah; needs root, and leaves the person's own container storage alone."""

    def __init__(self, directory: Path) -> None:
        """Keep images and archives in one folder."""
        self.directory = directory
        self.storage = directory / "storage"
        self.base = rootfs.name()

    def prepare(self) -> None:
        """Make the base image if there is none, and have it in the storage."""
        # buildah looks for networks, and leaves a lock file, where others keep theirs; it needs none here.
        network = f'[network]\nnetwork_config_dir = "{self.directory / "networks"}"\n'
        write(self.directory / "containers.conf", network)
        if self.base in _run(self._buildah("images", "--format", "{{.Name}}:{{.Tag}}"), "listing images").split():
            return
        file = self.directory / f"base-{self.base.rsplit(':', 1)[1]}.tar"
        if not file.exists():
            rootfs.make(file)
            give_to(person(), file)
        _run(self._buildah("pull", f"oci-archive:{file}"), "taking over the base image")

    def build(self, image: str, containerfile: Path, context: Path, version: str) -> None:
        """Build an image."""
        arguments = ["--isolation=chroot", "--pull-never", "--format=oci", "--layers"]
        arguments += [f"--build-arg=BASE={self.base}", f"--build-arg=VERSION={version}", f"--tag={image}"]
        command = self._buildah("build", *arguments, f"--file={containerfile}", str(context))
        _run(command, f"building {image}")

    def save(self, image: str, target: Path, look: Sequence[str]) -> None:
        """Write an image as an archive once a look into it has found nothing amiss; the storage keeps some layers."""
        try:
            demand_nothing(image, self._within(image, look))
            temporary = target.with_name(f".{target.name}.new")
            temporary.unlink(missing_ok=True)
            archive = f"oci-archive:{temporary}:{image}"
            _run(self._buildah("push", "--disable-compression", image, archive), f"saving {image}")
            temporary.replace(target)
            give_to(person(), target)
        finally:
            # The archive is the image; what stays are the layers in which the dependencies were installed.
            _run(self._buildah("rmi", image), f"forgetting {image}")
        if len(_run(self._buildah("images", "--all", "--quiet"), "listing images").split()) > LAYERS_KEPT:
            _run(self._buildah("rmi", "--prune", "--force"), "removing old layers")

    def close(self) -> None:
        """Take back the mount that the storage leaves."""
        if os.path.ismount(self.storage / "overlay"):
            with contextlib.suppress(ClusterError):
                run(["umount", str(self.storage / "overlay")], "unmounting")

    def _within(self, image: str, command: Sequence[str]) -> str:
        what = f"looking into {image}"
        container = _run(self._buildah("from", "--pull-never", image), what).strip()
        try:
            return _run(self._buildah("run", "--isolation=chroot", container, "--", *command), what)
        finally:
            _run(self._buildah("rm", container), what)

    def _buildah(self, command: str, *arguments: str) -> list[str]:
        own = [f"--root={self.storage}", f"--runroot={self.directory / 'run'}", "--storage-driver=overlay"]
        configuration = f"CONTAINERS_CONF={self.directory / 'containers.conf'}"
        return ["env", configuration, packages.find("buildah") or "buildah", *own, command, *arguments]


def choose(directory: Path, *, docker: bool) -> Docker | Buildah:
    """Return the builder of this machine."""
    return Docker(directory) if docker else Buildah(directory)


def missing_packages() -> list[str]:
    """Return the packages that building without Docker still needs."""
    return packages.missing(COMMANDS, with_cni=False)


def become_root(program: Path, arguments: Sequence[str]) -> None:
    """Go on as root, after a look whether that will lead anywhere."""
    packages.check_installable(missing_packages())
    privilege.become_root(program, arguments)


def look(recipe: Recipe) -> list[str]:
    """Return the command that within an image prints what keeps its program from starting."""
    return [f"{ENVIRONMENT}/python", "-c", LOOK.read_text(), recipe.package, f"{ENVIRONMENT}/{recipe.program}"]


def demand_nothing(image: str, amiss: str) -> None:
    """Refuse an image of which something was found amiss."""
    if amiss.strip():
        raise ClusterError(
            "\n    ".join([f"{image} lacks something that its program needs:", *amiss.strip().splitlines()]),
            advice="What only the image's Python needs stands in pyproject.toml without a marker; then `make lock`.",
        )


def gather(context: Path, folders: Mapping[str, Path]) -> None:
    """Lay the wheels into a build context; with their times, by which unchanged ones are recognized."""
    for name, folder in folders.items():
        target = context / "wheels" / name
        target.mkdir(parents=True)
        for wheel in folder.glob("*.whl"):
            # A fixed name for pip's, which is run as a program and not installed.
            shutil.copy2(wheel, target / ("pip.whl" if name == "pip" else wheel.name))


def _run(command: list[str], what: str) -> str:
    return run(command, what, seconds=BUILD_TIMEOUT_SECONDS)
