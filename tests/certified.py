"""Certificates in files, as a kubelet mounts them from a Secret."""

import base64
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from typosentinel_operator import certificates, issuing
from typosentinel_operator.certificates import Signed

ADDRESS = "127.0.0.1"
MOUNTED = ("tls.crt", "tls.key")


def mount(data: Mapping[str, str], folder: Path) -> None:
    """Put the `data` of a Secret where the webhook looks: a new folder, and a link that is turned to it in one step."""
    version = folder / f"..{datetime.now(UTC):%H_%M_%S_%f}"
    version.mkdir(parents=True)
    for key in MOUNTED:
        (version / key).write_bytes(base64.b64decode(data.get(key, "")))
        if not (folder / key).is_symlink():
            (folder / key).symlink_to(Path("..data") / key)
    turning = folder / "..turning"
    turning.symlink_to(version.name)
    turning.rename(folder / "..data")


def fresh(authority: Signed | None = None) -> tuple[dict[str, str], bytes]:
    """Data of a Secret with certificates of now for this machine, and the bundle by which they are trusted."""
    now = datetime.now(UTC)
    signer = authority or issuing.authority(now)
    served = issuing.serving(signer, [ADDRESS], now)
    return certificates.write(signer, [signer.certificate], served), certificates.bundle([signer.certificate])


def trusting(bundle: bytes) -> ssl.SSLContext:
    """A client that trusts this bundle and nobody else."""
    return ssl.create_default_context(cadata=bundle.decode())
