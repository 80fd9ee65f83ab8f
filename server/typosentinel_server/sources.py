"""Where lists of popular names come from at run time: the package, a directory, or an archive at a URL."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from typosentinel_server.bundles.archive import MAX_ARCHIVE_BYTES, open_archive
from typosentinel_server.bundles.errors import CHECKSUM, refused
from typosentinel_server.bundles.store import Signature, signature, write_file
from typosentinel_server.download import Fetched, Limits, checksum_of, fetch
from typosentinel_server.engines import Library
from typosentinel_server.sections.corpus import CorpusSettings

KEPT: Final = "corpus.json"
KEPT_ARCHIVE: Final = "corpus-{}.tar"


class Source(Protocol):
    """A place that lists come from.

    Attributes:
        kind: "builtin", "directory" or "url".
        location: the path or address; empty for the package.
        watched: whether a change of it can be noticed cheaply.
    """

    kind: str
    location: str
    watched: bool

    def held(self) -> Library | None:
        """What is at hand without a network; None where nothing is. Raises CorpusUnreadable."""
        ...

    async def fetch(self) -> Library | None:
        """What is there now; None where it is what `accept` was last called for. Raises CorpusUnreadable."""
        ...

    def moved(self) -> bool:
        """Whether something seems to have changed since the last `held` or `fetch`."""
        ...

    def accept(self) -> None:
        """What was fetched last is in use now. Raises OSError where it cannot be kept for the next start."""
        ...


class Builtin:
    """The lists that the package carries; they never change."""

    kind = "builtin"
    location = ""
    watched = False

    def held(self) -> Library:
        """Those lists."""
        return Library()

    async def fetch(self) -> None:
        """Nothing new, ever."""
        return

    def moved(self) -> bool:
        """Never."""
        return False

    def accept(self) -> None:
        """They are kept as it is."""


class Directory:
    """A directory of lists, which others may change: a mounted ConfigMap, or the work of `corpus update`.

    Args:
        path: the directory.
    """

    kind = "directory"
    watched = True

    def __init__(self, path: Path) -> None:
        self.location = str(path)
        self._path = path
        self._seen: Signature = ()

    def held(self) -> Library:
        """What the directory holds. Raises CorpusUnreadable."""
        # Before the files are read: what changes meanwhile is seen as a change the next time.
        self._seen = signature(self._path)
        return Library(self._path)

    async def fetch(self) -> Library:
        """What the directory holds. Raises CorpusUnreadable."""
        return await asyncio.to_thread(self.held)

    def moved(self) -> bool:
        """Whether a file was added, removed or written since."""
        return signature(self._path) != self._seen

    def accept(self) -> None:
        """The directory itself is what is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive in use: its bytes, their hash, and the tag by which its server knows it."""

    content: bytes
    sha256: str
    etag: str | None


class Url:
    """An archive at an address.

    Args:
        url: its address.
        sha256: its hash; None: the one in the file beside it, `<url>.sha256`.
        state_dir: where the last good one is kept over a restart; None: nowhere.
        limits: of a download.
    """

    kind = "url"
    watched = False

    def __init__(self, url: str, sha256: str | None, state_dir: Path | None, limits: Limits) -> None:
        self.location = url
        self._sha256 = sha256
        self._state_dir = state_dir
        self._limits = limits
        self._in_use: Kept | None = None
        self._fetched: Kept | None = None

    def held(self) -> Library | None:
        """What was kept from the same address, if it still is what is wanted. Raises CorpusUnreadable."""
        if self._state_dir is None:
            return None
        try:
            noted = json.loads((self._state_dir / KEPT).read_bytes())
            url, sha256, etag = noted["url"], noted["sha256"], noted["etag"]
            content = (self._state_dir / KEPT_ARCHIVE.format(sha256[:16])).read_bytes()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        kept = Kept(content, sha256, etag if isinstance(etag, str) else None)
        if url != self.location or self._sha256 not in (None, sha256) or _hash(content) != sha256:
            return None
        self._fetched = kept
        return _library(kept, self.location)

    async def fetch(self) -> Library | None:
        """What is at the address, once its hash is the one that it should have. Raises CorpusUnreadable."""
        held = self._in_use
        if held is not None and self._sha256 == held.sha256:
            return None
        found = await fetch(self.location, self._limits, held.etag if held else None)
        if found is None:
            return None
        kept = await self._verified(found)
        if held is not None and kept.sha256 == held.sha256:
            self._in_use = kept
            return None
        self._fetched = kept
        return await asyncio.to_thread(_library, kept, self.location)

    def moved(self) -> bool:
        """Nobody knows without asking."""
        return False

    def accept(self) -> None:
        """Keeps what was fetched. Raises OSError where the directory cannot be written."""
        if self._fetched is None:
            return
        kept, self._in_use, self._fetched = self._fetched, self._fetched, None
        if self._state_dir is None:
            return
        self._state_dir.mkdir(parents=True, exist_ok=True)
        archive = KEPT_ARCHIVE.format(kept.sha256[:16])
        # The note comes last and names the archive: both are there, or the old ones are.
        write_file(self._state_dir / archive, kept.content)
        noted = {"url": self.location, "sha256": kept.sha256, "etag": kept.etag}
        write_file(self._state_dir / KEPT, json.dumps(noted).encode())
        for old in self._state_dir.glob(KEPT_ARCHIVE.format("*")):
            if old.name != archive:
                old.unlink(missing_ok=True)

    async def _verified(self, found: Fetched) -> Kept:
        actual = _hash(found.content)
        wanted = self._sha256 or await checksum_of(self.location, self._limits)
        if actual != wanted:
            said_by = "the configuration" if self._sha256 else f"{self.location}.sha256"
            why = f"its SHA-256 is {actual[:12]}…, and {said_by} says {wanted[:12]}…"
            raise refused(CHECKSUM, self.location, why, "Wait until both are published, or correct the hash.")
        return Kept(found.content, actual, found.etag)


def source_of(settings: CorpusSettings) -> Source:
    """The source that a configuration names."""
    named = settings.source
    if named.directory is not None:
        return Directory(Path(named.directory))
    if named.url is not None:
        state_dir = Path(settings.state_dir) if settings.state_dir else None
        return Url(named.url, named.sha256, state_dir, Limits(MAX_ARCHIVE_BYTES))
    return Builtin()


def _library(kept: Kept, where: str) -> Library:
    return Library(bundle=open_archive(kept.content, where))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
