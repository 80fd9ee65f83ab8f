"""A bundle's directory on disk: what changes in it, and how another bundle takes its place."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from typosentinel_server.bundles.bundle import NAMES
from typosentinel_server.bundles.errors import refused

CURRENT: Final = "..data"
VERSION_PREFIX: Final = "..v-"
NOT_WRITABLE: Final = "CORPUS_NOT_WRITABLE"

Signature = tuple[tuple[str, int, int, int, int], ...]


def signature(directory: Path) -> Signature:
    """What tells one state of a directory from another without reading its files; empty where it is not there."""
    found = []
    for name in sorted(NAMES):
        with suppress(OSError):
            seen = (directory / name).stat()
            found.append((name, seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size))
    return tuple(found)


def publish(files: Mapping[str, bytes], directory: Path) -> None:
    """Puts a bundle in the place of what a directory holds; whoever reads there sees the one or the other.

    As the kubelet does with a ConfigMap: the files lie in a folder of their own, to which one symbolic link leads,
    and that link is swapped. Lists that lay there as plain files before become links one by one.

    Raises:
        CorpusUnreadable: the directory cannot be written; what it held is still there.
    """
    digest = hashlib.sha256(b"".join(name.encode() + files[name] for name in sorted(files))).hexdigest()[:16]
    version = directory / f"{VERSION_PREFIX}{digest}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not version.is_dir():
            _write_folder(files, version)
        _link(directory / CURRENT, version.name)
        for name in sorted(NAMES - set(files)):
            (directory / name).unlink(missing_ok=True)
        for name in files:
            _link(directory / name, f"{CURRENT}/{name}")
        for old in directory.glob(f"{VERSION_PREFIX}*"):
            if old.name != version.name:
                shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise _not_writable(directory, error) from error


def write(files: Mapping[str, bytes], directory: Path) -> None:
    """Writes a bundle as plain files; what the directory holds beside it is left alone.

    Raises:
        CorpusUnreadable: the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in sorted(NAMES - set(files)):
            (directory / name).unlink(missing_ok=True)
        for name, content in files.items():
            write_file(directory / name, content)
    except OSError as error:
        raise _not_writable(directory, error) from error


def write_file(path: Path, content: bytes) -> None:
    """Writes a file such that it is there as a whole or as it was before. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    # Under another name until it is complete: a folder that is there is whole.
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix="..t-"))
    try:
        for name, content in files.items():
            write_file(temporary / name, content)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _link(path: Path, target: str) -> None:
    if path.is_symlink() and path.readlink() == Path(target):
        return
    temporary = path.with_name(f"..l-{path.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(path)


def _not_writable(directory: Path, error: OSError) -> Exception:
    why = f"it cannot be written: {error.strerror or error}"
    return refused(NOT_WRITABLE, str(directory), why, "Name a directory that this user may write to.")
