"""Container image archives, written with nothing but the standard library."""

import hashlib
import io
import json
import platform
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def architecture() -> str:
    """Return this machine's architecture as images call it."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


def name_of_program(name: str, program: Path) -> str:
    """Return an image name whose tag changes with the program, so that no tag ever means two things."""
    digest = hashlib.sha256(program.read_bytes()).hexdigest()[:12]
    return f"localhost/{name}:{digest}"


def single_program(image: str, program: Path, target: Path) -> None:
    """Write an OCI archive of an image that holds one static program."""
    layer = _tar({program.name: (program.read_bytes(), 0o755)})
    process = {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "layer.tar")
        file.write_bytes(layer)
        _write(image, file, process, target)


def folder(image: str, root: Path, target: Path) -> None:
    """Write an OCI archive of an image that holds a whole folder, owners and links included."""
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        file = Path(temporary, "layer.tar")
        with tarfile.open(file, mode="w") as tar:
            for path in sorted(root.iterdir()):
                tar.add(path, arcname=path.name)
        _write(image, file, {"Cmd": ["/bin/sh"], "Env": [f"PATH={PATH}"]}, target)


def _write(image: str, layer: Path, process: Mapping[str, object], target: Path) -> None:
    with layer.open("rb") as stream:
        digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    config = _json(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": process,
            "rootfs": {"type": "layers", "diff_ids": [digest]},
            # buildah refuses to build upon an image whose history does not account for each layer.
            "history": [{"created_by": "Typosentinel's hack/cluster/archive.py"}],
        }
    )
    layers = [{"mediaType": LAYER, "digest": digest, "size": layer.stat().st_size}]
    manifest = _json(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": _descriptor(CONFIG, config), "layers": layers}
    )
    # The name that containerd gives the image, and the one that the OCI standard knows (it takes it for a tag).
    annotations = {"io.containerd.image.name": image, "org.opencontainers.image.ref.name": image}
    index = _json({"schemaVersion": 2, "manifests": [{**_descriptor(MANIFEST, manifest), "annotations": annotations}]})
    blobs = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": (blob, 0o644) for blob in (config, manifest)}
    files = {"oci-layout": (_json({"imageLayoutVersion": "1.0.0"}), 0o644), "index.json": (index, 0o644), **blobs}
    temporary = target.with_name(f".{target.name}.new")
    with tarfile.open(temporary, mode="w") as tar:
        _add(tar, files)
        entry = tarfile.TarInfo(f"blobs/sha256/{digest.removeprefix('sha256:')}")
        entry.size, entry.mode = layer.stat().st_size, 0o644
        with layer.open("rb") as stream:
            tar.addfile(entry, stream)
    temporary.replace(target)


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        _add(tar, files)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, files: Mapping[str, tuple[bytes, int]]) -> None:
    for name, (content, mode) in files.items():
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), mode
        tar.addfile(entry, io.BytesIO(content))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
