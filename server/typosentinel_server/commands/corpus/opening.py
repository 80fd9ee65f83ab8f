"""What the sub-commands share: opening the bundle that somebody names."""

from pathlib import Path
from typing import Final

from typosentinel_server.bundles.archive import MAX_ARCHIVE_BYTES, open_archive
from typosentinel_server.bundles.bundle import Bundle
from typosentinel_server.bundles.errors import DAMAGED, refused
from typosentinel_server.engines import Library

BUILTIN: Final = "builtin"
ARCHIVE: Final = ".tar"


def open_bundle(name: str) -> Bundle:
    """The bundle that an argument names: `builtin`, an archive, or a directory. Raises CorpusUnreadable."""
    if name == BUILTIN:
        return Bundle.of_package()
    path = Path(name)
    return open_archive(read(path, MAX_ARCHIVE_BYTES), name) if path.suffix == ARCHIVE else Bundle.of_directory(path)


def open_library(path: Path | None) -> Library:
    """The lists at a path, a directory or an archive; the built-in ones for None. Raises CorpusUnreadable."""
    return Library() if path is None else Library(bundle=open_bundle(str(path)))


def read(path: Path, limit: int) -> bytes:
    """A file's bytes, one more than the limit at most. Raises CorpusUnreadable."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise refused(DAMAGED, str(path), why, "Check the path and who may read it.") from error
