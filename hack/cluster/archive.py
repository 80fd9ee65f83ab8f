"""Container image archives, written with nothing but the standard library."""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path

from hack.cluster import state

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


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
    packed = gzip.compress(layer, mtime=0)
    config = _json(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config),
            "layers": [_descriptor(LAYER, packed)],
        }
    )
    # The name that containerd gives the image, and the one that the OCI standard knows (it takes it for a tag).
    annotations = {"io.containerd.image.name": image, "org.opencontainers.image.ref.name": image}
    index = _json(
        {"schemaVersion": 2, "manifests": [{**_descriptor(MANIFEST, manifest), "annotations": annotations}]}
    )
    blobs = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": (blob, 0o644) for blob in (packed, config, manifest)}
    files = {"oci-layout": (_json({"imageLayoutVersion": "1.0.0"}), 0o644), "index.json": (index, 0o644), **blobs}
    temporary = target.with_name(f".{target.name}.new")
    temporary.write_bytes(_tar(files))
    temporary.replace(target)
    state.give_to(state.person(), target)


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
